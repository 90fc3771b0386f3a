import { graph, type Plan } from "./Panels.ts"
import { each, gained, named } from "./Query.ts"

const perDay = ["resource_namespace", "name"] as const

/** How much is stored, and how fast it grows. */
export const growth: ReadonlyArray<Plan> = [
  graph({
    title: "Stored in all backups",
    description:
      "Stored bytes of all backups of a resource, each object counted once: what the bucket holds. It grows without end where spec.retention is missing. Absent where runs read nothing again (percentPerRun 0).",
    queries: [{ expr: each("stored_bytes"), legend: named }],
    unit: "bytes"
  }),
  graph({
    title: "Size of the newest backup",
    description:
      "Stored bytes of all objects that the newest backup names. A sudden fall: topics were deleted, their retention was shortened, or the selection no longer finds them.",
    queries: [{ expr: each("last_success_size_bytes"), legend: named }],
    unit: "bytes"
  }),
  graph({
    title: "Records in the newest backup",
    description:
      "A sudden fall means the same as that of the size. A line that never moves: nobody writes to the topics any more, or the wrong cluster is backed up.",
    queries: [{ expr: each("last_success_records"), legend: named }]
  }),
  graph({
    title: "Stored bytes added in a day",
    description:
      "What successful runs stored in the 24 hours before. Steps at each full backup are usual; otherwise it follows the traffic of the topics.",
    queries: [{ expr: gained("run_bytes_total", perDay, "1d"), legend: named }],
    unit: "bytes"
  }),
  graph({
    title: "Records added in a day",
    description:
      "Records that successful runs added in the 24 hours before. 0 while producers write: the backups are not of the topics that you think of.",
    queries: [{ expr: gained("run_records_total", perDay, "1d"), legend: named }],
    width: 24
  })
]
