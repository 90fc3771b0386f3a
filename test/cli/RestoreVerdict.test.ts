import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import * as RestoreOutput from "../../src/cli/RestoreOutput.ts"
import * as Restore from "../../src/restore/Restore.ts"
import { KafkaSinks } from "../../src/kafka/KafkaSink.ts"
import * as RestoreNotes from "../../src/restore/RestoreNotes.ts"
import { aRestore, backUp, inTime, layer, options, restore, systems, worlds } from "../restore/world.ts"

const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ value: `value ${i} ${"x".repeat(60)}`, timestamp: 1_600_000_000_000 + i }))

describe("the dry run of a restore that was killed", () => {
  it.effect("says of each topic what a repeat would do, and that it would continue", () =>
    Effect.gen(function* () {
      const { source } = yield* worlds
      yield* source.createTopic("a")
      yield* source.createTopic("b")
      yield* source.produce("a", 0, records(1))
      yield* source.produce("b", 0, records(40))
      const request = aRestore(yield* backUp)
      const prepared = Effect.flatMap(systems, (opened) => Restore.prepare(opened, request))
      const printed = Effect.map(prepared, (found) => RestoreOutput.dryRun(found, [], "text"))
      assert.match(yield* printed, /a +a +create and write [^]*\nNothing was written\. All checks passed\.$/)

      const opened = yield* systems
      // The largest partition is the first.
      let appended = 0
      const onAppended = (count: number) => {
        appended += count
        if (appended >= 40) throw new Error("killed")
      }
      const killed = yield* Effect.exit(
        inTime(Restore.run(opened, request, yield* prepared, { ...options, openPartitions: 1, onAppended }))
      )
      assert.isTrue(Exit.isFailure(killed))
      const text = yield* printed
      assert.match(text, /a +a +continue /)
      assert.match(text, /b +b +compare /)
      assert.notInclude(text, "create")
      assert.match(
        text,
        /\nNothing was written\. All checks passed\. An earlier attempt was not completed, and the restore would continue it: 1 topic to compare, 1 topic to continue\.$/
      )
      yield* inTime(Restore.run(opened, request, yield* prepared, options))
      assert.match(yield* printed, /a +a +none, compared before [^]*\nNothing was written\. The restore is complete: /)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})

describe("the dry run of a restore that is complete, and that left a group with members", () => {
  it.effect("does not say that all offsets are set, nor does a repeat", () =>
    Effect.gen(function* () {
      const { source, target } = yield* worlds
      yield* source.createTopic("orders")
      yield* source.produce("orders", 0, records(10))
      const before = yield* (yield* KafkaSinks).open({ bootstrapServers: [source.wire.location] })
      for (const group of ["billing", "idle"]) {
        yield* before.commitOffsets(group, [{ topic: "orders", partition: 0, offset: 4 }])
      }
      const groups = { strategy: { _tag: "Exact" }, groups: ["billing", "idle"] } as const
      const request = aRestore(yield* backUp, { retentionHold: 0, groups })
      yield* target.commitGroupOffsets("billing", [])
      yield* target.setGroupActive("billing", true)
      yield* inTime(restore(request))

      const prepared = yield* inTime(Restore.prepare(yield* systems, request))
      const text = RestoreOutput.dryRun(prepared, [], "text")
      assert.match(text, /^Consumer groups: an earlier attempt did not set the offsets of 1 of 2, .* offsets reset -f/m)
      assert.match(
        text,
        /A repeat would do nothing\. 1 consumer group was not set at that time: kafka-backup offsets reset can set it\.$/
      )
      assert.deepStrictEqual(JSON.parse(RestoreOutput.dryRun(prepared, [], "json")).offsetReset, {
        groups: [],
        groupsLeft: 1
      })
      const notes = RestoreNotes.notes(yield* inTime(restore(request)))
      assert.include(notes.join("\n"), "an earlier attempt did not set the offsets of 1 consumer group")
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
