import { Effect } from "effect"
import type { Status } from "../../status/Status.ts"
import * as DemoCluster from "./DemoCluster.ts"
import * as DemoDisaster from "./DemoDisaster.ts"
import * as DemoManifests from "./DemoManifests.ts"
import type { Stage } from "./DemoStage.ts"
import * as Table from "../Table.ts"

/** Paths as the user types them. */
export interface Paths {
  readonly hourly: string
  readonly oneTime: string
  readonly restore: string
  readonly volumes: string
}

const indented = (text: string): string => text.trimEnd().replaceAll(/^/gm, "  ")

const condition = ({ conditions = [] }: Status, type: string) => conditions.find((each) => each.type === type)

const successes = ({ backupHistory = [] }: Status): number =>
  backupHistory.filter(({ outcome }) => outcome === "success").length

/** The history as `jq -c '.[] | {…}'` shows it. */
const history = ({ backupHistory = [] }: Status): string =>
  backupHistory
    .map(({ backupId, cause, outcome, records }) =>
      JSON.stringify({ backupId, cause, outcome, records: records ?? null })
    )
    .join("\n")

const asking = (name: string, type: string) =>
  `get kafkabackup ${name} -o jsonpath='{.status.conditions[?(@.type=="${type}")].message}'`

/** A day in the life of two KafkaBackups, and the night of a topic. */
export const play = Effect.fn("DemoStory.play")(function* (stage: Stage, paths: Paths) {
  const { hourly, oneTime, volumes } = paths
  const { kafka, kubectl, say, scene, start, type, watch } = stage
  const table = kubectl("get kafkabackups", ({ getTable }) => getTable())
  const showHistory = kubectl(
    `get kafkabackup demo -o json | jq -c '.status.backupHistory[] | {backupId, cause, outcome, records}'`,
    ({ status }) => Effect.map(status("demo"), history)
  )
  const message = (name: string, about: string) =>
    kubectl(asking(name, about), ({ status }) =>
      Effect.map(status(name), (found) => condition(found, about)?.message ?? "")
    )

  yield* say(
    "This demo runs the operator with Kubernetes and Kafka in memory, and a directory as storage. The clock is"
  )
  yield* say("virtual: an hour passes in a moment. Everything else is the code that runs in a cluster.\n")
  yield* say("Kafka has four topics:")
  yield* kafka(DemoCluster.fill)
  yield* say(Table.facts(DemoCluster.stories.map(([topic, what]) => [`  ${topic}`, what] as const)))
  yield* start

  yield* scene("11:58", "You ask for a backup of all topics, every hour.")
  yield* say(`\n${hourly}:\n\n${indented(DemoManifests.hourly)}`)
  yield* kubectl(`apply --server-side -f ${hourly}`, ({ apply }) => apply(DemoManifests.hourly))
  yield* table

  yield* scene("11:59", "At 12:00 the operator creates a Job. Its pod makes the backup.")
  yield* watch("demo", (status) => successes(status) === 1)
  yield* table

  yield* scene("12:15", "There are 5,000 new orders, and you want a backup now, before a migration.")
  yield* kafka(DemoCluster.moreOrders)
  yield* kubectl("annotate kafkabackup demo kafka.oso.sh/trigger-backup=before-migration --overwrite", ({ trigger }) =>
    trigger("demo", "before-migration")
  )
  yield* watch("demo", (status) => successes(status) === 2)

  yield* scene("13:05", "The scheduled backup of 13:00 has been made too. Each backup has stored only what was new.")
  yield* showHistory

  yield* scene("13:10", "You decide to keep two backups only. A Job removes the oldest.")
  const fewer = { spec: { retention: { backups: 2 } } }
  yield* kubectl(`patch kafkabackup demo --type merge -p '${JSON.stringify(fewer)}'`, ({ patch }) =>
    patch("demo", fewer)
  )
  yield* scene("13:11", "The oldest backup is gone. What newer backups need of its objects stays in storage.")
  yield* showHistory

  yield* scene("13:20", "You ask for a one-time backup of a topic that does not exist.")
  yield* say(`\n${oneTime}:\n\n${indented(DemoManifests.oneTime)}`)
  yield* kubectl(`apply --server-side -f ${oneTime}`, ({ apply }) => apply(DemoManifests.oneTime))
  yield* scene("13:21", "The backup failed. The status says why, and what to do.")
  yield* table
  yield* message("refunds", "Ready")

  yield* scene("13:30", "You create the topic and trigger the backup again.")
  yield* kafka(DemoCluster.fillRefunds)
  yield* kubectl("annotate kafkabackup refunds kafka.oso.sh/trigger-backup=again --overwrite", ({ trigger }) =>
    trigger("refunds", "again")
  )
  yield* scene("13:31", "The backup succeeded.")
  yield* table

  yield* scene("13:40", "You can list, verify and read the backups without the operator and without Kafka.")
  const storage = ["-f", hourly, "--volumes", volumes] as const
  const newest = DemoManifests.newestBackup
  yield* type("list", ...storage)
  yield* type("describe", ...storage, newest)
  yield* type("verify", ...storage, newest, "--deep")
  yield* type("export", ...storage, newest, "--topic", "orders", "--partition", "2", "--from", "0", "--until", "3")
  yield* type("export", ...storage, newest, "--topic", "customers", "--output", "text", "--from", "990")

  yield* scene("13:45", "Is your data safe? The conditions and Events answer that.")
  yield* message("demo", "Ready")
  yield* message("demo", "Verified")
  yield* kubectl("describe kafkabackup refunds", ({ describe }) => describe("refunds"))

  yield* DemoDisaster.play(stage, paths.restore)
})
