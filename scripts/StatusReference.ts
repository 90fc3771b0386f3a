import * as Crd from "../src/resource/Crd.ts"
import * as History from "../src/status/History.ts"
import { type RunReason, runReasons } from "../src/outcome/RunReasons.ts"
import { reasons, types } from "../src/status/Reasons.ts"
import * as StatusTables from "./StatusTables.ts"

/** docs/reference/status.md, made from the schema of the status and the tables of reasons. */

const runRows = (group: RunReason["group"]): string =>
  [
    "| reason | meaning |",
    "|---|---|",
    ...Object.entries(runReasons).flatMap(([name, reason]) =>
      reason.group === group ? [`| \`${name}\` | ${StatusTables.cell(reason.meaning)} |`] : []
    ),
    ""
  ].join("\n")

/** The page's text. */
export const statusPage = `# Status, conditions and Events

<!-- Made by \`npm run reference\` from src/resource/KafkaBackupStatus.ts and src/status: change the descriptions there, not this page. -->

What the operator reports about a KafkaBackup. Names of fields, conditions and reasons are part of the API: scripts and alerts
may rely on them. Messages are for people and may change. Nothing in a status is the only copy of anything: a status that is lost
or edited by hand is rebuilt from Jobs and storage.

\`\`\`sh
kubectl get kafkabackup                                          # are backups fine? READY, INTACT and LAST SUCCESS
kubectl get kafkabackup my-backup -o wide                        # why not? MESSAGE
kubectl describe kafkabackup my-backup                           # conditions and Events
kubectl wait --for=condition=Ready kafkabackup/my-backup --timeout=1h
kubectl get kafkabackup my-backup -o jsonpath='{.status.backupHistory}' | jq
\`\`\`

## Columns of \`kubectl get\`

| column | meaning |
|---|---|
${StatusTables.columns(Crd.crd().spec.versions[0]!.additionalPrinterColumns)}

## Phases

| phase | meaning |
|---|---|
| \`Pending\` | No run has ended yet, and none is active. |
| \`Running\` | A run is active. |
| \`Completed\` | The newest run succeeded. |
| \`Failed\` | The newest run failed or was interrupted. Earlier backups are untouched. |

The phase is a summary. The condition \`Ready\` says whether backups are made as they should be.

## Fields

| field | type | meaning |
|---|---|---|
${StatusTables.fields(Crd.status()).join("\n")}

\`lastBackup…\` always describe the last success: a failure does not touch them. The history keeps the newest ${History.limit} runs and
gaps of skipped slots, and always the last success, so that \`kubectl describe\` stays readable. \`historyTruncated\` counts the backups that
storage holds besides; \`kafka-backup list\` shows all. Slots that were skipped one after another for the same reason, with no run in between, are one gap.
A backup that was removed from storage by hand leaves the history when storage is next listed.

## Conditions

Each has \`status\` (\`True\`, \`False\`, \`Unknown\`), a \`reason\`, a \`message\`, \`observedGeneration\`, and \`lastTransitionTime\`: when the status
last flipped. \`Ready\` should be \`True\` and \`Warnings\` \`False\`. \`Verified\` reports what the newest run found that
got that far; \`KafkaReachable\` and \`StorageReachable\` take the newest of runs and checks.

${StatusTables.conditions(types, reasons)}
## Reasons of runs

\`reason\` of an entry of the history: the reason in the run's own report ([exit codes](exit-codes.md) lists those), or one of these where the
pod left no report and for slots without a run.

${runRows("end")}
In the message of \`PodTrouble\`, while the run is active:

${runRows("pod")}
Behind \`JobRefused\`, and, where they begin with \`Strimzi\`, behind \`StrimziUnresolved\`:

${runRows("refusal")}
## Events

One for each thing that happened. They are about the KafkaBackup itself, or about the [KafkaRestore](restore-status.md).

| reason | type | action | meaning |
|---|---|---|---|
${StatusTables.events(() => true)}
`
