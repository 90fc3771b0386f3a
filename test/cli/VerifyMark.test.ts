import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { backupId, cluster, desk, layer, manifest, type } from "./terminal.ts"

const later = "nightly-20261123-130000"
const last = "nightly-20261123-140000"

/** A backup, one that builds on it, and a full one. */
const sets = Effect.gen(function* () {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 2 })
  const produce = (n: number) =>
    Effect.forEach([0, 1], (partition) => kafka.produce("orders", partition, [{ key: `${n}`, value: `value ${n}` }]))
  const { claim, file, options } = yield* desk(manifest("incremental: { enabled: true }"))
  for (const [n, hour] of [12, 13].entries()) {
    yield* produce(n)
    const run = yield* type("run", ...options, "--slot", `2026-11-23T${hour}:00:00Z`)
    assert.strictEqual(run.exitCode, 0, run.err)
  }
  writeFileSync(file, manifest("incremental: { enabled: false }"))
  yield* produce(3)
  const full = yield* type("run", ...options, "--slot", "2026-11-23T14:00:00Z")
  assert.strictEqual(full.exitCode, 0, full.err)
  const folder = join(claim, backupId, "topics", "orders", "partition=1")
  return { claim, file, options, segment: join(folder, readdirSync(folder)[0]!) }
})

const flip = (path: string) => {
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(path, bytes)
}

const states = Effect.fnUntraced(function* (options: ReadonlyArray<string>) {
  const { out } = yield* type("list", ...options, "-o", "json")
  return JSON.parse(out).map(({ backupId, state }: any) => `${backupId} ${state}`)
})

describe("kafka-backup verify --mark", () => {
  it.live(
    "records damage in every backup that needs the object: list and describe show it until it is right again",
    () =>
      Effect.gen(function* () {
        const { options, segment } = yield* sets
        flip(segment)
        const plain = yield* type("verify", ...options, backupId, "--deep")
        assert.strictEqual(plain.exitCode, 16)
        assert.include(plain.out, `Damaged as well, because they name the same objects: ${later}\n`)
        assert.match(plain.out, /\nNote: verify nightly-20261123-120000 --deep --mark records the damage/)
        assert.deepStrictEqual(yield* states(options), [
          `${backupId} complete`,
          `${later} complete`,
          `${last} complete`
        ])

        const marked = yield* type("verify", ...options, later, "--deep", "--mark")
        assert.strictEqual(marked.exitCode, 16)
        assert.include(marked.out, `Recorded: known to be damaged are now ${backupId}, ${later}\n`)
        assert.deepStrictEqual(yield* states(options), [`${backupId} damaged`, `${later} damaged`, `${last} complete`])
        const list = yield* type("list", ...options)
        assert.match(list.out, /\nnightly-20261123-120000 +damaged +2026/)
        assert.match(list.out, /\nnightly-20261123-130000 is damaged since \S+Z: orders\[1\] offsets 0-0: /)
        assert.include(list.out, `\nNewest without known damage: ${last}; describe of a damaged one says`)

        const described = yield* type("describe", ...options, later)
        assert.match(
          described.out,
          /\nDAMAGED +PARTITION +OFFSETS +SINCE +WHOLE IN +OBJECT\norders +1 +0-0 +\S+Z +nightly-20261123-140000 +nightly-20261123-120000\/topics/
        )
        assert.include(described.out, `\nEverything that is damaged here is whole in ${last}\n`)
        const { damage } = JSON.parse((yield* type("describe", ...options, later, "-o", "json")).out)
        assert.deepStrictEqual(
          damage.objects.map(({ lastOffset, partition, wholeIn }: any) => [partition, lastOffset, wholeIn]),
          [[1, 0, last]]
        )

        flip(segment)
        const quick = yield* type("verify", ...options, later, "--mark")
        assert.strictEqual(quick.exitCode, 0)
        assert.include(quick.out, "Recorded: known to be damaged are now", "sizes do not prove the bytes")
        const right = yield* type("verify", ...options, later, "--deep", "--mark")
        assert.strictEqual(right.exitCode, 0)
        assert.include(right.out, "Recorded: no backup of this resource is known to be damaged\n")
        assert.deepStrictEqual(yield* states(options), [
          `${backupId} complete`,
          `${later} complete`,
          `${last} complete`
        ])
        assert.notInclude((yield* type("describe", ...options, later)).out, "DAMAGED")
      }).pipe(Effect.provide(layer))
  )

  it.live("says of a missing object which other backups need it, and of none that is whole", () =>
    Effect.gen(function* () {
      const { options, segment } = yield* sets
      rmSync(segment)
      const both = yield* type("verify", ...options, later, "--against-cluster")
      assert.match(both.out, /\nNote: nothing was compared with Kafka, because the backup is damaged\n$/)
      const { exitCode, out } = yield* type("verify", ...options, later, "-o", "json")
      const { alsoDamaged, problems } = JSON.parse(out)
      assert.deepStrictEqual([exitCode, alsoDamaged, problems.length], [16, [backupId], 1])
      const whole = yield* type("verify", ...options, last)
      assert.deepStrictEqual([whole.exitCode, whole.out.split("\n").length], [0, 2])
    }).pipe(Effect.provide(layer))
  )

  it.live("records nothing against objects where only a manifest was altered, and says what is wrong", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* sets
      const path = join(claim, later, "manifest.json")
      const before = readFileSync(path, "utf8")
      const altered = (digit: string) => (digit === "0" ? "1" : "0")
      writeFileSync(
        path,
        before.replace(/"sha256":"([0-9a-f])/u, (_all, digit) => `"sha256":"${altered(digit)}`)
      )
      const { exitCode, out } = yield* type("verify", ...options, later, "--deep", "--mark")
      assert.strictEqual(exitCode, 16)
      assert.include(out, `Recorded: known to be damaged are now ${later}\n`)
      assert.include(
        out,
        `Note: ${later}/manifest.json is not the one that was committed: it was changed. By this manifest nothing is ` +
          `recorded of objects, and no other backup needs it: put the right manifest.json back, and repeat this command\n`
      )
      assert.deepStrictEqual(yield* states(options), [`${backupId} complete`, `${later} damaged`, `${last} complete`])
    }).pipe(Effect.provide(layer))
  )

  it.live("does not say that no backup is damaged where a document is", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* sets
      writeFileSync(join(claim, later, "claim.json"), "{}")
      const { exitCode, out } = yield* type("verify", ...options, later, "--deep", "--mark")
      assert.strictEqual(exitCode, 16)
      assert.include(out, "Recorded: no object of a backup of this resource is known to be damaged\n")
      assert.include(out, `${later} is damaged in its own documents, which no other backup needs: ${later}/claim.json`)
    }).pipe(Effect.provide(layer))
  )

  it.live("is refused for the backup of another resource or tool, before anything is read", () =>
    Effect.gen(function* () {
      const { claim, file, options } = yield* sets
      writeFileSync(file, manifest("", "other"))
      const other = yield* type("verify", ...options, backupId, "--mark")
      assert.deepStrictEqual([other.exitCode, other.out], [2, ""])
      assert.match(
        other.err,
        /nightly-20261123-120000 is no backup of other, .*: another resource made it\nwhat to do: /
      )
      writeFileSync(file, manifest())
      const index = join(claim, last, "manifest.json")
      const { kb_documents: _documents, ...foreign } = JSON.parse(readFileSync(index, "utf8"))
      writeFileSync(index, JSON.stringify(foreign))
      for (const name of ["claim.json", "kb-meta.json"]) rmSync(join(claim, last, name))
      const tool = yield* type("verify", ...options, last, "--deep", "--mark")
      assert.strictEqual(tool.exitCode, 2)
      assert.match(tool.err, /another tool made it/)
    }).pipe(Effect.provide(layer))
  )

  it.live(
    "shows a backup that has lost its manifest as damaged, and since when once a run has noticed; prune does not forget it",
    () =>
      Effect.gen(function* () {
        const { claim, file, options } = yield* sets
        writeFileSync(file, manifest("verification: { percentPerRun: 100 }"))
        rmSync(join(claim, later, "manifest.json"))
        assert.include(yield* states(options), `${later} damaged`)
        const run = yield* type("run", ...options, "--slot", "2026-11-23T15:00:00Z")
        assert.strictEqual(run.exitCode, 0, run.err)
        assert.strictEqual((yield* type("prune", ...options, "--keep", "9")).exitCode, 0)
        assert.include(yield* states(options), `${later} damaged`)
        const { out } = yield* type("list", ...options)
        assert.match(out, new RegExp(`${later} is damaged since \\S+: ${later} has no manifest any more`))
      }).pipe(Effect.provide(layer))
  )

  it.live("shows what retention noticed when it compared the backups with storage", () =>
    Effect.gen(function* () {
      const { options, segment } = yield* sets
      const content = readFileSync(segment)
      rmSync(segment)
      const prune = type("prune", ...options, "--keep", "2")
      const dry = yield* type("prune", ...options, "--keep", "2", "--dry-run")
      assert.include(dry.out, `would keep ${later} (damaged: stays as a whole one would`)
      assert.notMatch(dry.out, /^would keep \S+$/mu)
      const pruned = yield* prune
      assert.strictEqual(pruned.exitCode, 0, pruned.err)
      assert.deepStrictEqual(yield* states(options), [`${backupId} damaged`, `${later} damaged`, `${last} complete`])
      assert.match(
        (yield* type("describe", ...options, later)).out,
        /\nDamaged since \S+Z: \S+segment\S+ is not there\n/
      )
      writeFileSync(segment, content)
      yield* prune
      assert.deepStrictEqual(yield* states(options), [`${backupId} retired`, `${later} complete`, `${last} complete`])
    }).pipe(Effect.provide(layer))
  )
})

describe("kafka-backup verify --against-cluster", () => {
  it.live("says of each partition what was compared, and exits with 16 where Kafka has other records", () =>
    Effect.gen(function* () {
      const { options } = yield* sets
      const kafka = yield* cluster
      yield* kafka.deleteRecordsBefore("orders", 0, 1)
      const same = yield* type("verify", ...options, last, "--against-cluster")
      assert.strictEqual(same.exitCode, 0, same.err)
      assert.match(
        same.out,
        /^OK nightly-20261123-140000: 5 records of it are equal in Kafka; the backup has 1 record that Kafka does not have any more\nIn storage: all 2 segments/
      )
      assert.match(
        same.out,
        /\norders +0 +offsets 1-2 +2 +1 +0 +Kafka has deleted offset 0\norders +1 +offsets 0-2 +3 +0 +0\n/
      )
      // An unclean election explains what is other behind it.
      yield* kafka.truncate("orders", 1, 2)
      yield* kafka.produce("orders", 1, [{ key: "x", value: "another" }])
      const explained = yield* type("verify", ...options, last, "--against-cluster", "-o", "json")
      const { cluster: compared } = JSON.parse(explained.out)
      assert.strictEqual(explained.exitCode, 0)
      assert.deepInclude(compared[1], { topic: "orders", partition: 1, from: 0, until: 2, equal: 2, differing: 0 })
      // A record that is gone from the middle of a topic that is not compacted is a difference.
      for (const value of ["first", "second"]) yield* kafka.produce("orders", 0, [{ key: "same", value }])
      const run = yield* type("run", ...options, "--slot", "2026-11-23T15:00:00Z")
      assert.strictEqual(run.exitCode, 0, run.err)
      yield* kafka.compact("orders", 0, { until: 5 })
      const differs = yield* type("verify", ...options, "nightly-20261123-150000", "--against-cluster")
      assert.strictEqual(differs.exitCode, 16, differs.out)
      assert.match(
        differs.out,
        /\nDIFFERENT orders\[0\] offset \d: the backup has records at offsets \d-\d, and Kafka has none/
      )
      assert.match(differs.err, /ClusterDiffers: nightly-20261123-150000 differs from the topics in Kafka: orders\[0\]/)
    }).pipe(Effect.provide(layer))
  )

  it.live("is no OK where Kafka has none of the records", () =>
    Effect.gen(function* () {
      const { options } = yield* sets
      yield* (yield* cluster).deleteTopic("orders")
      const gone = yield* type("verify", ...options, last, "--against-cluster")
      assert.strictEqual(gone.exitCode, 17, gone.out)
      assert.match(
        gone.out,
        /^NOT COMPARED nightly-20261123-140000: no record of it could be compared with Kafka; the backup has 6 records that Kafka does not have any more\nIn storage: all/
      )
      assert.match(gone.out, /\norders +0 +nothing +0 +3 +0 +topic orders no longer exists\n/)
      assert.match(gone.err, /NothingToCompare: none of the 6 records of nightly-20261123-140000 could be compared/)
      const { cluster: compared, exitCode } = JSON.parse(
        (yield* type("verify", ...options, last, "--against-cluster", "-o", "json")).out
      )
      assert.deepStrictEqual(
        [exitCode, compared.map(({ equal, removed }: any) => [equal, removed])],
        [
          undefined,
          [
            [0, 3],
            [0, 3]
          ]
        ]
      )
    }).pipe(Effect.provide(layer))
  )
})
