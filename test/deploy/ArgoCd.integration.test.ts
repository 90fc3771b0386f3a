import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parse } from "yaml"
import { kinds } from "../../scripts/ArgoCd.ts"
import * as Kind from "../../src/kubernetes/Kind.ts"
import type { KubeObject } from "../../src/kubernetes/Objects.ts"
import { nameLabel } from "../../src/operator/Labels.ts"
import { pods } from "../../src/testing/Faults.ts"
import { describeWithTools } from "../harness/tools.ts"
import { offsetWorld, resetOf } from "../operator/offsets/world.ts"
import { restoreOf, restoreWorld } from "../operator/restore/world.ts"
import { drilled } from "../operator/drill/world.ts"
import { backupOf, hourly, setsIn, story, world } from "../operator/world.ts"
import { kafkaOf, userOf } from "../operator/strimzi/strimziObjects.ts"
import { reading, strimziIn } from "../operator/strimzi/world.ts"
import { put } from "../resource/manifests.ts"
import { evaluate } from "./lua.ts"
import { type Json, objectsOf, one } from "./manifests.ts"

const data: Readonly<Record<string, string>> = one(objectsOf("argocd/argocd-cm.yaml"), "ConfigMap")["data"]

const of = (what: "health" | "actions", { kind }: { readonly kind?: string }): string =>
  data[`resource.customizations.${what}.kafka.oso.sh_${kind}`]!

const health = (object: KubeObject) => Effect.promise(() => evaluate(of("health", object), object))

const actionsOf = (object: KubeObject) => parse(of("actions", object)) as Json

/** The names of the actions that can be chosen now. */
const enabled = Effect.fnUntraced(function* (object: KubeObject) {
  const found = yield* Effect.promise(() => evaluate(actionsOf(object)["discovery.lua"], object))
  return Object.keys(found)
    .filter((name) => found[name].disabled === false)
    .toSorted()
})

/** The patch that Argo CD makes of what the action returns; nothing else of the object may have changed. */
const chosen = Effect.fnUntraced(function* (object: KubeObject, name: string) {
  const action = (actionsOf(object)["definitions"] as ReadonlyArray<Json>).find((each) => each["name"] === name)!
  const returned = yield* Effect.promise(() => evaluate(action["action.lua"], object))
  const { annotations } = returned["metadata"]
  const { suspend } = returned["spec"]
  assert.deepEqual(
    { ...returned, metadata: { ...returned["metadata"], annotations: {} }, spec: { ...returned["spec"], suspend: 0 } },
    JSON.parse(
      JSON.stringify({
        ...object,
        metadata: { ...object.metadata, annotations: {} },
        spec: { ...(object.spec as object), suspend: 0 }
      })
    )
  )
  return { metadata: { annotations }, spec: { suspend } }
})

/** Without empty lists, which Lua cannot tell from empty objects; Argo CD puts them right by itself. */
const plain = <A>(object: A): A =>
  JSON.parse(JSON.stringify(object, (_, value: unknown) => (Array.isArray(value) && value.length === 0 ? {} : value)))

describe("Argo CD's settings", () => {
  it("have health and actions of each kind", () => {
    assert.deepStrictEqual(
      Object.keys(data).toSorted(),
      Object.keys(kinds)
        .flatMap((kind) => ["actions", "health"].map((what) => `resource.customizations.${what}.kafka.oso.sh_${kind}`))
        .toSorted()
    )
  })
})

describeWithTools(["glua"], "a KafkaBackup in Argo CD", () => {
  story(
    "is Progressing until the operator has seen its newest spec, Healthy while backups are made, Degraded when not",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const get = (name: string) => kubectl.get(name)
      yield* kubectl.apply(hourly("orders", { deletionPolicy: "Delete" }))
      yield* kubectl.apply(hourly("missing", { topics: ["no-such-topic"] }))
      assert.strictEqual((yield* health(yield* get("orders"))).status, "Progressing")
      const replica = yield* start()
      yield* advance("20 minutes")
      const healthy = yield* health(yield* get("orders"))
      assert.strictEqual(healthy.status, "Healthy", JSON.stringify(yield* kubectl.status("orders")))
      assert.include(healthy.message, "Last success")
      const degraded = yield* health(yield* get("missing"))
      assert.strictEqual(degraded.status, "Degraded")
      assert.include(degraded.message, "no-such-topic")
      yield* replica.stop
      yield* kubectl.patch("missing", { spec: { topics: ["orders"] } })
      assert.strictEqual((yield* health(yield* get("missing"))).status, "Progressing")
      yield* kubectl.delete("orders")
      assert.deepStrictEqual(yield* health(yield* get("orders")), {
        status: "Progressing",
        message: "The resource is being deleted."
      })
      assert.deepStrictEqual(yield* enabled(yield* get("orders")), [])
    })
  )

  story(
    "is Degraded while a drill says that its newest backup cannot be restored, though Ready is True",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(drilled("shop"))
      yield* advance("27 minutes")
      assert.strictEqual((yield* health(yield* kubectl.get("shop"))).status, "Healthy")
      const key = (yield* backups.keys).find((each) => each.includes("/partition=0/"))!
      yield* backups.tamper(key, (bytes) => bytes.map((byte, index) => (index === bytes.length >> 1 ? byte ^ 1 : byte)))
      const patch = yield* chosen(plain(yield* kubectl.get("shop")), "drill")
      yield* kubectl.patch("shop", patch)
      yield* advance("1 minute")
      const found = yield* health(yield* kubectl.get("shop"))
      assert.strictEqual(found.status, "Degraded")
      assert.include(found.message, key)
    })
  )

  story(
    "offers what makes sense now, and does what was chosen",
    Effect.gen(function* () {
      const { advance, backups, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("orders"))
      yield* advance("20 minutes")
      assert.deepStrictEqual(yield* enabled(yield* kubectl.get("orders")), ["check", "suspend", "trigger-backup"])
      yield* kubectl.patch("orders", yield* chosen(plain(yield* kubectl.get("orders")), "suspend"))
      yield* advance("2 hours")
      assert.strictEqual((yield* health(yield* kubectl.get("orders"))).status, "Suspended")
      assert.deepStrictEqual(yield* enabled(yield* kubectl.get("orders")), ["check", "resume", "trigger-backup"])
      assert.lengthOf(setsIn(yield* backups.keys), 1)
      yield* kubectl.patch("orders", yield* chosen(plain(yield* kubectl.get("orders")), "trigger-backup"))
      yield* advance("1 minute")
      assert.lengthOf(setsIn(yield* backups.keys), 2)
      yield* kubectl.patch("orders", yield* chosen(plain(yield* kubectl.get("orders")), "resume"))
      yield* advance("1 hour")
      assert.strictEqual((yield* health(yield* kubectl.get("orders"))).status, "Healthy")
      assert.lengthOf(setsIn(yield* backups.keys), 3)
      const { metadata } = yield* chosen(plain(yield* kubectl.get("orders")), "check")
      assert.match(metadata.annotations["kafka.oso.sh/check"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u)
    })
  )

  story(
    "without a schedule is Progressing until its one backup is complete, and Degraded while its pod cannot start",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      yield* start({ settings: { maxConcurrentRuns: 1 } })
      yield* kubernetes.node.trouble(({ metadata }) =>
        metadata.labels?.[nameLabel] === "stuck" ? pods.unschedulable() : undefined
      )
      yield* kubectl.apply(backupOf("stuck"))
      yield* advance("5 seconds")
      yield* kubectl.apply(backupOf("once"))
      yield* advance("5 seconds")
      const stuck = yield* health(yield* kubectl.get("stuck"))
      assert.strictEqual(stuck.status, "Degraded")
      assert.include(stuck.message, "Insufficient memory")
      assert.strictEqual((yield* health(yield* kubectl.get("once"))).status, "Progressing")
      yield* advance("2 minutes")
      assert.strictEqual((yield* health(yield* kubectl.get("once"))).status, "Healthy")
    })
  )
})

describeWithTools(["glua"], "a resource in Argo CD, of a cluster that Strimzi runs,", () => {
  const cluster = { strimziRef: { name: "main", listener: "scram", user: "backup" } }
  const unresolved = { status: "Progressing", include: "StrimziListenerNotReady: " }

  story(
    "is Progressing while Strimzi starts, and Degraded where a person has to act",
    Effect.gen(function* () {
      const { advance, kubectl, kubernetes, start } = yield* world
      const strimzi = strimziIn(kubernetes.behind)
      yield* strimzi.apply(put(kafkaOf("main"), ["status"], undefined) as KubeObject)
      yield* start(reading)
      yield* kubectl.apply(backupOf("once", { kafkaCluster: cluster }))
      yield* advance("1 minute")
      const noUser = yield* health(yield* kubectl.get("once"))
      assert.strictEqual(noUser.status, "Degraded")
      assert.include(noUser.message, "StrimziUserMissing: ")
      yield* strimzi.apply(userOf("backup", "scram-sha-512"))
      yield* advance("2 minutes")
      const starting = yield* health(yield* kubectl.get("once"))
      assert.strictEqual(starting.status, unresolved.status)
      assert.include(starting.message, unresolved.include)
    })
  )

  story(
    "is told alike where it is a reset",
    Effect.gen(function* () {
      const { apply, kubernetes, reached, start } = yield* offsetWorld
      const get = (name: string) => kubernetes.behind.get(Kind.kafkaOffsetResets, { namespace: "kafka-backup", name })
      const strimzi = strimziIn(kubernetes.behind)
      yield* strimzi.apply(put(kafkaOf("main"), ["status"], undefined) as KubeObject)
      yield* strimzi.apply(userOf("backup", "scram-sha-512"))
      yield* start(reading)
      yield* apply(resetOf("early", { kafkaCluster: cluster }))
      yield* reached("early", "StrimziUnresolved")
      const starting = yield* health(yield* get("early"))
      assert.strictEqual(starting.status, unresolved.status)
      assert.include(starting.message, unresolved.include)
    })
  )
})

describeWithTools(["glua"], "a restore, a reset or a rollback in Argo CD", () => {
  story(
    "is Progressing while it works, Healthy when it is complete, and Degraded when a person has to act",
    Effect.gen(function* () {
      const { advance, apply, backupId, get, patch, reached, start, target } = yield* restoreWorld
      yield* start()
      yield* apply(restoreOf("back", backupId))
      assert.strictEqual((yield* health(yield* get("back"))).status, "Progressing")
      const seen = new Set<string>()
      for (let n = 0; n < 20; n++) {
        yield* advance("1 second")
        seen.add((yield* health(yield* get("back"))).status)
      }
      // How soon it is complete depends on the machine: then the first look sees no work.
      assert.includeMembers(["Progressing", "Healthy"], [...seen])
      assert.strictEqual([...seen].at(-1), "Healthy")
      assert.deepStrictEqual(yield* enabled(yield* get("back")), [])
      // The topics have records now.
      yield* apply(restoreOf("again", backupId))
      yield* reached("again", "RestoreFailed")
      const failed = yield* get("again")
      assert.strictEqual((yield* health(failed)).status, "Degraded", JSON.stringify(failed.status))
      assert.deepStrictEqual(yield* enabled(failed), ["retry"])
      yield* target.deleteTopic("orders")
      yield* patch("again", yield* chosen(plain(failed), "retry"))
      yield* reached("again", "RestoreCompleted")
      assert.strictEqual((yield* health(yield* get("again"))).status, "Healthy")
    })
  )

  story(
    "of offsets alike",
    Effect.gen(function* () {
      const { apply, cluster, kubernetes, reached, start } = yield* offsetWorld
      const get = (name: string) => kubernetes.behind.get(Kind.kafkaOffsetResets, { namespace: "kafka-backup", name })
      yield* start()
      yield* cluster.setGroupActive("busy", true)
      yield* apply(resetOf("early", {}))
      assert.strictEqual((yield* health(yield* get("early"))).status, "Progressing")
      yield* reached("early", "GroupsSkipped")
      const left = yield* health(yield* get("early"))
      assert.strictEqual(left.status, "Degraded")
      assert.include(left.message, "it has active members")
      assert.deepStrictEqual(yield* enabled(yield* get("early")), ["retry"])
      yield* cluster.setGroupActive("busy", false)
      yield* kubernetes.behind.patch(
        Kind.kafkaOffsetResets,
        { namespace: "kafka-backup", name: "early" },
        yield* chosen(plain(yield* get("early")), "retry")
      )
      yield* reached("early", "ResetCompleted")
      assert.strictEqual((yield* health(yield* get("early"))).status, "Healthy")
    })
  )
})
