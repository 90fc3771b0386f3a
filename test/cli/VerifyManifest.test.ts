import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
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
        assert.include(out, `\nRecorded: known to be damaged are now ${idOf(13)}\n`)
        assert.include(out, `\nNote: ${idOf(13)}/manifest.json is not the one that was committed: it was changed. By`)
      }
      const plain = yield* type("verify", ...options, idOf(13), "-o", "json")
      assert.deepStrictEqual(JSON.parse(plain.out).alsoDamaged, [])
      const described = yield* type("describe", ...options, idOf(13), "-o", "json")
      assert.deepStrictEqual(JSON.parse(described.out).damage.objects, [])
      assert.deepStrictEqual(yield* states(options), [`${idOf(12)} complete`, `${idOf(13)} damaged`])
      writeFileSync(manifestOf(13), before)
      const right = yield* type("verify", ...options, idOf(13), "--deep", "--mark")
      assert.strictEqual(right.exitCode, 0)
      assert.include(right.out, "Recorded: no backup of this resource is known to be damaged\n")
      assert.deepStrictEqual(yield* states(options), [`${idOf(12)} complete`, `${idOf(13)} complete`])
    }).pipe(Effect.provide(layer))
  )
})

const manifestWords = "manifest.json is not the one that was committed: it was changed"

describe("A manifest that was altered", () => {
  it.live("is told by describe, export and verify, by the next run, and by list after that", () =>
    Effect.gen(function* () {
      const { manifestOf, options, run } = yield* sets
      const path = manifestOf(13)
      const before = readFileSync(path, "utf8")
      writeFileSync(path, before.replace(/"created_at":\d/u, '"created_at":9'))
      const described = yield* type("describe", ...options, idOf(13))
      assert.include(described.out, `\nDamaged: ${idOf(13)}/${manifestWords}\n`)
      const { damage } = JSON.parse((yield* type("describe", ...options, idOf(13), "-o", "json")).out)
      assert.deepStrictEqual(damage.noticed, { since: null, text: `${idOf(13)}/${manifestWords}` })
      const exported = yield* type("export", ...options, idOf(13), "--topic", "orders")
      assert.strictEqual(exported.exitCode, 16)
      assert.lengthOf(exported.out.trim().split("\n"), 4, "what can be read is printed")
      assert.match(exported.err, /ExportNotProven: nightly-20261123-130000\/manifest.json is not the one/)
      assert.strictEqual((yield* type("verify", ...options, idOf(13))).exitCode, 16)

      const { out } = yield* run(14)
      assert.include(out, `this backup is built on ${idOf(12)}, not on a newer one: ${idOf(13)}/manifest.json`)
      assert.include(out, `${idOf(13)} is damaged and does not count for retention: ${idOf(13)}/${manifestWords}`)
      assert.include(yield* states(options), `${idOf(13)} damaged`)
      assert.match((yield* type("describe", ...options, idOf(13))).out, /\nDamaged since \S+Z: \S+manifest.json is not/)
      writeFileSync(path, before)
      assert.notInclude((yield* type("describe", ...options, idOf(13))).out, "Damaged")
      assert.strictEqual((yield* type("export", ...options, idOf(13), "--topic", "orders")).exitCode, 0)
      const right = yield* type("verify", ...options, idOf(13), "--deep", "--mark")
      assert.include(right.out, "Recorded: no backup of this resource is known to be damaged\n")
      assert.deepStrictEqual(
        yield* states(options),
        [12, 13, 14].map((hour) => `${idOf(hour)} complete`)
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("A manifest that is gone", () => {
  it.live("is told by every command and by the next run, and the backup is whole when it is put back", () =>
    Effect.gen(function* () {
      const { manifestOf, options, run } = yield* sets
      const path = manifestOf(13)
      const before = readFileSync(path)
      rmSync(path)
      assert.deepStrictEqual(yield* states(options), [`${idOf(12)} complete`, `${idOf(13)} damaged`])
      const listed = yield* type("list", ...options)
      assert.include(
        listed.out,
        `\n${idOf(13)} is damaged: ${idOf(13)} has no manifest any more; put manifest.json back`
      )
      for (const [command, ...more] of [["verify", "--deep"], ["describe"], ["export", "--topic", "orders"]]) {
        const told = yield* type(command!, ...options, idOf(13), ...more)
        assert.strictEqual(told.exitCode, 17)
        assert.include(told.err, `SetIncomplete: ${idOf(13)} was complete, and has no manifest any more\n`)
        assert.match(told.err, /what to do: put manifest.json back if there is a copy of it, /)
      }
      const { out } = yield* run(14)
      assert.include(
        out,
        `built on ${idOf(12)}, not on a newer one: ${idOf(13)} was complete, and has no manifest any more`
      )
      assert.include(yield* states(options), `${idOf(13)} damaged`)
      writeFileSync(path, before)
      const right = yield* type("verify", ...options, idOf(13), "--deep", "--mark")
      assert.include(right.out, "Recorded: no backup of this resource is known to be damaged\n")
      assert.deepStrictEqual(
        yield* states(options),
        [12, 13, 14].map((hour) => `${idOf(hour)} complete`)
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("of every earlier backup is why a run reads everything", () =>
    Effect.gen(function* () {
      const { manifestOf, options, run } = yield* sets
      for (const hour of [12, 13]) rmSync(manifestOf(hour))
      const { out } = yield* run(14)
      assert.include(out, `everything was read: ${idOf(12)} was complete, and has no manifest any more`)
      assert.include(yield* states(options), `${idOf(14)} complete`)
    }).pipe(Effect.provide(layer))
  )
})
