import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Option } from "effect"
import { spawnSync } from "node:child_process"
import { tmpdir } from "node:os"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Verification from "../../src/manifest/Verification.ts"
import { ObjectStores } from "../../src/storage/ObjectStore.ts"
import { temporaryVolume } from "../storage/temporaryVolume.ts"
import { aRequest, assertHoldsAll, attempt, fill, layer, someTopics, world } from "./world.ts"

const isRoot = process.getuid?.() === 0
const canMount = isRoot && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0

/** A file system of its own, so small that a backup or two fill it. */
const smallDisk = (kibibytes: number) =>
  Effect.gen(function* () {
    const path = yield* temporaryVolume
    return yield* Effect.acquireRelease(
      Effect.sync(() => {
        spawnSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", path])
        return path
      }),
      (mounted) => Effect.sync(() => spawnSync("umount", [mounted]))
    )
  })

describe.skipIf(!canMount)(`A full disk${canMount ? "" : " (skipped: needs root and the right to mount)"}`, () => {
  it.live(
    "fails the run by name, keeps every earlier set whole, and lets the same run end well once there is room",
    () =>
      Effect.gen(function* () {
        const { cluster } = yield* world
        yield* fill(cluster)
        const volume = yield* smallDisk(700)
        const store = yield* (yield* ObjectStores).open({ _tag: "Directory", volume })
        const settings = { compression: "none", compressionLevel: 0, includeOffsetHeaders: false } as const
        const first = yield* attempt(aRequest("2026-11-23T01:00:00Z", { settings }), { store })
        yield* cluster.createTopic("bulk", { partitions: 2 })
        for (let i = 0; i < 60; i++) yield* cluster.produce("bulk", i % 2, [{ value: "x".repeat(10_000) }])
        const second = aRequest("2026-11-23T02:00:00Z", { settings })
        const full = yield* Effect.exit(attempt(second, { store }))
        const error = full._tag === "Failure" ? Option.getOrUndefined(Cause.findErrorOption(full.cause)) : undefined
        assert.strictEqual(error?.reason._tag, "OutOfSpace")
        const entries = yield* Catalogue.entries(store)
        assert.deepStrictEqual(
          entries.map((entry) => entry._tag),
          ["Complete", "Incomplete"]
        )
        const set = yield* Catalogue.open(store, first.facts.backupId)
        assert.deepStrictEqual((yield* Verification.verify(store, set, "records")).problems, [])
        spawnSync("mount", ["-o", "remount,size=4m", volume])
        const { facts } = yield* attempt(second, { store })
        yield* assertHoldsAll(cluster, store, facts.backupId, { ...someTopics, bulk: 2 })
      }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
