import * as RestoreCrd from "../src/resource/RestoreCrd.ts"
import { restoreReasons, restoreTypes } from "../src/status/restore/RestoreReasons.ts"
import * as StatusTables from "./StatusTables.ts"

/** docs/reference/restore-status.md, made from the schema of the status and the tables of reasons. */

/** Events of backups that are sent about restores, too. */
const shared = new Set(["InvalidSpec", "JobRefused", "PodTrouble"])

/** The page's text. */
export const restoreStatusPage = `# Status, conditions and Events of a KafkaRestore

<!-- Made by \`npm run reference\` from src/resource/KafkaRestoreStatus.ts and src/status/restore: change the descriptions there, not this page. -->

What the operator reports about a KafkaRestore. Names of fields, conditions and reasons are part of the API: scripts and alerts
may rely on them. Messages are for people and may change.

\`\`\`sh
kubectl get kafkarestore -w                                      # how far it is: PHASE, PROGRESS, VERIFIED
kubectl get kafkarestore my-restore -o wide                      # what is wrong: MESSAGE
kubectl describe kafkarestore my-restore                         # conditions and Events
kubectl wait --for=condition=Ready kafkarestore/my-restore --timeout=1h
\`\`\`

## Columns of \`kubectl get\`

| column | meaning |
|---|---|
${StatusTables.columns(RestoreCrd.crd().spec.versions[0]!.additionalPrinterColumns)}

## Phases

| phase | meaning |
|---|---|
| \`Pending\` | No container of the restore has started. |
| \`Running\` | The restore is active. |
| \`Completed\` | Every record was read back and compared, or all checks of the dry run passed. |
| \`Failed\` | The restore failed. Topics stay as they are. |

## Fields

| field | type | meaning |
|---|---|---|
${StatusTables.fields(RestoreCrd.status()).join("\n")}

## Conditions

Each has \`status\` (\`True\`, \`False\`, \`Unknown\`), a \`reason\`, a \`message\`, \`observedGeneration\`, and \`lastTransitionTime\`: when the status
last flipped.

${StatusTables.conditions(restoreTypes, restoreReasons)}
The message of a restore that failed begins with the reason in the report of its pod: [exit codes](exit-codes.md) lists those. Where the
pod left no report, and in the messages of \`PodTrouble\` and \`JobRefused\`, the reason is one of those
[of runs](status.md#reasons-of-runs).

## Events

| reason | type | action | meaning |
|---|---|---|---|
${StatusTables.events((name, { action }) => action === "Restore" || shared.has(name))}
`
