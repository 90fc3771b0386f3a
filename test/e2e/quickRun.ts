import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { inflateSync } from "node:zlib"

/*
 * Stands in for the image of a run where a test is about Jobs and not about data: writes one line into the journal,
 * waits for as long as the file `hold-{resource}` is beside it, and ends as a backup of nothing that is complete.
 */

const [journal = "", command = "", ...args] = process.argv.slice(2)
const startedAt = new Date().toISOString()
const summaryFile = args[args.indexOf("--summary") + 1] ?? ""
const runSpec = process.env["KAFKA_BACKUP_RUN_SPEC"] ?? ""
const { backup, slot, trigger } = JSON.parse(
  inflateSync(Buffer.from(runSpec.slice(runSpec.indexOf(":") + 1), "base64")).toString("utf8")
) as {
  readonly backup: { readonly metadata: { readonly name: string } }
  readonly slot: string
  readonly trigger?: string
}
const { name } = backup.metadata

appendFileSync(journal, `${JSON.stringify({ name, command, slot, trigger })}\n`)
while (existsSync(join(dirname(journal), `hold-${name}`))) await new Promise((resolve) => setTimeout(resolve, 100))

const digits = slot.replaceAll(/[-:TZ]/g, "")
writeFileSync(
  summaryFile,
  JSON.stringify({
    version: 1,
    command,
    outcome: "success",
    exitCode: 0,
    startedAt,
    completedAt: new Date().toISOString(),
    backupId: `${name}-${digits.slice(0, 8)}-${digits.slice(8)}`,
    size: 1,
    records: 1,
    addedBytes: 1,
    addedRecords: 1,
    notes: []
  })
)
