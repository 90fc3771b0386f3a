import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { cluster, desk, layer, manifest, type } from "./terminal.ts"

const idOf = (hour: number) => `nightly-20261123-${hour}0000`

/** Backups at 12 and 13 o'clock, each built on the one before, and more at the hours that are asked for. */
const sets = Effect.gen(function* () {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 2 })
  const { claim, options } = yield* desk(
    manifest("incremental: { enabled: true }\nverification: { percentPerRun: 100 }")
  )
  const run = Effect.fnUntraced(function* (hour: number) {
    for (const partition of [0, 1]) yield* kafka.produce("orders", partition, [{ value: `value ${hour}` }])
    const ran = yield* type("run", ...options, "--slot", `2026-11-23T${hour}:00:00Z`)
    assert.strictEqual(ran.exitCode, 0, ran.err)
    return ran
  })
  for (const hour of [12, 13]) yield* run(hour)
  return { claim, options, run, manifestOf: (hour: number) => join(claim, idOf(hour), "manifest.json") }
})

const states = Effect.fnUntraced(function* (options: ReadonlyArray<string>) {
  const { out } = yield* type("list", ...options, "-o", "json")
  return JSON.parse(out).map(({ backupId, state }: any) => `${backupId} ${state}`)
})

/** One flipped bit makes the key of an object that never was. */
const flipKey = (path: string) => {
  const before = readFileSync(path, "utf8")
  writeFileSync(path, before.replace("partition=0/segment", "partition=0.segment"))
  return before
}

describe("kafka-backup verify --mark of a backup whose manifest was altered", () => {
  it.live("records nothing against objects, and the backup is whole when the manifest is right again", () =>
    Effect.gen(function* () {
      const { manifestOf, options } = yield* sets
      const before = flipKey(manifestOf(13))
      for (const depth of ["--deep", "--sample=50"]) {
        const { exitCode, out } = yield* type("verify", ...options, idOf(13), depth, "--mark")
        assert.strictEqual(exitCode, 16)
        assert.match(out, /partition=0\.segment-\S+ is missing/)
        assert.include(out, `${idOf(13)}/manifest.json is not the one that was committed: it was changed`)
      }
      const plain = yield* type("verify", ...options, idOf(13), "-o", "json")
      assert.deepStrictEqual(JSON.parse(plain.out).alsoDamaged, [])
      const described = yield* type("describe", ...options, idOf(13), "-o", "json")
      assert.deepStrictEqual(JSON.parse(described.out).damage.objects, [])
      writeFileSync(manifestOf(13), before)
      const right = yield* type("verify", ...options, idOf(13), "--deep", "--mark")
      assert.strictEqual(right.exitCode, 0)
      assert.include(right.out, "Recorded: no backup of this resource is known to be damaged\n")
      assert.deepStrictEqual(yield* states(options), [`${idOf(12)} complete`, `${idOf(13)} complete`])
    }).pipe(Effect.provide(layer))
  )
})
