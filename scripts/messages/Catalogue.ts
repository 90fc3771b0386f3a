import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Extraction from "./Extraction.ts"

/** Every text of a tree that a person may read, by room and file. `root` holds `src`. */
export const of = (root: string): Extraction.Extracted => {
  const extracted = sources(root).map((file) => Extraction.of(file, readFileSync(join(root, file), "utf8")))
  return {
    messages: extracted.flatMap(({ messages }) => messages),
    leftOut: extracted.flatMap(({ leftOut }) => leftOut)
  }
}

/** Every TypeScript file below `src`, as a path from the root, in order. */
export const sources = (root: string): ReadonlyArray<string> =>
  readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => `src/${name}`)
    .toSorted()

/** The folder of `src` that a file is in; a file directly below `src` is a room of its own. */
export const roomOf = (file: string): string => file.split("/")[1] ?? ""
