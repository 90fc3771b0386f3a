import { Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { commandLinePage } from "./CommandLineReference.ts"

/*
 * npm run reference             writes docs/reference/command-line.md from what --help shows
 * npm run reference -- --check  says whether it is up to date; exits 1 when it is not
 */

const file = fileURLToPath(new URL("../docs/reference/command-line.md", import.meta.url))
const wanted = await Effect.runPromise(commandLinePage)

if (!process.argv.includes("--check")) writeFileSync(file, wanted)
else if (readFileSync(file, "utf8") !== wanted) {
  console.error("docs/reference/command-line.md does not match --help: run `npm run reference` and commit the result")
  process.exitCode = 1
}
