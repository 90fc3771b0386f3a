import { describe, expect, it } from "vitest"
import type { KubeObject } from "../../src/kubernetes/Objects.ts"
import * as InformerCache from "../../src/operator/InformerCache.ts"

const object = (name: string, version: number, more: Partial<KubeObject["metadata"]> = {}): KubeObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: {
    name,
    namespace: "ns",
    uid: `uid-${name}`,
    resourceVersion: String(version),
    labels: { owner: "o" },
    ...more
  }
})

const cache = () => InformerCache.make<KubeObject>(({ metadata }) => metadata.labels?.["owner"])

describe("a cache of objects", () => {
  it("is not synced before the first snapshot, and is after an empty one", () => {
    const empty = cache()
    expect(empty.isSynced()).toBe(false)
    empty.absorb({ _tag: "Snapshot", items: [] })
    expect(empty.isSynced()).toBe(true)
  })

  it("names the owners of what came, changed and went", () => {
    const known = cache()
    expect(
      known.absorb({ _tag: "Snapshot", items: [object("a", 1), object("b", 2, { labels: { owner: "p" } })] })
    ).toEqual(["o", "p"])
    expect(known.absorb({ _tag: "Upsert", object: object("a", 3) })).toEqual(["o"])
    expect(known.absorb({ _tag: "Delete", object: object("a", 4) })).toEqual(["o"])
    expect(known.ofOwner("o")).toEqual([])
    expect(known.absorb({ _tag: "Snapshot", items: [] })).toEqual(["p"])
    expect(known.size()).toBe(0)
  })

  it("takes a long listing piece by piece: known when it ends, and then nothing else is there", () => {
    const known = cache()
    known.absorb({ _tag: "Snapshot", items: [object("a", 1), object("b", 2), object("c", 3)] })
    known.absorb({ _tag: "Upsert", object: object("d", 4) })
    known.absorb({ _tag: "Upsert", object: object("a", 5) })
    expect([...known.keys()]).toEqual(["ns/a", "ns/b", "ns/c", "ns/d"])
    const others = [{ namespace: "ns", name: "a" }]
    expect(known.absorb({ _tag: "Snapshot", items: [object("c", 3)], others })).toEqual(["o"])
    expect([...known.keys()]).toEqual(["ns/a", "ns/c"])
    const empty = cache()
    empty.absorb({ _tag: "Upsert", object: object("a", 1) })
    expect(empty.isSynced()).toBe(false)
  })

  it("finds nothing new in the echo of a write that it has learnt", () => {
    const known = cache()
    known.absorb({ _tag: "Snapshot", items: [object("a", 1)] })
    known.learn(object("a", 2))
    expect(known.absorb({ _tag: "Upsert", object: object("a", 2) })).toEqual([])
    expect(known.absorb({ _tag: "Upsert", object: object("a", 3) })).toEqual(["o"])
  })

  it("does not bring back a deleted object when the answer to an earlier write comes late", () => {
    const known = cache()
    known.absorb({ _tag: "Snapshot", items: [object("a", 1)] })
    known.absorb({ _tag: "Delete", object: object("a", 3) })
    known.learn(object("a", 2))
    expect(known.get("ns/a")).toBeUndefined()
    known.learn(object("a", 4, { uid: "its-successor" }))
    expect(known.get("ns/a")?.metadata.uid).toBe("its-successor")
  })

  it("learns again of an object that only left the selection for a while", () => {
    const known = cache()
    known.absorb({ _tag: "Snapshot", items: [object("a", 1)] })
    known.absorb({ _tag: "Delete", object: object("a", 2) })
    known.absorb({ _tag: "Upsert", object: object("a", 3) })
    known.learn(object("a", 4))
    expect(known.get("ns/a")?.metadata.resourceVersion).toBe("4")
  })

  it("never goes back to an older version from a lagging watch", () => {
    const known = cache()
    known.absorb({ _tag: "Snapshot", items: [object("a", 5)] })
    known.learn(object("a", 9, { generation: 2 }))
    expect(known.absorb({ _tag: "Upsert", object: object("a", 7, { generation: 1 }) })).toEqual([])
    expect(known.get("ns/a")?.metadata.generation).toBe(2)
  })

  it("does not take the end of an earlier object of a name for the end of its successor", () => {
    const known = cache()
    known.absorb({ _tag: "Snapshot", items: [] })
    known.learn(object("a", 9, { uid: "second" }))
    known.absorb({ _tag: "Delete", object: object("a", 8, { uid: "first" }) })
    expect(known.get("ns/a")?.metadata.uid).toBe("second")
  })

  it("does not keep the server's own bookkeeping, nor objects without owner", () => {
    const known = cache()
    const managed = { ...object("a", 1), metadata: { ...object("a", 1).metadata, managedFields: [{ manager: "m" }] } }
    known.absorb({ _tag: "Snapshot", items: [managed, object("stranger", 2, { labels: {} })] })
    expect(known.get("ns/a")?.metadata).not.toHaveProperty("managedFields")
    expect(known.size()).toBe(1)
  })
})
