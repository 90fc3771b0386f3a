import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { cluster, desk, layer, manifest, type } from "./terminal.ts"

const records = Array.from({ length: 1000 }, (_, n) => ({ key: `k${n}`, value: "x".repeat(980) }))

/** As if it were so much later. */
const later = (millis: number) =>
  Effect.updateService(Clock.Clock, (clock): Clock.Clock => {
    const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + millis
    return {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe: () => BigInt(currentTimeMillisUnsafe()) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(currentTimeMillisUnsafe()) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }
  })

describe("kafka-backup estimate", () => {
  it.live("tells what the schedule and the retention of a manifest cost", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* kafka.createTopic("orders", { partitions: 2 })
      yield* kafka.produce("orders", 0, records)
      const { options } = yield* desk(
        manifest('schedule: "0 * * * *"\ncompression: none\nretention: {backups: 24, keep: {daily: 7}}')
      )
      const json = (...more: ReadonlyArray<string>) =>
        Effect.map(type("estimate", ...options, "-o", "json", ...more), ({ err, exitCode, out }) => {
          assert.strictEqual(exitCode, 0, err)
          return JSON.parse(out)
        })

      const given = yield* json("--rate", "100")
      assert.deepInclude(given, { topics: 1, partitions: 2, intervalMillis: 3_600_000, runsPerMonth: 720 })
      assert.deepInclude(given, { newBytesPerSecond: 100, isStoredMeasured: false, isEndless: false })
      // 24 hours, of which one is of yesterday or not, and the last of the days before.
      assert.isAtLeast(given.backupsKept, 29)
      assert.isAtMost(given.backupsKept, 31)
      assert.closeTo(given.logBytes, 1_000_000, 50_000)
      // Batches say less of each record than a record stream does.
      assert.closeTo(given.fullCopies.run.kafkaBytes / given.logBytes, 0.98, 0.01)
      assert.closeTo(given.newDataOnly.run.kafkaBytes / 360_000, 0.98, 0.01)

      const looks = yield* json("--watch", "1")
      assert.deepInclude(looks, { newBytesPerSecond: 0, growthFrom: { _tag: "Looks", seconds: 1 } })

      assert.strictEqual((yield* type("run", ...options, "--slot", "2026-11-23T12:00:00Z")).exitCode, 0)
      yield* kafka.produce("orders", 0, records)
      const since = yield* json().pipe(later(1000_000))
      assert.deepStrictEqual(since.growthFrom, { _tag: "Backup", backupId: "nightly-20261123-120000" })
      assert.isTrue(since.isStoredMeasured)
      assert.closeTo(since.newBytesPerSecond, 1000, 60)

      const { out } = yield* type("estimate", ...options, "--rate", "100")
      assert.match(out, /^Topics +1, with 2 partitions$/mu)
      assert.match(out, /^New +100 B a second, as given$/mu)
      assert.match(out, /^ +FULL COPIES +NEW DATA ONLY$/mu)
      assert.match(out, /^a month +from Kafka +1\.\d+ GB +25\d MB$/mu)
    }).pipe(Effect.provide(layer))
  )

  it.live("says of a backup that is too young for growth what is measured instead", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* kafka.createTopic("orders", { partitions: 1 })
      const { options } = yield* desk(manifest('schedule: "* * * * *"\ncompression: none'))
      const json = (...more: ReadonlyArray<string>) =>
        Effect.map(type("estimate", ...options, "-o", "json", ...more), ({ out }) => JSON.parse(out))
      const run = (minute: string) => type("run", ...options, "--slot", `2026-11-23T12:${minute}:00Z`)
      yield* run("00")
      yield* kafka.produce("orders", 0, records)
      const only = yield* json().pipe(later(15_000))
      assert.deepStrictEqual(only.growthFrom, { _tag: "Backup", backupId: "nightly-20261123-120000" })
      assert.isAbove(only.newBytesPerSecond, 10_000)
      assert.match(only.notes[0], /^growth says little: nightly-20261123-120000 is only \d+s old, too young/)
      assert.strictEqual(only.backupsKept, 525_600)
      yield* run("02").pipe(later(100_000))
      const both = yield* json().pipe(later(110_000))
      assert.deepStrictEqual(both.growthFrom, { _tag: "Backup", backupId: "nightly-20261123-120000" })
      assert.match(
        both.notes[0],
        /^nightly-20261123-120200 is only \d+(\.\d)?s old, .*: growth is measured since nightly-/
      )
      const given = yield* json("--rate", "100").pipe(later(110_000))
      assert.notInclude(given.notes.join("\n"), "too young")
    }).pipe(Effect.provide(layer))
  )

  it.live.each(["none", "gzip", "snappy-xerial", "lz4", "zstd"] as const)(
    "knows what records are that producers compress with %s, before there is a backup and after",
    (codec) =>
      Effect.gen(function* () {
        const kafka = yield* cluster
        yield* kafka.createTopic("orders", { partitions: 1 })
        // They shrink to a tenth and less, as those of no reference do.
        for (let n = 0; n < 10; n++) yield* kafka.produce("orders", 0, records.slice(n * 100, n * 100 + 100), { codec })
        const { options } = yield* desk(manifest('schedule: "0 * * * *"'))
        const estimated = Effect.map(type("estimate", ...options, "-o", "json", "--rate", "100"), ({ out }) =>
          JSON.parse(out)
        )
        const before = yield* estimated
        assert.strictEqual((yield* type("run", ...options, "--slot", "2026-11-23T12:00:00Z")).exitCode, 0)
        const after = yield* estimated
        assert.closeTo(before.logBytes / after.logBytes, 1, 0.01)
        assert.closeTo(before.fullCopies.run.kafkaBytes / after.fullCopies.run.kafkaBytes, 1, 0.01)
        const isSmall = before.fullCopies.run.kafkaBytes < before.logBytes / 10
        assert.strictEqual(isSmall, codec !== "none")
      }).pipe(Effect.provide(layer))
  )

  it.live.each(["none", "gzip", "zstd"] as const)(
    "knows what batches take that producers compress with %s, before there is a backup and after",
    (codec) =>
      Effect.gen(function* () {
        const kafka = yield* cluster
        yield* kafka.createTopic("orders", { partitions: 1 })
        for (let n = 0; n < 10; n++) yield* kafka.produce("orders", 0, records.slice(n * 100, n * 100 + 100), { codec })
        const { options } = yield* desk(manifest('schedule: "0 * * * *"\ncompression: none\nformat: batches'))
        const estimated = Effect.map(type("estimate", ...options, "-o", "json", "--rate", "100"), ({ out }) =>
          JSON.parse(out)
        )
        const before = yield* estimated
        assert.strictEqual((yield* type("run", ...options, "--slot", "2026-11-23T12:00:00Z")).exitCode, 0)
        const after = yield* estimated
        assert.isTrue(after.isStoredMeasured)
        assert.closeTo(before.logBytes / after.logBytes, 1, 0.01)
        assert.closeTo(before.storedPerByte / after.storedPerByte, 1, 0.05)
        // What batches take says nothing of what records take.
        const file = options[1]
        writeFileSync(file, readFileSync(file, "utf8").replace("format: batches", "format: records"))
        const other = yield* estimated
        assert.isFalse(other.isStoredMeasured)
        assert.strictEqual(other.storedPerByte, 1)
      }).pipe(Effect.provide(layer))
  )

  it.live("says of a backup that several pods make whose speed it is", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* kafka.createTopic("orders", { partitions: 1 })
      const noteOf = Effect.fnUntraced(function* (parallelism: number) {
        const { options } = yield* desk(manifest(`job: {parallelism: ${parallelism}}`))
        const { out } = yield* type("estimate", ...options, "--rate", "1")
        return /^Note: the speed .*$/mu.exec(out)?.[0]
      })
      assert.isUndefined(yield* noteOf(1))
      assert.match((yield* noteOf(3)) ?? "", /for one pod alone; with spec\.job\.parallelism: 3 each pod has/u)
    }).pipe(Effect.provide(layer))
  )

  it.live("goes on without storage, says so, and refuses what is no rate", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* kafka.createTopic("orders", { partitions: 1 })
      const { options } = yield* desk(manifest())
      for (const rate of ["0", "many"])
        assert.strictEqual((yield* type("estimate", ...options, "--rate", rate)).exitCode, 2)
      const elsewhere = ["-f", options[1], "--volumes", `${options[3]}/none`]
      const { exitCode, out } = yield* type("estimate", ...elsewhere, "--rate", "1")
      assert.strictEqual(exitCode, 0)
      assert.match(out, /^Note: storage was not asked for backups: /mu)
      assert.match(out, /^Runs +one: there is no schedule$/mu)
    }).pipe(Effect.provide(layer))
  )
})
