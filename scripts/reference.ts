import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { commandLinePage } from "./CommandLineReference.ts"
import { metricsPage } from "./MetricsReference.ts"
import { offsetStatusPage } from "./OffsetStatusReference.ts"
import { restoreStatusPage } from "./RestoreStatusReference.ts"
import { statusPage } from "./StatusReference.ts"

/*
 * npm run reference             writes the generated pages of docs/reference
 * npm run reference -- --check  checks that they are up to date; exits with 1 if one is not
 */

const pages = {
  "command-line.md": commandLinePage,
  "metrics.md": metricsPage,
  "status.md": Effect.succeed(statusPage),
  "restore-status.md": Effect.succeed(restoreStatusPage),
  "offset-status.md": Effect.succeed(offsetStatusPage)
}

for (const [name, page] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(`../docs/reference/${name}`, import.meta.url))
  const wanted = await Effect.runPromise(page)
  if (!process.argv.includes("--check")) writeFileSync(file, wanted)
  else if (!existsSync(file) || readFileSync(file, "utf8") !== wanted) {
    console.error(`docs/reference/${name} is out of date: run \`npm run reference\` and commit the result`)
    process.exitCode = 1
  }
}
