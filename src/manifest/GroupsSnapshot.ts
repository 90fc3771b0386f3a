import type { PlannedGroup } from "./RunPlan.ts"

/** `consumer-groups-snapshot.json` in the open format: partitions are strings, times are milliseconds. */
export const encode = (groups: ReadonlyArray<PlannedGroup>, snapshotMillis: number): Uint8Array =>
  Buffer.from(
    JSON.stringify(
      {
        snapshot_time: snapshotMillis,
        groups: groups.map((group) => {
          const offsets: Record<string, Record<string, number>> = {}
          for (const { offset, partition, topic } of group.offsets) (offsets[topic] ??= {})[String(partition)] = offset
          return { group_id: group.groupId, offsets }
        })
      },
      null,
      2
    )
  )
