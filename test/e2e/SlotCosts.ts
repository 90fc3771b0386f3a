import * as CostModel from "../../src/backup/CostModel.ts"
import type { Requests } from "./CountedStore.ts"

/** One partition as a set holds it, in bytes of the record stream: all, and what the run itself has read. */
export interface PartitionStream {
  readonly bytes: number
  readonly newBytes: number
}

/** What the backup of one slot was measured to cost. */
export interface SlotCost {
  readonly slot: number
  readonly store: string
  readonly kills: number
  readonly newRecords: number
  /** Keys and values that were written to Kafka since the backup before. */
  readonly newBytes: number
  /** Sent by the brokers to the attempt that completed the set. */
  readonly kafkaBytes: number
  /** Stored bytes of segments with new records, and of those that were joined from others. */
  readonly newStoredBytes: number
  readonly joinedStoredBytes: number
  /** Of that attempt, retention included. */
  readonly requests: Requests
  /** From the start of the process to its end. */
  readonly seconds: number
  readonly partitions: ReadonlyArray<PartitionStream>
}

/** What the first backup, of everything, says of the data and the machine. */
interface Measures {
  readonly storedPerByte: number
  readonly bytesPerSecond: number
}

export const measures = ({ newStoredBytes, partitions, seconds }: SlotCost): Measures => {
  const bytes = partitions.reduce((sum, one) => sum + one.bytes, 0)
  return { storedPerByte: newStoredBytes / bytes, bytesPerSecond: bytes / seconds }
}

const hourMillis = 3_600_000

/** What the cost model says of the same slot: it knows sizes and new bytes of the partitions, and the first backup. */
export const modelled = (cost: SlotCost, { bytesPerSecond, storedPerByte }: Measures): CostModel.RunCost =>
  CostModel.newDataOnly({
    partitions: cost.partitions.map(({ bytes, newBytes }) => ({
      bytes,
      bytesPerSecond: (newBytes / hourMillis) * 1000
    })),
    // Producers of the later hours do not compress.
    sentPerByte: 1,
    storedPerByte,
    bytesPerSecond,
    intervalMillis: hourMillis,
    keptAgesMillis: [0],
    checkpointMillis: 1000,
    sampledPercent: 2
  }).run

interface Column {
  readonly title: string
  readonly value: (cost: SlotCost, model: CostModel.RunCost) => number
  readonly text: (value: number) => string
}

const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1)
const seconds = (value: number) => value.toFixed(1)

const columns: ReadonlyArray<Column> = [
  { title: "kills", value: ({ kills }) => kills, text: String },
  { title: "new records", value: ({ newRecords }) => newRecords, text: String },
  { title: "new kB", value: ({ newBytes }) => newBytes, text: kilobytes },
  { title: "Kafka kB", value: ({ kafkaBytes }) => kafkaBytes, text: kilobytes },
  { title: "model", value: (_, { kafkaBytes }) => kafkaBytes, text: kilobytes },
  { title: "stored kB", value: ({ newStoredBytes }) => newStoredBytes, text: kilobytes },
  { title: "joined kB", value: ({ joinedStoredBytes }) => joinedStoredBytes, text: kilobytes },
  { title: "model", value: (_, { joinedBytes }) => joinedBytes, text: kilobytes },
  { title: "written kB", value: ({ requests }) => requests.writtenBytes, text: kilobytes },
  { title: "model", value: (_, { writtenBytes }) => writtenBytes, text: kilobytes },
  { title: "writes", value: ({ requests }) => requests.writes, text: String },
  { title: "model", value: (_, { writes }) => writes, text: String },
  { title: "reads, lists", value: ({ requests }) => requests.reads + requests.lists, text: String },
  { title: "model", value: (_, { reads }) => reads, text: String },
  { title: "deletes", value: ({ requests }) => requests.deletes, text: String },
  { title: "s", value: (cost) => cost.seconds, text: seconds },
  { title: "model", value: (_, { millis }) => millis / 1000, text: seconds }
]

/** A table with a row for each slot, beside each figure what the model says of it, and their sums. */
export const table = (costs: ReadonlyArray<SlotCost>, first: Measures): string => {
  const rows = costs.map((cost) => {
    const model = modelled(cost, first)
    return columns.map(({ value }) => value(cost, model))
  })
  const sums = columns.map((_, i) => rows.reduce((total, row) => total + row[i]!, 0))
  const cells = (values: ReadonlyArray<number>) => columns.map(({ text }, i) => text(values[i]!))
  return [
    ["slot", "store", ...columns.map(({ title }) => title)],
    ...costs.map(({ slot, store }, n) => [String(slot), store, ...cells(rows[n]!)]),
    ["all", "", ...cells(sums)]
  ]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n")
}
