import { createHash } from "node:crypto"
import { Effect } from "effect"
import type { InMemoryCluster } from "../../kafka/memory/InMemoryCluster.ts"
import * as Format from "../../status/Format.ts"
import * as DemoManifests from "./DemoManifests.ts"
import type { Stage } from "./DemoStage.ts"

const topic = "orders"
const partitions = [0, 1, 2, 3]

/** What a consumer reads from the topic: how many records, and one digest of all offsets, times, keys and values. */
const readAll = Effect.fnUntraced(function* (cluster: InMemoryCluster) {
  const hash = createHash("sha256")
  let records = 0
  for (const partition of partitions) {
    for (const { headers, key, offset, timestamp, value } of yield* cluster.committed(topic, partition)) {
      const texts = [key, value, ...headers.flat()].map((bytes) => bytes?.toString("base64") ?? null)
      hash.update(JSON.stringify([partition, offset, timestamp, ...texts]))
      records++
    }
  }
  return `${Format.count(records)} records, SHA-256 ${hash.digest("hex").slice(0, 16)}…`
})

/** A topic is deleted, and a KafkaRestore brings it back. `file` is the manifest as the user types it. */
export const play = Effect.fn("DemoDisaster.play")(function* (stage: Stage, file: string) {
  const { kafka, kubectl, say, scene, watchRestore } = stage
  yield* scene("13:50", `The disaster: somebody deletes the topic ${topic}.`)
  yield* say(`\nA consumer that reads all of ${topic}, before: ${yield* kafka(readAll)}`)
  yield* kafka((cluster) => cluster.deleteTopic(topic))
  yield* say(`The topic ${topic} is gone.`)

  yield* scene("13:51", "You ask for the topic back.")
  yield* say(`\n${file}:\n\n${DemoManifests.restore.trimEnd().replaceAll(/^/gm, "  ")}`)
  yield* kubectl(`apply --server-side -f ${file}`, ({ apply }) => apply(DemoManifests.restore))
  yield* watchRestore("orders-again", ({ phase }) => phase === "Completed" || phase === "Failed")
  yield* kubectl("get kafkarestores", ({ restores }) => restores.getTable)
  yield* kubectl(
    `get kafkarestore orders-again -o jsonpath='{.status.conditions[?(@.type=="Verified")].message}'`,
    ({ restores }) =>
      Effect.map(
        restores.status("orders-again"),
        (status) => status?.conditions?.find(({ type }) => type === "Verified")?.message ?? ""
      )
  )
  yield* say(`\nA consumer that reads all of ${topic}, after: ${yield* kafka(readAll)}`)
})
