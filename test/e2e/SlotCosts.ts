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

const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1)

const columns: ReadonlyArray<readonly [string, (cost: SlotCost, model: CostModel.RunCost) => string | number]> = [
  ["slot", ({ slot }) => slot],
  ["store", ({ store }) => store],
  ["kills", ({ kills }) => kills],
  ["new records", ({ newRecords }) => newRecords],
  ["new kB", ({ newBytes }) => kilobytes(newBytes)],
  ["Kafka kB", ({ kafkaBytes }) => kilobytes(kafkaBytes)],
  ["model", (_, { kafkaBytes }) => kilobytes(kafkaBytes)],
  ["stored kB", ({ newStoredBytes }) => kilobytes(newStoredBytes)],
  ["joined kB", ({ joinedStoredBytes }) => kilobytes(joinedStoredBytes)],
  ["model", (_, { joinedBytes }) => kilobytes(joinedBytes)],
  ["written kB", ({ requests }) => kilobytes(requests.writtenBytes)],
  ["model", (_, { writtenBytes }) => kilobytes(writtenBytes)],
  ["writes", ({ requests }) => requests.writes],
  ["model", (_, { writes }) => writes],
  ["reads, lists", ({ requests }) => requests.reads + requests.lists],
  ["model", (_, { reads }) => reads],
  ["deletes", ({ requests }) => requests.deletes],
  ["s", ({ seconds }) => seconds.toFixed(1)],
  ["model", (_, { millis }) => (millis / 1000).toFixed(1)]
]

/** A table with a row for each slot, beside each figure what the model says of it. */
export const table = (costs: ReadonlyArray<SlotCost>, first: Measures): string =>
  [
    columns.map(([title]) => title),
    ...costs.map((cost) => {
      const model = modelled(cost, first)
      return columns.map(([, cell]) => String(cell(cost, model)))
    })
  ]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")
