import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Result } from "effect"
import { TestClock } from "effect/testing"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import * as Restore from "../../src/restore/Restore.ts"
import * as RestoreProgress from "../../src/restore/RestoreProgress.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import * as RestoreReporting from "../../src/restore/RestoreReporting.ts"
import * as SpecRequest from "../../src/restore/SpecRequest.ts"
import { backUp, inTime, layer, options, systems, worlds } from "./world.ts"

const day = 86_400_000
const nowMillis = 1_800_000_000_000

/** A topic with a record of thirty days ago and one of an hour ago. */
const backupOf = Effect.fnUntraced(function* (configs: Readonly<Record<string, string>>) {
  yield* TestClock.setTime(nowMillis)
  const { source } = yield* worlds
  yield* source.createTopic("orders", { configs })
  yield* source.produce("orders", 0, [{ key: "old", value: "old", timestamp: nowMillis - 30 * day }])
  yield* source.produce("orders", 0, [{ key: "new", value: "new", timestamp: nowMillis - day / 24 }])
  return yield* backUp
})

/** The notes of a dry run's report, which its pod gives to the operator, and those of the restore. */
const notesOf = Effect.fnUntraced(function* (backupId: string, spec: object) {
  const resource = Result.getOrThrow(
    KafkaRestore.parse(
      JSON.stringify({
        apiVersion: "kafka.oso.sh/v1alpha1",
        kind: "KafkaRestore",
        metadata: { name: "back" },
        spec: {
          backupId,
          targetCluster: { bootstrapServers: ["target:9092"] },
          storage: { storageType: "pvc", pvc: { claimName: "backups" } },
          ...spec
        }
      })
    )
  )
  const opened = yield* systems
  const request = SpecRequest.request(resource)
  const prepared = yield* inTime(Restore.prepare(opened, request))
  const context = { ...RestoreReporting.context(nowMillis, RestoreProgress.make()), resource, prepared, isDryRun: true }
  const { notes } = RestoreReporting.report(context, nowMillis, Exit.void)
  const restored = yield* inTime(Restore.run(opened, request, prepared, options))
  return { dryRun: notes.join("\n"), after: RestoreNotes.notes(restored).join("\n") }
}, Effect.scoped)

const override = (configs: Readonly<Record<string, string>>) => ({ configOverrides: { orders: configs } })
const forever = { "retention.ms": "-1" }

describe("the warning of a restore about old records", () => {
  const warned: ReadonlyArray<readonly [Readonly<Record<string, string>>, object, RegExp]> = [
    [{ "retention.ms": String(day) }, {}, /remove old records .*orders \(retention\.ms: 1d; oldest record/],
    [
      forever,
      override({ "retention.ms": "3600000" }),
      /remove old records .*orders \(retention\.ms: 1h; oldest record/
    ],
    [
      forever,
      { configs: "BrokerDefaults" },
      /remove old records .*orders \(retention\.ms: the default of the brokers;/
    ],
    [
      { "cleanup.policy": "compact" },
      override({ "cleanup.policy": "delete", "retention.ms": "3600000" }),
      /remove old records .*orders/
    ]
  ]
  it.effect.each(warned)("names what the topic is going to have: %j %j", ([configs, spec, expected]) =>
    Effect.gen(function* () {
      const { after, dryRun } = yield* notesOf(yield* backupOf(configs), spec)
      assert.match(dryRun, expected)
      assert.match(after, expected)
    }).pipe(Effect.provide(layer))
  )

  const silent: ReadonlyArray<readonly [Readonly<Record<string, string>>, object]> = [
    [{ "retention.ms": String(day) }, override(forever)],
    [{}, override({ "cleanup.policy": "compact" })],
    // The old record is not restored.
    [
      { "retention.ms": String(7 * day) },
      { pitr: { timestampMillis: nowMillis, start: new Date(nowMillis - day).toISOString() } }
    ]
  ]
  it.effect.each(silent)("is left out where nothing is lost: %j %j", ([configs, spec]) =>
    Effect.gen(function* () {
      const { after, dryRun } = yield* notesOf(yield* backupOf(configs), spec)
      assert.notInclude(dryRun, "old records within minutes")
      assert.notInclude(after, "old records within minutes")
    }).pipe(Effect.provide(layer))
  )
})
