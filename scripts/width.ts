import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { longLines, maxWidth } from "./LineWidth.ts"
import * as Cache from "./services/Cache.ts"

/*
 * node scripts/width.ts
 *
 * Checks that no line of a comment or a page is longer than the formatter allows for code: it leaves both as they are.
 * Tables, code in pages, targets of links and generated pages are excepted.
 */

/** Folders with files that are installed or made. */
const skipped = new Set(["node_modules", "dist", "coverage", "demo-data"])

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) || entry.name.startsWith(".") ? [] : filesIn(path)
    return /\.(ts|mjs|md)$/.test(entry.name) ? [path] : []
  })

const files = filesIn(Cache.root).map((path) => relative(Cache.root, path))

let found = 0
for (const file of files) {
  for (const { line, width } of longLines(file, readFileSync(join(Cache.root, file), "utf8"))) {
    found++
    console.log(`${file}:${line}: ${width} characters, at most ${maxWidth} are allowed`)
  }
}
console.log(`${files.length} files read, ${found} lines too long`)
if (found > 0) process.exitCode = 1
