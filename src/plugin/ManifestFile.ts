import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import { text as readAll } from "node:stream/consumers"
import { ManifestUnusable } from "./Problems.ts"
import * as WantedRestore from "./WantedRestore.ts"

/** The manifest of a KafkaRestore that `-f` names; `-` is standard input. */
export const restore = Effect.fnUntraced(function* (file: string) {
  const name = file === "-" ? "standard input" : file
  const text = yield* Effect.tryPromise({
    try: () => (file === "-" ? readAll(process.stdin) : readFile(file, "utf8")),
    catch: (cause) =>
      new ManifestUnusable({
        detail: `${name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        advice: "give the path of a manifest with -f, or -f - for standard input"
      })
  })
  return yield* Effect.fromResult(WantedRestore.ofManifest(text, name))
})
