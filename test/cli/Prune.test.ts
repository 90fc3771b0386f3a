import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import * as ByReference from "../backup/byReference.ts"
import { cluster, desk, layer, manifest, type } from "./terminal.ts"

const id = (hour: number) => `nightly-20261123-${String(hour).padStart(2, "0")}0000`

/** Three full backups of `nightly` and one of `other`, on one claim. */
const sets = Effect.fnUntraced(function* (more?: string) {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 1 })
  yield* kafka.produce("orders", 0, [{ key: "k", value: "v" }])
  const { claim, file, options } = yield* desk(manifest("incremental: {enabled: false}"))
  for (const hour of [1, 2, 3]) {
    const slot = `2026-11-23T0${hour}:00:00Z`
    assert.strictEqual((yield* type("run", ...options, "--slot", slot)).exitCode, 0)
  }
  writeFileSync(file, manifest("", "other"))
  assert.strictEqual((yield* type("run", ...options, "--slot", "2026-11-23T00:00:00Z")).exitCode, 0)
  writeFileSync(file, manifest(more))
  const stored = () => readdirSync(claim).filter((name) => /-\d{8}-\d{6}$/.test(name))
  return { claim, options, stored }
})

/** Without how many bytes a whole backup frees. */
const freesSome = (out: string): string => out.replaceAll(/frees \d[\d.]* k?B$/gmu, "frees some")
const freedSome = (out: string): string => out.replaceAll(/freed \d[\d.]* k?B$/gmu, "freed some")

describe("kafka-backup prune", () => {
  it.live("keeps as many backups as the manifest says, and only lists them with --dry-run", () =>
    Effect.gen(function* () {
      const { options, stored } = yield* sets("retention: {backups: 1}")
      const dry = yield* type("prune", ...options, "--dry-run")
      assert.deepStrictEqual(
        [dry.exitCode, freesSome(dry.out)],
        [
          0,
          `would keep ${id(3)} (newest, backups)\nwould remove ${id(1)}: frees some\nwould remove ${id(2)}: frees some\n`
        ]
      )
      assert.lengthOf(stored(), 4)
      const done = yield* type("prune", ...options, "-o", "json")
      const { space, ...said } = JSON.parse(done.out)
      assert.deepStrictEqual(
        space.map(({ freedBytes: _bytes, ...folder }: { readonly freedBytes: number }) => folder),
        [id(1), id(2)].map((backupId) => ({ backupId, isRetired: false, keptBytes: 0, neededBy: [] }))
      )
      assert.deepStrictEqual(said, {
        dryRun: false,
        locked: [],
        kept: [id(3)],
        keptBy: { [id(3)]: ["newest", "backups"] },
        damaged: [],
        removed: [id(1), id(2)],
        heldBack: [],
        notes: []
      })
      assert.deepStrictEqual(stored(), [id(3), "other-20261123-000000"])
      assert.strictEqual((yield* type("verify", ...options, id(3), "--deep")).exitCode, 0)
    }).pipe(Effect.provide(layer))
  )

  it.live("leaves snapshots of consumer offsets alone, whatever it removes, and counts them as no damage", () =>
    Effect.gen(function* () {
      const { claim, options, stored } = yield* sets()
      const folder = join(claim, "_kafka-backup", "offset-snapshots")
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, "before-1.json"), "{}")
      const verified = yield* type("verify", ...options, id(3), "--deep")
      assert.strictEqual(verified.exitCode, 0, verified.err)
      assert.notInclude((yield* type("list", ...options)).out, "offset-snapshots")
      assert.strictEqual((yield* type("prune", ...options, "--keep", "1")).exitCode, 0)
      assert.strictEqual((yield* type("prune", ...options, "--all", "--confirm", "nightly")).exitCode, 0)
      assert.deepStrictEqual(stored(), ["other-20261123-000000"])
      assert.deepStrictEqual(readdirSync(folder), ["before-1.json"])
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps --keep instead, refuses 0, and needs one of the two", () =>
    Effect.gen(function* () {
      const { options, stored } = yield* sets()
      const without = yield* type("prune", ...options)
      assert.strictEqual(without.exitCode, 2)
      assert.match(without.err, /spec\.retention has no rule\nwhat to do: .*--keep N/)
      const none = yield* type("prune", ...options, "--keep", "0")
      assert.strictEqual(none.exitCode, 2)
      assert.match(none.err, /--keep.*the newest successful backup always stays/)
      assert.lengthOf(stored(), 4)
      assert.strictEqual((yield* type("prune", ...options, "--keep", "2")).exitCode, 0)
      assert.deepStrictEqual(stored(), [id(2), id(3), "other-20261123-000000"])
    }).pipe(Effect.provide(layer))
  )

  it.live("keeps by age and by periods, as the manifest or the options say, and names the rules", () =>
    Effect.gen(function* () {
      const { options, stored } = yield* sets("retention: {keep: {daily: 1, hourly: 2}}")
      const dry = yield* type("prune", ...options, "--dry-run")
      assert.deepStrictEqual(
        [dry.exitCode, freesSome(dry.out)],
        [
          0,
          `would keep ${id(2)} (hourly)\nwould keep ${id(3)} (newest, hourly, daily)\nwould remove ${id(1)}: frees some\n`
        ]
      )
      const json = yield* type("prune", ...options, "--dry-run", "-o", "json", "--max-age", "1d", "--keep", "1")
      assert.deepStrictEqual(JSON.parse(json.out).keptBy, {
        [id(1)]: ["maxAge"],
        [id(2)]: ["maxAge"],
        [id(3)]: ["newest", "backups", "maxAge"]
      })
      for (const [option, value] of [
        ["--max-age", "3m"],
        ["--keep-daily", "0"]
      ] as const) {
        const refused = yield* type("prune", ...options, option, value)
        assert.strictEqual(refused.exitCode, 2, refused.err)
      }
      const both = yield* type("prune", ...options, "--all", "--confirm", "nightly", "--keep-daily", "1")
      assert.strictEqual(both.exitCode, 2)
      assert.lengthOf(stored(), 4)
      assert.strictEqual((yield* type("prune", ...options, "--keep-daily", "5")).exitCode, 0)
      assert.deepStrictEqual(stored(), [id(3), "other-20261123-000000"])
    }).pipe(Effect.provide(layer))
  )

  it.live("removes nothing and exits with 14 while nobody can read what a backup needs", () =>
    Effect.gen(function* () {
      const { claim, options, stored } = yield* sets()
      for (const name of ["manifest.json", "kb-meta.json"]) {
        const damaged = join(claim, id(3), name)
        writeFileSync(damaged, readFileSync(damaged).subarray(0, 50))
      }
      const refused = yield* type("prune", ...options, "--keep", "1")
      assert.strictEqual(refused.exitCode, 14)
      assert.match(
        refused.err,
        /retention removed nothing, because nightly-20261123-030000 may need objects of other backups/
      )
      assert.lengthOf(stored(), 4)
    }).pipe(Effect.provide(layer))
  )

  it.live("finds the backups of a resource in a cluster by namespace and name, or says what is missing", () =>
    Effect.gen(function* () {
      const kafka = yield* cluster
      yield* kafka.createTopic("orders", { partitions: 1 })
      const { file, options } = yield* desk(manifest())
      const as = (metadata: string) => writeFileSync(file, manifest().replace("  name: nightly", metadata))
      const run = (hour: number) => type("run", ...options, "--slot", `2026-11-23T0${hour}:00:00Z`)
      as("  name: nightly\n  namespace: kafka\n  uid: u1")
      for (const hour of [1, 2]) assert.strictEqual((yield* run(hour)).exitCode, 0)

      as("  name: nightly")
      const unnamed = yield* type("prune", ...options, "--all", "--confirm", "nightly")
      assert.strictEqual(
        unnamed.out,
        "Note: storage has backups of kafka/nightly: to select them, write namespace: kafka under metadata in the manifest\n" +
          "this resource has no backups here; backups of other resources are not touched\n"
      )
      as("  name: nightly\n  namespace: kafka")
      const kept = yield* type("prune", ...options, "--keep", "1")
      assert.strictEqual(freedSome(kept.out), `kept ${id(2)} (newest, backups)\nremoved ${id(1)}: freed some\n`)

      // Another resource of the name, at the same time: nobody can say which of the two is meant.
      as("  name: nightly\n  namespace: kafka\n  uid: u2")
      yield* run(3)
      as("  name: nightly\n  namespace: kafka\n  uid: u1")
      yield* run(4)
      const listed = yield* type("list", ...options)
      assert.match(listed.out, new RegExp(`${id(3)} .* kafka/nightly \\(uid u2\\)\n${id(4)} .* kafka/nightly *\n`))
      as("  name: nightly\n  namespace: kafka")
      const mixed = yield* type("prune", ...options, "--all", "--confirm", "nightly")
      assert.match(mixed.out, /kafka\/nightly by other resources \(uid u1, u2\).*set metadata\.uid/u)
      as("  name: nightly\n  namespace: kafka\n  uid: u1")
      const own = yield* type("prune", ...options, "--all", "--confirm", "nightly")
      assert.strictEqual(freedSome(own.out), `removed ${id(2)}: freed some\nremoved ${id(4)}: freed some\n`)
    }).pipe(Effect.provide(layer))
  )

  it.live("says what a removal frees, what stays and for which backups, and list what is left of removed ones", () =>
    Effect.gen(function* () {
      const { claim, options } = yield* desk(manifest())
      const stores = yield* ObjectStores
      const store = yield* stores.open({ _tag: "Directory", volume: claim })
      const made: Array<ByReference.MadeSet> = []
      for (const hour of [1, 2, 3]) {
        const base = made.at(-1)
        const making = { own: base === undefined ? 20 : 1, drop: base === undefined ? 0 : 5, bytes: 1000 }
        const slotMillis = Date.UTC(2026, 10, 23, hour)
        made.push(yield* ByReference.make(store, { owner: { name: "nightly" }, slotMillis, base, ...making }))
      }
      const [first, second, third] = made.map(({ backupId }) => backupId)
      const dry = yield* type("prune", ...options, "--keep", "2", "--dry-run")
      assert.match(
        dry.out,
        new RegExp(`would remove ${first}: frees 1\\d\\.\\d kB, 15\\.0 kB stay for ${second}, ${third}\n$`)
      )
      const buildsOn = Effect.map(
        type("describe", second!, ...options),
        ({ out }) => /\nBuilds on +(.*)\n/u.exec(out)?.[1]
      )
      assert.strictEqual(yield* buildsOn, first)
      assert.match(
        (yield* type("prune", ...options, "--keep", "2")).out,
        new RegExp(
          `^kept ${second} .*\nkept ${third} .*\nremoved ${first}: freed 1\\d\\.\\d kB, 15\\.0 kB stay for ${second}, ${third}\n$`
        )
      )
      assert.strictEqual(yield* buildsOn, `${first}, removed since; its objects that this backup needs stay`)
      const listed = yield* type("list", ...options)
      assert.match(listed.out, /\n1 removed backup left 15\.0 kB that other backups need\n$/)
      const rows = JSON.parse((yield* type("list", ...options, "-o", "json")).out)
      assert.deepStrictEqual(rows[0], {
        backupId: first,
        state: "retired",
        objects: 15,
        storedBytes: 15_000,
        owner: { name: "nightly" }
      })
      const more = yield* type("prune", ...options, "--keep", "1", "--dry-run")
      const lines = more.out.split("\n")
      assert.match(lines[1]!, new RegExp(`^would remove ${second}: frees .* 1\\.00 kB stay for ${third}$`))
      assert.match(
        lines[2]!,
        new RegExp(`^would remove the rest of ${first}: frees 5\\.\\d+ kB, 10\\.0 kB stay for ${third}$`)
      )
      const done = yield* type("prune", ...options, "--all", "--confirm", "nightly")
      const [note, ...removed] = freedSome(done.out).split("\n")
      assert.match(note!, /^Note: 3 small records of runs stay in _kafka-backup\/runs\/_nightly\/, because /u)
      assert.deepStrictEqual(removed, [
        `removed ${second}: freed some`,
        `removed ${third}: freed some`,
        `removed the rest of ${first}: freed some`,
        ""
      ])
      assert.deepStrictEqual(
        readdirSync(claim).filter((name) => !name.startsWith(".")),
        ["_kafka-backup"]
      )
      assert.deepStrictEqual(readdirSync(join(claim, "_kafka-backup")), ["runs"])
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
