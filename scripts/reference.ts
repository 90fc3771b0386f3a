import { Effect } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as ArgoCd from "./ArgoCd.ts"
import { commandLinePage, pluginPage } from "./CommandLineReference.ts"
import { dashboardJson } from "./dashboard/Dashboard.ts"
import { metricsPage } from "./MetricsReference.ts"
import { offsetStatusPage } from "./OffsetStatusReference.ts"
import { restoreStatusPage } from "./RestoreStatusReference.ts"
import { statusPage } from "./StatusReference.ts"

/*
 * npm run reference             writes the generated pages of docs/reference, the dashboard and Argo CD's settings
 * npm run reference -- --check  checks that they are up to date; exits with 1 if one is not
 */

const pages = {
  "docs/reference/command-line.md": commandLinePage,
  "docs/reference/kubectl-plugin.md": pluginPage,
  "docs/reference/metrics.md": metricsPage,
  "docs/reference/status.md": Effect.succeed(statusPage),
  "docs/reference/restore-status.md": Effect.succeed(restoreStatusPage),
  "docs/reference/offset-status.md": Effect.succeed(offsetStatusPage),
  "deploy/monitoring/dashboard.json": Effect.sync(dashboardJson),
  "deploy/argocd/argocd-cm.yaml": Effect.sync(ArgoCd.configMap)
}

for (const [name, page] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url))
  const wanted = await Effect.runPromise(page)
  if (!process.argv.includes("--check")) writeFileSync(file, wanted)
  else if (!existsSync(file) || readFileSync(file, "utf8") !== wanted) {
    console.error(`${name} is out of date: run \`npm run reference\` and commit the result`)
    process.exitCode = 1
  }
}
