import type { PlannedGroup } from "./RunPlan.ts"

/** `consumer-groups-snapshot.json` in the open format: partitions are strings, times are milliseconds. */
export const encode = (groups: ReadonlyArray<PlannedGroup>, snapshotMillis: number): Uint8Array =>
  Buffer.from(
    JSON.stringify(
      {
        snapshot_time: snapshotMillis,
        groups: groups.map((group) => {
          // A topic may be named like something that every ordinary object has: constructor, __proto__.
          const offsets = Object.create(null) as Record<string, Record<string, number>>
          for (const { offset, partition, topic } of group.offsets) (offsets[topic] ??= {})[String(partition)] = offset
          return { group_id: group.groupId, offsets }
        })
      },
      null,
      2
    )
  )
