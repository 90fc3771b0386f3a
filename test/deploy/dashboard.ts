import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Json, root } from "./manifests.ts"

export const text = readFileSync(join(root, "deploy/monitoring/dashboard.json"), "utf8")

export const dashboard: Json = JSON.parse(text)

/** Everything but the heads of rows. */
export const panels = (dashboard["panels"] as ReadonlyArray<Json>).filter(({ type }) => type !== "row")

/** What Grafana puts in for its variables when everything is chosen. */
export const filledIn = (expr: string, range: string): string =>
  expr
    .replaceAll(/\$(?:namespace|resource)\b/gu, ".*")
    .replaceAll("$__range", range)
    .replaceAll("$__interval", "1h")
    .replaceAll("$__rate_interval", "2m")
