import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs"
import { join } from "node:path"
import { backupId, cluster, desk, layer, manifest, slot, type } from "./terminal.ts"

const partitions = 8

/** A backup of objects of about the same size; no run has read anything again. */
const aBackup = Effect.gen(function* () {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions })
  for (let n = 0; n < partitions; n++) yield* kafka.produce("orders", n, [{ key: "key", value: "value ".repeat(100) }])
  const { claim, options } = yield* desk(manifest("verification: { percentPerRun: 0 }"))
  const run = yield* type("run", ...options, "--slot", slot)
  assert.strictEqual(run.exitCode, 0, run.err)
  const verify = (...flags: ReadonlyArray<string>) => type("verify", ...options, backupId, ...flags)
  return { claim, options, verify, verified: join(claim, "_kafka-backup", "verified") }
})

const flip = (claim: string, partition: number) => {
  const folder = join(claim, backupId, "topics", "orders", `partition=${partition}`)
  const path = join(folder, readdirSync(folder)[0]!)
  const bytes = readFileSync(path)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(path, bytes)
}

const partitionsOf = (out: string): ReadonlyArray<number> =>
  JSON.parse(out).problems.map(({ partition }: { partition: number }) => partition)

describe("kafka-backup verify --sample", () => {
  it.live("reads a share of the bytes, and looks for the rest", () =>
    Effect.gen(function* () {
      const { claim, verified, verify } = yield* aBackup
      const found = yield* verify("--sample", "25")
      assert.strictEqual(found.exitCode, 0, found.err)
      assert.match(
        found.out,
        /^OK nightly-20261123-120000: all 8 segments \(.*\) exist with their sizes, and those that were read are correct; /
      )
      assert.match(
        found.out,
        /\nNote: [23] of 8 segments \(.* B, \d\d(\.\d)? %\) were read; the others were only looked for\n$/
      )
      const { depth, sample } = JSON.parse((yield* verify("--sample", "100", "-o", "json")).out)
      assert.deepStrictEqual([depth, sample.segments], ["sample", 8])
      for (let n = 0; n < partitions; n++) flip(claim, n)
      const [first, again] = [
        yield* verify("--sample", "25", "-o", "json"),
        yield* verify("--sample", "25", "-o", "json")
      ]
      assert.strictEqual(first.exitCode, 16)
      assert.include([2, 3], partitionsOf(first.out).length)
      assert.deepStrictEqual(partitionsOf(again.out), partitionsOf(first.out))
      assert.isFalse(existsSync(verified), "without --mark nothing is written")
      const folder = join(claim, backupId, "topics", "orders")
      rmSync(folder, { recursive: true })
      assert.strictEqual(partitionsOf((yield* verify("--sample", "1", "-o", "json")).out).length, partitions)
    }).pipe(Effect.provide(layer))
  )

  it.live("with --mark goes on where the last one ended, and records damage", () =>
    Effect.gen(function* () {
      const { claim, options, verified, verify } = yield* aBackup
      flip(claim, 5)
      const codes: Array<number> = []
      for (let n = 0; n < 4; n++) codes.push((yield* verify("--sample", "25", "--mark")).exitCode)
      assert.deepStrictEqual(codes.toSorted(), [0, 0, 0, 16])
      assert.strictEqual(
        readdirSync(verified, { encoding: "utf8", recursive: true }).filter((name) => name.endsWith(".bin")).length,
        1
      )
      const list = yield* type("list", ...options)
      assert.match(list.out, /\nnightly-20261123-120000 +damaged /)

      // What --deep read is remembered, too: all are equal again, and the next share is the front of them.
      flip(claim, 5)
      const deep = yield* verify("--deep", "--mark")
      assert.include(deep.out, "Recorded: no backup of this resource is known to be damaged\n")
      for (let n = 0; n < partitions; n++) flip(claim, n)
      const seen = new Set<number>()
      for (let n = 0; n < 4; n++) {
        for (const one of partitionsOf((yield* verify("--sample", "25", "--mark", "-o", "json")).out)) seen.add(one)
      }
      assert.strictEqual(seen.size, partitions)
    }).pipe(Effect.provide(layer))
  )

  it.live("reads first what no run has read for longest", () =>
    Effect.gen(function* () {
      const { claim, options, verify } = yield* aBackup
      const file = options[1]
      writeFileSync(file, manifest("verification: { percentPerRun: 50 }\nincremental: { enabled: true }"))
      const run = yield* type("run", ...options, "--slot", "2026-11-23T13:00:00Z")
      const { objects } = JSON.parse(run.out.trim().split("\n").at(-1)!).verification
      assert.include([4, 5], objects)
      for (let n = 0; n < partitions; n++) flip(claim, n)
      const first = partitionsOf((yield* verify("--sample", "37", "-o", "json")).out)
      assert.isAtLeast(first.length, 3)
      // A run reads the same share, and records what it finds.
      writeFileSync(file, manifest("verification: { percentPerRun: 37 }\nincremental: { enabled: true }"))
      const next = yield* type("run", ...options, "--slot", "2026-11-23T14:00:00Z")
      assert.strictEqual(next.exitCode, 0, next.err)
      const { damage } = JSON.parse((yield* type("describe", ...options, backupId, "-o", "json")).out)
      assert.deepStrictEqual(
        damage.objects.map(({ partition }: { partition: number }) => partition).toSorted(),
        first.toSorted()
      )
    }).pipe(Effect.provide(layer))
  )

  it.live("is refused together with --deep, and for what is no share", () =>
    Effect.gen(function* () {
      const { verify } = yield* aBackup
      const both = yield* verify("--sample", "5", "--deep")
      assert.deepStrictEqual([both.exitCode, both.out], [2, ""])
      assert.match(
        both.err,
        /--sample and --deep exclude each other: --deep reads everything\nwhat to do: leave out one/
      )
      for (const share of ["0", "101"]) {
        const refused = yield* verify("--sample", share)
        assert.strictEqual(refused.exitCode, 2)
        assert.match(refused.err, /--sample must be from 1 to 100/)
      }
    }).pipe(Effect.provide(layer))
  )
})

describe("A verify that reads for long", () => {
  it.live.each([
    ["--deep", true],
    ["--sample=10", true],
    ["--against-cluster", true],
    ["--mark", false]
  ] as const)("with %s is registered as a reader: %s", ([flag, isRegistered]) =>
    Effect.gen(function* () {
      const { claim, verify } = yield* aBackup
      const readers = join(claim, "_kafka-backup", "readers")
      mkdirSync(readers, { recursive: true })
      // An empty folder would be removed.
      writeFileSync(join(readers, "first"), "")
      const seen = new Set<string>()
      const watching = watch(readers, (_, name) => void seen.add(String(name)))
      const { exitCode, err } = yield* verify(flag)
      assert.strictEqual(exitCode, 0, err)
      // Its event comes after all others.
      writeFileSync(join(readers, "last"), "")
      while (!seen.has("last")) yield* Effect.sleep("5 millis")
      watching.close()
      assert.strictEqual(
        [...seen].some((name) => name.endsWith(".json")),
        isRegistered
      )
      assert.deepStrictEqual(readdirSync(readers).toSorted(), ["first", "last"])
    }).pipe(Effect.provide(layer))
  )

  it.live("does not need to write, and says nothing about it", () =>
    Effect.gen(function* () {
      const { claim, verify } = yield* aBackup
      writeFileSync(join(claim, "_kafka-backup", "readers"), "nobody can write below a file")
      const { err, exitCode } = yield* verify("--deep")
      assert.deepStrictEqual([exitCode, err], [0, ""])
    }).pipe(Effect.provide(layer))
  )
})
