import { Effect } from "effect"
import * as RestoreMetrics from "../src/restore/RestoreMetrics.ts"
import * as RestoreProgress from "../src/restore/RestoreProgress.ts"
import * as RunMetrics from "../src/worker/RunMetrics.ts"
import * as RunProgress from "../src/worker/RunProgress.ts"
import * as OperatorFamilies from "../src/telemetry/OperatorFamilies.ts"

/** Progress in which every metric has something to say. */
const exhaustive: RunProgress.RunProgress = {
  ...RunProgress.make(),
  interruptions: [{ target: "storage", openings: 1, waitedMillis: 1000, cause: "no route" }]
}

interface Row {
  readonly name: string
  readonly help: string
  type: string
  readonly labels: Set<string>
}

const tableHead = `| metric | type | labels | meaning |
|---|---|---|---|
`

const beforeRuns = `# Metrics

<!-- Made by \`npm run reference\` from what is served: change the descriptions in src/worker/RunMetrics.ts, src/restore/RestoreMetrics.ts and src/telemetry/OperatorFamilies.ts, not this page. -->

## Of the operator

\`kafka-backup operator\` serves these on \`/metrics\`, in Prometheus' text format. \`resource_namespace\` and \`name\` are those of the
\`KafkaBackup\`, or in \`restore…\` of the \`KafkaRestore\`; its series end when it is deleted. Only the leading replica has series of resources. Counters begin at 0 with
the process. The [alerts](../guides/operations.md#alerts) use them.

${tableHead}${operatorRows()}
## Of a run

\`kafka-backup run --listen ADDRESS\` serves these on \`/metrics\` while the run lasts, in Prometheus' text format. Beside it
\`/progress\` gives the same as JSON, with the backup's id and the cause of a pause, and \`/healthz\` answers while the process lives.
Counters are of one attempt: a process that resumes a run begins at 0.

${tableHead}`

function operatorRows(): string {
  return Object.entries(OperatorFamilies.families)
    .map(([name, { help, labels, type }]) => row(OperatorFamilies.prefix + name, type, labels, help))
    .join("")
}

function row(name: string, type: string, labels: Iterable<string>, help: string): string {
  return `| \`${name}\` | ${type} | ${[...labels].join(", ")} | ${help} |\n`
}

const ofRestores = `
## Of a restore

\`kafka-backup restore --listen ADDRESS\` serves these in the same way.

${tableHead}`

/** The rows of a table, from the text that Prometheus would get. */
const rowsOf = (text: string): string => {
  const rows = new Map<string, Row>()
  for (const line of text.trimEnd().split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/u.exec(line) ?? []
    if (keyword === "HELP") rows.set(name, { name, help: rest, type: "", labels: new Set() })
    else if (keyword === "TYPE") rows.get(name)!.type = rest
    else {
      const row = rows.get(/^\w+/u.exec(line)?.[0] ?? "")
      for (const [, label] of line.matchAll(/[{,](\w+)="/gu)) row?.labels.add(label!)
    }
  }
  return [...rows.values()].map(({ help, labels, name, type }) => row(name, type, labels, help)).join("")
}

/**
 * docs/reference/metrics.md: for a run and a restore from the text that Prometheus would get, for the operator from the
 * table behind it.
 */
export const metricsPage: Effect.Effect<string> = Effect.gen(function* () {
  const ofRun = yield* RunMetrics.text(exhaustive, 0)
  const ofRestore = yield* RestoreMetrics.text(RestoreProgress.make())
  return beforeRuns + rowsOf(ofRun) + ofRestores + rowsOf(ofRestore)
})
