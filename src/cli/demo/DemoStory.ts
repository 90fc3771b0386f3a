import { Effect } from "effect"
import type { Status } from "../../status/Status.ts"
import * as DemoCluster from "./DemoCluster.ts"
import * as DemoManifests from "./DemoManifests.ts"
import type { Stage } from "./DemoStage.ts"
import * as Table from "../Table.ts"

/** Paths as they are typed. */
export interface Paths {
  readonly hourly: string
  readonly oneTime: string
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

/** A day in the life of two KafkaBackups. */
export const tell = Effect.fn("DemoStory.tell")(function* (stage: Stage, { hourly, oneTime, volumes }: Paths) {
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
    "The operator, with Kubernetes and Kafka in this process's memory and a directory as storage. Its clock is a"
  )
  yield* say(
    "virtual one that jumps over waiting: an hour takes a moment. Everything else is what runs in a cluster.\n"
  )
  yield* say("In Kafka:")
  yield* kafka(DemoCluster.fill)
  yield* say(Table.facts(DemoCluster.stories.map(([topic, what]) => [`  ${topic}`, what] as const)))
  yield* start

  yield* scene("11:58", "a backup of everything, every hour")
  yield* say(`\n${hourly}:\n\n${indented(DemoManifests.hourly)}`)
  yield* kubectl(`apply --server-side -f ${hourly}`, ({ apply }) => apply(DemoManifests.hourly))
  yield* table

  yield* scene("11:59", "the slot comes: the operator makes a Job, whose pod backs up")
  yield* watch("demo", (status) => successes(status) === 1)
  yield* table

  yield* scene("12:15", "5,000 new orders, and somebody wants a backup before a migration")
  yield* kafka(DemoCluster.moreOrders)
  yield* kubectl("annotate kafkabackup demo kafka.oso.sh/trigger-backup=before-migration --overwrite", ({ trigger }) =>
    trigger("demo", "before-migration")
  )
  yield* watch("demo", (status) => successes(status) === 2)

  yield* scene("13:05", "the next slot has been backed up too")
  yield* showHistory

  yield* scene("13:10", "two are enough: what is too much is removed at once, by a Job")
  const fewer = { spec: { retention: { backups: 2 } } }
  yield* kubectl(`patch kafkabackup demo --type merge -p '${JSON.stringify(fewer)}'`, ({ patch }) =>
    patch("demo", fewer)
  )
  yield* scene("13:11", "the oldest is gone, from the history and from storage")
  yield* showHistory

  yield* scene("13:20", "a one-time backup of a topic that does not exist")
  yield* say(`\n${oneTime}:\n\n${indented(DemoManifests.oneTime)}`)
  yield* kubectl(`apply --server-side -f ${oneTime}`, ({ apply }) => apply(DemoManifests.oneTime))
  yield* scene("13:21", "it failed, and says why and what to do")
  yield* table
  yield* message("refunds", "Ready")

  yield* scene("13:30", "the topic is created, and the backup asked for again")
  yield* kafka(DemoCluster.fillRefunds)
  yield* kubectl("annotate kafkabackup refunds kafka.oso.sh/trigger-backup=again --overwrite", ({ trigger }) =>
    trigger("refunds", "again")
  )
  yield* scene("13:31", "and it is well")
  yield* table

  yield* scene("13:40", "what lies in the directory needs neither operator nor Kafka")
  const places = ["-f", hourly, "--volumes", volumes] as const
  const newest = "demo-20261125-130000"
  yield* type("list", ...places)
  yield* type("describe", ...places, newest)
  yield* type("verify", ...places, newest, "--deep")
  yield* type("export", ...places, newest, "--topic", "orders", "--partition", "2", "--from", "0", "--until", "3")
  yield* type("export", ...places, newest, "--topic", "customers", "--output", "text", "--from", "990")

  yield* scene("13:45", "am I safe?")
  yield* message("demo", "Ready")
  yield* message("demo", "Verified")
  yield* kubectl("describe kafkabackup refunds", ({ describe }) => describe("refunds"))
})
