import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { cluster, desk, layer, manifest, type } from "./terminal.ts"

const id = (hour: number) => `nightly-20261123-0${hour}0000`

const threeSets = Effect.gen(function* () {
  const kafka = yield* cluster
  yield* kafka.createTopic("orders", { partitions: 1 })
  yield* kafka.produce("orders", 0, [{ key: "k", value: "v" }])
  const { claim, file, options } = yield* desk(manifest("retention: {backups: 1}"))
  // Of backups that others build on the objects would stay.
  writeFileSync(file, manifest("incremental: {enabled: false}"))
  for (const hour of [1, 2, 3]) yield* type("run", ...options, "--slot", `2026-11-23T0${hour}:00:00Z`)
  writeFileSync(file, manifest("retention: {backups: 1}"))
  const stored = () => readdirSync(claim).filter((name) => /-\d{8}-\d{6}$/.test(name))
  return { claim, file, options, stored }
})

describe("kafka-backup pin and unpin", () => {
  it.live("keep a backup whatever retention says, show it, and let it go", () =>
    Effect.gen(function* () {
      const { options, stored } = yield* threeSets
      const pinned = yield* type("pin", id(1), ...options, "--reason", "before the migration")
      assert.deepStrictEqual([pinned.exitCode, pinned.out], [0, `pinned ${id(1)}\n`])
      assert.match((yield* type("pin", id(1), ...options)).out, /is pinned already since 20.*, by .* on /u)
      assert.match(
        (yield* type("list", ...options)).out,
        new RegExp(`${id(1)} +complete, pinned .*\n${id(2)} +complete +20`)
      )
      const listed = JSON.parse((yield* type("list", ...options, "-o", "json")).out)
      assert.deepStrictEqual(
        listed.map(({ pinned }: { pinned: boolean }) => pinned),
        [true, false, false]
      )
      assert.match((yield* type("describe", id(1), ...options)).out, /Pinned +since 20.*: before the migration\n/u)
      const dry = yield* type("prune", ...options, "--dry-run")
      assert.strictEqual(
        dry.out.replace(/ \S+ kB\n$/u, " 1 kB\n"),
        `would keep ${id(1)} (pinned)\nwould keep ${id(3)} (newest, backups)\nwould remove ${id(2)}: frees 1 kB\n`
      )
      assert.strictEqual((yield* type("prune", ...options)).exitCode, 0)
      assert.deepStrictEqual(stored(), [id(1), id(3)])
      assert.strictEqual((yield* type("unpin", id(1), ...options)).out, `unpinned ${id(1)}\n`)
      assert.strictEqual((yield* type("unpin", id(1), ...options)).out, `${id(1)} is not pinned in storage\n`)
      assert.strictEqual((yield* type("prune", ...options)).exitCode, 0)
      assert.deepStrictEqual(stored(), [id(3)])
    }).pipe(Effect.provide(layer))
  )

  it.live("refuse what is no backup", () =>
    Effect.gen(function* () {
      const { options } = yield* threeSets
      const gone = yield* type("pin", "nightly-20261123-090000", ...options)
      assert.match(gone.err, /there is no backup nightly-20261123-090000/u)
      assert.notStrictEqual(gone.exitCode, 0)
      const misspelt = yield* type("unpin", "nightly-20261123-01000", ...options)
      assert.deepStrictEqual([misspelt.exitCode, misspelt.out], [17, ""])
      assert.include(misspelt.err, `; did you mean ${id(1)}?`)
      assert.strictEqual((yield* type("unpin", "../index", ...options)).exitCode, 2)
      assert.strictEqual((yield* type("pin", id(1), ...options, "--reason", " ")).exitCode, 2)
    }).pipe(Effect.provide(layer))
  )

  it.live("let prune --all remove nothing while a backup is pinned, by either means, unless it is told to", () =>
    Effect.gen(function* () {
      const { claim, file, options, stored } = yield* threeSets
      yield* type("pin", id(1), ...options)
      const all = ["prune", ...options, "--all", "--confirm", "nightly"]
      for (const more of [[], ["--dry-run"]]) {
        const refused = yield* type(...all, ...more)
        assert.strictEqual(refused.exitCode, 2)
        assert.match(
          refused.err,
          new RegExp(`nothing is removed, because backup ${id(1)} is pinned\nwhat to do: .*unpin`)
        )
      }
      yield* type("unpin", id(1), ...options)
      const annotated = manifest().replace(
        "  name: nightly",
        `  name: nightly\n  annotations: {kafka.oso.sh/pin: "${id(2)},${id(3)}"}`
      )
      writeFileSync(file, annotated)
      const two = yield* type(...all)
      assert.match(two.err, new RegExp(`because 2 backups are pinned: ${id(2)}, ${id(3)}\n`))
      assert.lengthOf(stored(), 3)
      const alone = yield* type("prune", ...options, "--keep", "1", "--including-pinned")
      assert.strictEqual(alone.exitCode, 2)
      yield* type("pin", id(1), ...options)
      assert.strictEqual((yield* type(...all, "--including-pinned")).exitCode, 0)
      assert.deepStrictEqual(stored(), [])
      const pins = join(claim, "_kafka-backup", "pins")
      assert.deepStrictEqual(existsSync(pins) ? readdirSync(pins) : [], [])
    }).pipe(Effect.provide(layer))
  )
})
