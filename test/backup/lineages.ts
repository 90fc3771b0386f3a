import * as Lineage from "../../src/backup/Lineage.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import type { SetFacts } from "../../src/manifest/SetFacts.ts"

/** Facts of a backup that holds this many records of each topic, in one partition each. */
export const facts = (
  topics: Readonly<Record<string, number>>,
  changes: Partial<Pick<SetFacts, "clusterId" | "selection" | "topics" | "backupId">> = {}
): SetFacts => ({
  version: 1,
  backupId: BackupId.make("nightly-20261123-010000"),
  identity: { owner: { name: "nightly" }, slot: "2026-11-23T01:00:00Z" },
  settings: { compression: "zstd", compressionLevel: 3, includeOffsetHeaders: false },
  addedHeaders: [],
  startedMillis: 0,
  completedMillis: 0,
  totals: { topics: 0, partitions: 0, segments: 0, records: 0, payloadBytes: 0, storedBytes: 0 },
  topics: Object.entries(topics).map(([name, records]) => ({
    name,
    topicId: `id of ${name}`,
    partitions: [{ partition: 0, from: 0, until: 1000, records }]
  })),
  gaps: [],
  notes: [],
  ...changes
})

export const lineage = (...given: Parameters<typeof facts>): Lineage.Lineage => Lineage.of(facts(...given))
