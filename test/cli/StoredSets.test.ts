import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as DemoCluster from "../../src/cli/demo/DemoCluster.ts"
import * as StandardOutput from "../../src/cli/StandardOutput.ts"
import type { RecordToProduce } from "../../src/kafka/memory/InMemoryCluster.ts"
import { backupId, cluster, desk, jsonLines, layer, manifest, Reading, slot, type } from "./terminal.ts"

/** One set of the demo's topics. */
const aSet = Effect.fnUntraced(function* (text?: string) {
  const kafka = yield* cluster
  yield* DemoCluster.fill(kafka)
  const { claim, options } = yield* desk(text)
  const { err, exitCode } = yield* type("run", ...options, "--slot", slot)
  assert.strictEqual(exitCode, 0, err)
  const segment = (topic: string, partition: number, which = 0) => {
    const folder = join(claim, backupId, "topics", topic, `partition=${partition}`)
    return join(folder, readdirSync(folder).sort()[which]!)
  }
  return { kafka, claim, options, segment }
})

/** Flips one bit in the middle of the file. */
const damage = (file: string) => {
  const bytes = readFileSync(file)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(file, bytes)
}

describe("kafka-backup list and describe", () => {
  it.live("show complete and unfinished backups, in columns and as JSON", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* aSet()
      mkdirSync(join(claim, "nightly-20261124-120000"))
      writeFileSync(
        join(claim, "nightly-20261124-120000", "claim.json"),
        readFileSync(join(claim, backupId, "claim.json"))
      )
      const text = yield* type("list", ...options)
      const [heading, complete, unfinished] = text.out.split("\n")
      assert.match(heading!, /^BACKUP +STATE +CREATED +TOPICS +RECORDS +SIZE +NEW +GAPS +OWNER$/)
      assert.match(
        complete!,
        /^nightly-20261123-120000 +complete +\d{4}-\S+Z +4 +100,216 +1\.\d\d MB +1\.\d\d MB +0 +nightly$/
      )
      assert.match(unfinished!, /^nightly-20261124-120000 +unfinished$/)
      const json = JSON.parse((yield* type("list", ...options, "-o", "json")).out)
      assert.deepStrictEqual(
        json.map((entry: any) => [entry.backupId, entry.state, entry.records]),
        [
          [backupId, "complete", 100_216],
          ["nightly-20261124-120000", "unfinished", undefined]
        ]
      )
      // A long explanation has a line of its own, so that the columns stay narrow.
      for (const file of ["manifest.json", "kb-meta.json"]) writeFileSync(join(claim, backupId, file), "{")
      const [, unreadable, , why] = (yield* type("list", ...options)).out.split("\n")
      assert.match(unreadable!, /^nightly-20261123-120000 +unreadable$/)
      assert.match(why!, /^nightly-20261123-120000 is unreadable: \S/)
    }).pipe(Effect.provide(layer))
  )

  it.live("show every partition of a backup, empty ones and those that an open transaction holds back", () =>
    Effect.gen(function* () {
      const { options } = yield* aSet()
      const { out } = yield* type("describe", ...options, backupId)
      assert.match(out, /\nSlot +2026-11-23T12:00:00Z\n/)
      assert.match(out, /\nevents-empty +2 +empty +0 +0 +0 B\n/)
      assert.match(out, /\norders +3 +0-24999 +25,000 +1 +3\d\d kB\n/)
      assert.match(out, /\npayments +0 +0-19 +8 +1 +\d+ B +an open transaction holds back offset 20\n/)
      assert.match(
        out,
        /\nA restore with the old offsets needs more than the records, which are .* before compression:\n/
      )
      assert.match(out, /\npayments +0 +24 +0\.1 s +1\.87 kB\n?/)
      const described = JSON.parse((yield* type("describe", ...options, backupId, "-o", "json")).out)
      const { manifest: index, facts, restore } = described
      const payments = restore.topics.find(({ topic }: { readonly topic: string }) => topic === "payments")
      assert.deepInclude(payments, { fillerOffsets: 0, holes: 24, bytes: 1872, configurationsLeftOut: [] })
      assert.deepStrictEqual([index.backup_id, facts.totals.records], [backupId, 100_216])
    }).pipe(Effect.provide(layer))
  )

  it.live("show where the log began, and export nothing that Kafka had deleted before", () =>
    Effect.gen(function* () {
      const { kafka, options } = yield* aSet(manifest("incremental: { enabled: true }"))
      yield* kafka.deleteRecordsBefore("orders", 3, 100)
      const second = yield* type("run", ...options, "--slot", "2026-11-23T13:00:00Z")
      assert.strictEqual(second.exitCode, 0, second.err)
      const built = "nightly-20261123-130000"
      const { out } = yield* type("describe", ...options, built)
      assert.match(out, /\norders +3 +0-24999 +.*the log began at offset 100: a restore leaves out offsets 0-99\n/)
      const flags = ["-t", "orders", "--partition", "3", "--until", "102"]
      const exported = yield* type("export", ...options, built, ...flags)
      assert.deepStrictEqual(
        jsonLines(exported.out).map(({ offset }) => offset),
        [100, 101]
      )
      const before = yield* type("export", ...options, backupId, ...flags)
      assert.strictEqual(jsonLines(before.out).length, 102)
    }).pipe(Effect.provide(layer))
  )

  it.live("exit with 17 for a missing or unfinished backup, and say what to do", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* aSet()
      const wrong = yield* type("describe", ...options, "nightly-2026")
      assert.deepStrictEqual([wrong.exitCode, wrong.out], [17, ""])
      assert.match(
        wrong.err,
        /there is no backup nightly-2026 in directory .*\nwhat to do: list the backups with: kafka-backup list/
      )
      const near = yield* type("describe", ...options, backupId.slice(0, -1))
      assert.include(near.err, `; did you mean ${backupId}? The newest there: ${backupId}`)
      rmSync(join(claim, backupId, "manifest.json"))
      assert.notInclude((yield* type("describe", ...options, backupId.slice(0, -1))).err, "did you mean")
      const lost = yield* type("verify", ...options, backupId)
      assert.match(lost.err, /SetIncomplete: nightly-\S+ was complete, and has no manifest any more/)
      // Without the index nobody knows that it was complete.
      rmSync(join(claim, "_kafka-backup", "index"), { recursive: true })
      const unfinished = yield* type("verify", ...options, backupId)
      assert.deepStrictEqual([lost.exitCode, unfinished.exitCode], [17, 17])
      assert.match(unfinished.err, /is not a backup: its run has not finished/)
    }).pipe(Effect.provide(layer))
  )
})

describe("kafka-backup verify", () => {
  it.live("exits with 0 for an intact backup, and with --deep counts the records", () =>
    Effect.gen(function* () {
      const { options } = yield* aSet()
      const quick = yield* type("verify", ...options, backupId)
      assert.strictEqual(quick.exitCode, 0)
      assert.match(quick.out, /^OK nightly-20261123-120000: all 7 segments \(.*\) exist with their sizes; --deep/)
      const deep = yield* type("verify", ...options, backupId, "--deep", "-o", "json")
      const { depth, problems, records } = JSON.parse(deep.out)
      assert.deepStrictEqual([deep.exitCode, depth, problems, records], [0, "records", [], 100_216])
    }).pipe(Effect.provide(layer))
  )

  it.live("exits with 16 for a damaged backup and names topic, partition and offsets", () =>
    Effect.gen(function* () {
      const { options, segment } = yield* aSet()
      damage(segment("orders", 2))
      assert.strictEqual((yield* type("verify", ...options, backupId)).exitCode, 0)
      const deep = yield* type("verify", ...options, backupId, "--deep")
      assert.strictEqual(deep.exitCode, 16)
      assert.match(
        deep.out,
        /^DAMAGED orders\[2\] offsets 0-24999: \S+\/orders\/partition=2\/segment-0+-000001\.bin\.zst /
      )
      assert.match(
        deep.err,
        /^error: VerificationFailed: nightly-20261123-120000 is damaged: \d problems?\nwhat to do: make a new backup now, while Kafka has/
      )
      truncateSync(segment("payments", 1), 20)
      const quick = yield* type("verify", ...options, backupId, "-o", "json")
      assert.strictEqual(quick.exitCode, 16)
      assert.deepStrictEqual(
        JSON.parse(quick.out).problems.map((p: any) => [p.topic, p.partition, p.firstOffset]),
        [["payments", 1, 0]]
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("kafka-backup export", () => {
  const bytes = (hex: string) => Buffer.from(hex, "hex")
  const awkward: ReadonlyArray<RecordToProduce> = [
    { key: null, value: null, timestamp: 0 },
    { key: "", value: "", timestamp: 1 },
    { key: bytes("ff00"), value: bytes("c3"), timestamp: 1_795_000_000_123 },
    { key: "schlüssel", value: 'line\nbreak "quoted" \u0000 \u2028 🎒', timestamp: Number.MAX_SAFE_INTEGER },
    {
      key: "headers",
      value: "in order",
      timestamp: 5,
      headers: [
        ["dup", "2"],
        ["dup", "1"],
        ["dup", null],
        ["", ""],
        [bytes("fe"), bytes("fd")]
      ]
    }
  ]

  const field = (name: string, given: string | Buffer | null | undefined) => {
    if (given === null || given === undefined) return { [name]: null }
    const text = given.toString()
    return typeof given === "string" || Buffer.from(text).equals(given)
      ? { [name]: text }
      : { [`${name}Base64`]: given.toString("base64") }
  }

  it.live("keeps everything in JSON lines: null and empty, bytes, header order, timestamps", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* kafka.createTopic("awkward", { partitions: 1 })
      yield* kafka.produce("awkward", 0, awkward)
      const { options } = yield* desk(manifest("includeOffsetHeaders: true\nsourceClusterId: east"))
      yield* type("run", ...options, "--slot", slot)
      const exported = yield* type("export", ...options, backupId, "--topic", "awkward")
      assert.strictEqual(exported.exitCode, 0)
      assert.deepStrictEqual(
        jsonLines(exported.out),
        awkward.map((record, offset) => ({
          topic: "awkward",
          partition: 0,
          offset,
          timestamp: record.timestamp,
          ...field("key", record.key),
          ...field("value", record.value),
          headers: (record.headers ?? []).map(([key, value]) => ({ ...field("key", key), ...field("value", value) }))
        }))
      )
      const stored = jsonLines((yield* type("export", ...options, backupId, "-t", "awkward", "--stored-headers")).out)
      assert.isAbove(stored[0].headers.length, 0)
      assert.isTrue(stored.every(({ headers }) => headers.some((header: any) => /offset/.test(header.key))))
      const text = (yield* type("export", ...options, backupId, "-t", "awkward", "-o", "text")).out
      assert.strictEqual(text.trimEnd().split("\n").length, awkward.length)
    }).pipe(Effect.provide(layer))
  )

  it.live("prints the requested offsets and partitions, and no others", () =>
    Effect.gen(function* () {
      const { options } = yield* aSet()
      const places = (out: string) => jsonLines(out).map(({ offset, partition }) => `${partition}@${offset}`)
      const of = (...flags: ReadonlyArray<string>) =>
        Effect.map(type("export", ...options, backupId, "-t", "orders", ...flags), ({ out }) => places(out))
      assert.deepStrictEqual(yield* of("--partition", "1", "--from", "24998"), ["1@24998", "1@24999"])
      assert.deepStrictEqual(yield* of("--until", "1"), ["0@0", "1@0", "2@0", "3@0"])
      assert.deepStrictEqual(yield* of("--partition", "3", "--from", "7", "--until", "9"), ["3@7", "3@8"])
      assert.deepStrictEqual(yield* of("--from", "25000"), [])
      const empty = yield* type("export", ...options, backupId, "-t", "events-empty")
      assert.deepStrictEqual([empty.exitCode, empty.out], [0, ""])
    }).pipe(Effect.provide(layer))
  )

  it.live("refuses missing topics and partitions and empty ranges, each with its exit code", () =>
    Effect.gen(function* () {
      const { options } = yield* aSet()
      const topic = yield* type("export", ...options, backupId, "-t", "oders")
      assert.strictEqual(topic.exitCode, 17)
      assert.match(topic.err, /choose one of its topics: customers, events-empty, orders, payments/)
      assert.strictEqual((yield* type("export", ...options, backupId, "-t", "orders", "--partition", "4")).exitCode, 17)
      const backwards = yield* type("export", ...options, backupId, "-t", "orders", "--from", "5", "--until", "5")
      assert.strictEqual(backwards.exitCode, 2)
      assert.match(backwards.err, /give --until 6 to print offset 5 alone/)
      assert.strictEqual((yield* type("export", ...options, backupId, "-t", "orders", "--from", "-1")).exitCode, 2)
    }).pipe(Effect.provide(layer))
  )

  it.live("exits with 14 for a segment whose format is unknown, as verify --deep does, and says what may read it", () =>
    Effect.gen(function* () {
      const { claim, options, segment } = yield* aSet()
      const [old, index] = [segment("payments", 0), join(claim, backupId, "manifest.json")]
      const renamed = (text: string) => text.replace(/(payments\/partition=0\/segment-[\d-]+)\.bin\.zst/, "$1.avro")
      renameSync(old, renamed(old))
      // As another tool would write it: without a seal, a claim and facts.
      const { kb_documents: _documents, ...foreign } = JSON.parse(renamed(readFileSync(index, "utf8")))
      writeFileSync(index, JSON.stringify(foreign))
      for (const name of ["claim.json", "kb-meta.json"]) rmSync(join(claim, backupId, name))
      assert.strictEqual((yield* type("verify", ...options, backupId)).exitCode, 0)
      const exported = yield* type("export", ...options, backupId, "-t", "payments", "--partition", "0")
      const verified = yield* type("verify", ...options, backupId, "--deep")
      for (const { err, exitCode, out } of [exported, verified]) {
        assert.deepStrictEqual([exitCode, out], [14, ""])
        assert.match(
          err,
          /payments\/partition=0\/segment-\S+\.avro has an unknown format: its name ends in \.avro; known/
        )
        assert.match(err, /\nwhat to do: it was written by a newer version or by another tool: /)
        assert.notInclude(err, "damaged")
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("prints no records of another topic's segment, and exits with 16", () =>
    Effect.gen(function* () {
      const { options, segment } = yield* aSet()
      writeFileSync(segment("orders", 1), readFileSync(segment("orders", 0)))
      const swapped = yield* type("export", ...options, backupId, "-t", "orders", "--partition", "1")
      assert.deepStrictEqual([swapped.exitCode, swapped.out], [16, ""])
      assert.match(swapped.err, /orders\/partition=1\/segment-.* the manifest says/)
    }).pipe(Effect.provide(layer))
  )

  it.live("prints nothing of a damaged or missing segment, and exits with 16", () =>
    Effect.gen(function* () {
      const { options, segment } = yield* aSet()
      damage(segment("orders", 1))
      const { err, exitCode, out } = yield* type("export", ...options, backupId, "-t", "orders")
      assert.strictEqual(exitCode, 16)
      assert.deepStrictEqual([...new Set(jsonLines(out).map(({ partition }) => partition))], [0])
      assert.match(err, /^error: SegmentDamaged: .*orders\/partition=1\/segment-.*orders\[1\] offsets 0-24999/)
      assert.match(err, /\nwhat to do: make a new backup now, if .*; else export what is whole with --partition/)
      assert.notInclude(err, "restore")
      rmSync(segment("orders", 1))
      const missing = yield* type("export", ...options, backupId, "-t", "orders", "--partition", "1")
      assert.deepStrictEqual([missing.exitCode, missing.out], [16, ""])
      assert.match(missing.err, /does not exist \(orders\[1\] offsets 0-24999\)/)
    }).pipe(Effect.provide(layer))
  )

  it.live("ends quietly when its reader leaves, and with 14 when the disk of its output is full", () =>
    Effect.gen(function* () {
      const { options } = yield* aSet()
      const ending = (code: string) => {
        const gone = new StandardOutput.OutputEnded({ code, detail: code })
        let taken = 0
        const reading = Effect.suspend(() => (++taken > 2 ? Effect.fail(gone) : Effect.void))
        return type("export", ...options, backupId, "-t", "orders").pipe(
          Effect.provideService(Reading, reading),
          Effect.map(({ err, exitCode }) => ({ exitCode, err, taken }))
        )
      }
      assert.deepStrictEqual(yield* ending("EPIPE"), { exitCode: 0, err: "", taken: 3 })
      const full = yield* ending("ENOSPC")
      assert.strictEqual(full.exitCode, 14)
      assert.match(full.err, /standard output: ENOSPC/)
    }).pipe(Effect.provide(layer))
  )
})
