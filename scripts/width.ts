import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { longLines, maxWidth } from "./LineWidth.ts"
import * as Cache from "./services/Cache.ts"

/*
 * node scripts/width.ts
 *
 * Checks that no line of a comment or a page is longer than the formatter allows for code: it leaves both as they are.
 * Tables, code in pages, targets of links and generated pages are excepted.
 */

const listed = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts", "*.mjs", "*.md"], {
  cwd: Cache.root,
  encoding: "utf8"
})
const files = listed.stdout.split("\n").filter((name) => name !== "" && existsSync(join(Cache.root, name)))
if (files.length === 0) throw new Error(`git listed no files: ${listed.stderr}${listed.error?.message ?? ""}`)

let found = 0
for (const file of files) {
  for (const { line, width } of longLines(file, readFileSync(join(Cache.root, file), "utf8"))) {
    found++
    console.log(`${file}:${line}: ${width} characters, at most ${maxWidth} are allowed`)
  }
}
console.log(`${files.length} files read, ${found} lines too long`)
if (found > 0) process.exitCode = 1
