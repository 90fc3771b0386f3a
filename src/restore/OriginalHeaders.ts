import type { BackupSet } from "../manifest/Catalogue.ts"
import { type AppendedHeader, HeaderAppender } from "../segment/records/HeaderAppender.ts"

/** Where a record was before: headers that a restore adds when it is asked to. */
export interface OriginalHeaders {
  /** Name of the source cluster, where the backup has it in every record. */
  readonly sourceCluster?: string
}

/** The headers of a backup. Another tool's names no cluster beside its records. */
export const of = ({ facts }: BackupSet): OriginalHeaders => {
  const sourceCluster = facts?.settings.sourceClusterId
  return sourceCluster !== undefined && facts?.addedHeaders.includes("x-source-cluster") ? { sourceCluster } : {}
}

/**
 * Appends them to the records of one partition of the source, as the KBAK format defines them: offset and timestamp in
 * 8 bytes, the partition in 4, all little-endian.
 */
export const appender = ({ sourceCluster }: OriginalHeaders, partition: number): HeaderAppender => {
  const number = Buffer.alloc(4)
  number.writeInt32LE(partition)
  const cluster: ReadonlyArray<AppendedHeader> =
    sourceCluster === undefined ? [] : [{ key: "x-source-cluster", value: Buffer.from(sourceCluster) }]
  return new HeaderAppender([
    { key: "x-original-offset", value: "offset" },
    { key: "x-original-timestamp", value: "timestamp" },
    ...cluster,
    { key: "x-source-partition", value: number }
  ])
}
