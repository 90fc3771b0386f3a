import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { commandLinePage } from "./CommandLineReference.ts"
import { metricsPage } from "./MetricsReference.ts"
import { statusPage } from "./StatusReference.ts"

/*
 * npm run reference             writes the pages of docs/reference that are made from the program itself
 * npm run reference -- --check  says whether they are up to date; exits 1 when one is not
 */

const pages = { "command-line.md": commandLinePage, "metrics.md": metricsPage, "status.md": Effect.succeed(statusPage) }

for (const [name, page] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(`../docs/reference/${name}`, import.meta.url))
  const wanted = await Effect.runPromise(page)
  if (!process.argv.includes("--check")) writeFileSync(file, wanted)
  else if (!existsSync(file) || readFileSync(file, "utf8") !== wanted) {
    console.error(
      `docs/reference/${name} is not what the program says: run \`npm run reference\` and commit the result`
    )
    process.exitCode = 1
  }
}
