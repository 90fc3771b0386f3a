import { assert, describe, it } from "@effect/vitest"
import type { Owner } from "../../src/identity/RunIdentity.ts"
import * as Adoption from "../../src/manifest/Adoption.ts"

const hour = 3_600_000

const set = (
  owner: Owner,
  at: number,
  more: { readonly sourceClusterId?: string; readonly clusterId?: string } = {}
): Adoption.Candidate => ({
  backupId: `${owner.name}-${owner.uid ?? "none"}-${at}`,
  facts: {
    identity: { owner, slot: "2026-11-23T12:00:00Z" },
    settings: more.sourceClusterId === undefined ? {} : { sourceClusterId: more.sourceClusterId },
    ...(more.clusterId === undefined ? {} : { clusterId: more.clusterId }),
    startedMillis: at * hour,
    completedMillis: at * hour + 60_000,
    totals: { records: 0, storedBytes: 0 }
  }
})

const earlier = { uid: "u1", namespace: "kafka", name: "nightly" }
const later = { ...earlier, uid: "u2" }
const adopting = (createdHour?: number, sourceClusterId?: string): Adoption.Adopting => ({
  sourceClusterId,
  createdMillis: createdHour === undefined ? undefined : createdHour * hour
})
const adopted = (sets: ReadonlyArray<Adoption.Candidate>, resource: Adoption.Resource) =>
  Adoption.of(sets, resource)
    .earlier.flatMap((one) => one.sets.map(({ backupId }) => backupId))
    .toSorted()

const created = { ...later, adopting: adopting(10) }

describe("Adoption", () => {
  it("takes over the backups of an earlier resource of the same namespace and name", () => {
    const sets = [set(earlier, 1), set(earlier, 2), set(later, 11)]
    assert.deepStrictEqual(adopted(sets, created), ["nightly-u1-1", "nightly-u1-2"])
    assert.deepStrictEqual(adopted(sets, later), [], "a resource that does not adopt")
    assert.deepStrictEqual(adopted(sets, { ...later, adopting: adopting() }), [], "one without a time of creation")
  })

  it("leaves alone what another namespace, name or source made", () => {
    const sets = [
      set({ ...earlier, namespace: "other" }, 1),
      set({ ...earlier, name: "weekly" }, 1),
      set({ uid: "u1", name: "nightly" }, 1),
      set(earlier, 1, { sourceClusterId: "west" })
    ]
    assert.deepStrictEqual(adopted(sets, created), [])
    const west = { ...later, adopting: adopting(10, "west") }
    assert.deepStrictEqual(adopted([...sets, set(earlier, 2)], west), ["nightly-u1-1"])
  })

  it("leaves alone a resource that makes backups after this one was created, in another cluster", () => {
    const sets = [set(earlier, 1), set(earlier, 9), set(earlier, 11)]
    assert.deepStrictEqual(adopted(sets, created), [])
    assert.deepStrictEqual(Adoption.of(sets, created).others, [earlier])
    // The other way round, too: the later one is at work.
    assert.deepStrictEqual(adopted([set(later, 11)], { ...earlier, adopting: adopting(0) }), [])
  })

  it("stands a small difference of clocks", () => {
    const sets = [set(earlier, 10 + 1 / 60)]
    assert.lengthOf(adopted(sets, created), 1)
    assert.lengthOf(adopted([set(earlier, 10.2)], created), 0)
  })

  it("leaves alone the backups of another Kafka cluster, unless a sourceClusterId says that it is the same source", () => {
    const sets = (sourceClusterId?: string) => {
      const more = sourceClusterId === undefined ? {} : { sourceClusterId }
      return [set(earlier, 1, { clusterId: "a", ...more }), set(later, 11, { clusterId: "b", ...more })]
    }
    assert.deepStrictEqual(adopted(sets(), created), [])
    assert.lengthOf(adopted(sets("west"), { ...later, adopting: adopting(10, "west") }), 1)
  })

  it("finds all backups of its name for a manifest without uid", () => {
    const byHand = { namespace: "kafka", name: "nightly", adopting: adopting() }
    const sets = [set(earlier, 1), set(earlier, 2), set(later, 11)]
    assert.lengthOf(adopted(sets, byHand), 3)
    assert.deepStrictEqual(Adoption.hints(sets, byHand), [])
  })

  it("finds none for a manifest without uid while two resources take turns, and says how to select one", () => {
    const byHand = { namespace: "kafka", name: "nightly", adopting: adopting() }
    const sets = [set(earlier, 1), set(later, 2), set(earlier, 3)]
    assert.deepStrictEqual(adopted(sets, byHand), [])
    assert.match(Adoption.hints(sets, byHand).join(), /kafka\/nightly.*\(uid u1, u2\).*set metadata\.uid/u)
    const clusters = [set(earlier, 1, { clusterId: "a" }), set(later, 2, { clusterId: "b" })]
    assert.deepStrictEqual(adopted(clusters, byHand), [])
  })

  it("says where the backups of that name are, when the manifest has no namespace", () => {
    const byHand = { name: "nightly", adopting: adopting() }
    assert.deepStrictEqual(Adoption.hints([set(earlier, 1)], byHand), [
      "storage has backups of kafka/nightly: to select them, write namespace: kafka under metadata in the manifest"
    ])
    const two = [set(earlier, 1), set({ ...earlier, namespace: "other" }, 2)]
    assert.deepStrictEqual(Adoption.hints(two, byHand), [
      "storage has backups of kafka/nightly, other/nightly: to select them, set metadata.namespace to that of the resource that is meant"
    ])
    assert.deepStrictEqual(
      Adoption.hints([set({ uid: "u3", name: "nightly" }, 1)], { ...byHand, namespace: "kafka" }),
      ["storage has backups of nightly: to select them, remove metadata.namespace from the manifest"]
    )
  })

  it("calls an earlier resource quiet after twice its interval, or at once with a sourceClusterId", () => {
    const one = { owner: earlier, sets: [set(earlier, 3), set(earlier, 2)] }
    const at = (hours: number, sourceClusterId?: string) =>
      Adoption.isQuiet(one, adopting(4, sourceClusterId), hours * hour + 60_000)
    assert.deepStrictEqual([at(4), at(4.9), at(5), at(4, "west")], [false, false, true, true])
    assert.isTrue(Adoption.isQuiet({ owner: earlier, sets: [set(earlier, 3)] }, adopting(4), 3 * hour))
  })
})
