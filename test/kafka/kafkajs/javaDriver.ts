import { Effect, Schedule } from "effect"
import type { KafkaDriver } from "../../contract/kafkaSource.ts"
import type { Codec, JavaKafka } from "../../harness/JavaKafka.ts"

const javaCodec: Readonly<Record<string, Codec>> = {
  none: "none",
  gzip: "gzip",
  "snappy-xerial": "snappy",
  lz4: "lz4",
  zstd: "zstd"
}

let transactionNumber = 0

/** Drives a real broker with Kafka's own Java clients. */
export const javaDriver = (java: JavaKafka): KafkaDriver => {
  const doing = (work: () => Promise<unknown>) => Effect.promise(work).pipe(Effect.asVoid)

  /** The coordinator writes the markers after it has answered; until then the last stable offset stays behind. */
  const untilDecided = (topic: string, partition: number) =>
    Effect.promise(async () => {
      const offsets = (await java.offsets(topic))[topic]?.find((one) => one.partition === partition)
      return offsets !== undefined && offsets.stable === offsets.end
    }).pipe(Effect.repeat({ until: (isDecided) => isDecided, schedule: Schedule.spaced("20 millis") }), Effect.asVoid)

  return {
    codecs: ["none", "gzip", "snappy-xerial", "lz4", "zstd"],
    createTopic: (name, partitions, config) =>
      doing(() => java.createTopics({ name, partitions, ...(config === undefined ? {} : { config }) })),
    deleteTopic: (name) => doing(() => java.deleteTopics(name)),
    produce: (topic, partition, records, codec) =>
      doing(() =>
        java.produce(
          topic,
          records.map((record) => ({ ...record, partition })),
          { codec: javaCodec[codec] ?? "none" }
        )
      ),
    transact: (topic, partition, records, end) => {
      const transactionalId = `${topic}-${++transactionNumber}`
      const write = doing(() =>
        java.produce(
          topic,
          records.map((record) => ({ ...record, partition })),
          { transaction: end, transactionalId }
        )
      )
      if (end !== "open") return Effect.andThen(write, untilDecided(topic, partition))
      return Effect.acquireRelease(write, () => doing(() => java.endTransaction(transactionalId, "abort")))
    },
    deleteRecordsBefore: (topic, partition, offset) => doing(() => java.deleteRecords(topic, { [partition]: offset })),
    commitGroupOffset: (groupId, topic, partition, offset) =>
      doing(() => java.commitOffsets(groupId, { [topic]: { [partition]: offset } }))
  }
}
