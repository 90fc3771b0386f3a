import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"

/** An empty directory that stands for a mounted volume; gone when the scope closes. */
export const temporaryVolume = Effect.acquireRelease(
  Effect.promise(async () => realpath(await mkdtemp(join(tmpdir(), "kafka-backup-volume-")))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)
