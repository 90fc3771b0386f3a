import { Effect } from "effect"
import * as RunMetrics from "../src/backup/RunMetrics.ts"
import * as RunProgress from "../src/backup/RunProgress.ts"

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

const head = `# Metrics

<!-- Made by \`npm run reference\` from what a run serves: change the descriptions in src/backup/RunMetrics.ts, not this page. -->

\`kafka-backup run --listen ADDRESS\` serves these on \`/metrics\` while the run lasts, in Prometheus' text format. Beside it
\`/progress\` gives the same as JSON, with the backup's id and the cause of a pause, and \`/healthz\` answers while the process lives.
Counters are of one attempt: a process that resumes a run begins at 0.

| metric | type | labels | meaning |
|---|---|---|---|
`

/** docs/reference/metrics.md, from the text that Prometheus would get. */
export const metricsPage: Effect.Effect<string> = Effect.map(RunMetrics.text(exhaustive, 0), (text) => {
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
  const cells = [...rows.values()].map(
    ({ help, labels, name, type }) => `| \`${name}\` | ${type} | ${[...labels].join(", ")} | ${help} |\n`
  )
  return head + cells.join("")
})
