import * as OffsetCrds from "../src/resource/OffsetCrds.ts"
import { offsetReasons, offsetTypes } from "../src/status/offsets/OffsetReasons.ts"
import * as StatusTables from "./StatusTables.ts"

/** docs/reference/offset-status.md, made from the schema of the status and the table of reasons. */

/** Events of backups that are sent about these kinds, too. */
const shared = new Set(["InvalidSpec", "JobRefused", "PodTrouble"])

const columns = (kind: OffsetCrds.OffsetKind) =>
  StatusTables.columns(OffsetCrds.crds[kind]().spec.versions[0]!.additionalPrinterColumns)

/** The page's text. */
export const offsetStatusPage = `# Status, condition and Events of KafkaOffsetReset and KafkaOffsetRollback

<!-- Made by \`npm run reference\` from src/resource/OffsetStatus.ts and src/status/offsets: change the descriptions there, not this page. -->

What the operator reports about both kinds. Names of fields and reasons are part of the API: scripts and alerts may rely on them.
Messages are for people and may change.

\`\`\`sh
kubectl get kafkaoffsetreset -w                                  # PHASE, and how many groups were set or skipped
kubectl get kafkaoffsetrollback my-rollback -o wide              # what is wrong: MESSAGE
kubectl wait --for=condition=Ready kafkaoffsetreset/my-reset --timeout=5m
\`\`\`

## Columns of \`kubectl get kafkaoffsetreset\`

| column | meaning |
|---|---|
${columns("KafkaOffsetReset")}

## Columns of \`kubectl get kafkaoffsetrollback\`

| column | meaning |
|---|---|
${columns("KafkaOffsetRollback")}

## Phases

| phase | meaning |
|---|---|
| \`Pending\` | No container has started. |
| \`Running\` | The Job is active. |
| \`Completed\` | Everything was done and read back, or the dry run passed. |
| \`Failed\` | Something was not done: condition Ready says what. Offsets that were set stay as they are. |

## Fields

| field | type | meaning |
|---|---|---|
${StatusTables.fields(OffsetCrds.status()).join("\n")}

## Condition

It has \`status\` (\`True\`, \`False\`), a \`reason\`, a \`message\`, \`observedGeneration\`, and \`lastTransitionTime\`: when the status last
flipped.

${StatusTables.conditions(offsetTypes, offsetReasons)}
The message of \`OffsetsFailed\` begins with the reason in the report of the pod: [exit codes](exit-codes.md) lists those. Where the pod
left no report, and in the messages of \`PodTrouble\` and \`JobRefused\`, the reason is one of those [of runs](status.md#reasons-of-runs).

## Events

| reason | type | action | meaning |
|---|---|---|---|
${StatusTables.events((name, { action }) => action === "SetOffsets" || shared.has(name))}
`
