import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse, stringify } from "yaml"
import { chart } from "./chart.ts"

const kept = "kafkarestore.yaml"

/**
 * A copy of the chart with one definition alone, since each costs the API server seconds; as an earlier version has it,
 * without a field that was added later, or as it is.
 */
export const chartCopy = (version: "earlier" | "newer"): { readonly folder: string; readonly crds: string } => {
  const folder = mkdtempSync(join(tmpdir(), `kafka-backup-chart-${version}-`))
  cpSync(chart, folder, { recursive: true })
  const crds = join(folder, "charts", "kafka-backup-crds")
  const files = join(crds, "files", "crds")
  for (const name of readdirSync(files)) if (name !== kept) rmSync(join(files, name))
  if (version === "earlier") {
    const definition = parse(readFileSync(join(files, kept), "utf8"))
    delete definition.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.includeOriginalOffsetHeader
    writeFileSync(join(files, kept), stringify(definition, { aliasDuplicateObjects: false }))
  }
  return { folder, crds }
}
