import type { BadManifest } from "./badManifests.ts"
import { changed } from "./restoreManifests.ts"

/** What people write by mistake into `offsetReset` and `rollback`. */

const reset = (mistake: string, fields: object, field: string, says: string): BadManifest => ({
  mistake,
  manifest: changed(["offsetReset", fields]),
  field: field === "" ? "spec.offsetReset" : `spec.offsetReset.${field}`,
  says
})

const rollback = (mistake: string, fields: object, field: string, says: string): BadManifest => ({
  mistake,
  manifest: changed(["rollback", fields]),
  field: `spec.rollback.${field}`,
  says
})

const [enabled, consumerGroups] = [true, ["*"]]
const needsTime = "strategy timestamp needs one of timestamp and timestampMillis; no other strategy takes them"
const needsOffset = "strategy offset needs offset; no other strategy takes it"

export const badOffsetResets: ReadonlyArray<BadManifest> = [
  reset("an empty offsetReset", {}, "enabled", "true sets offsets of consumer groups"),
  reset(
    "a reset that is not switched on or off",
    { strategy: "latest", consumerGroups },
    "enabled",
    "true sets offsets of consumer groups"
  ),
  reset("a reset without a strategy", { enabled, consumerGroups }, "strategy", "headerBased continues each group"),
  reset("a reset without groups", { enabled, strategy: "latest" }, "consumerGroups", "name the consumer groups"),
  reset(
    "a reset of no group",
    { enabled, strategy: "latest", consumerGroups: [] },
    "consumerGroups",
    "must name at least one consumer group; write '*'"
  ),
  reset(
    "a group without a name",
    { enabled, strategy: "latest", consumerGroups: [""] },
    "consumerGroups[0]",
    "must name a consumer group; write '*'"
  ),
  reset("an unknown strategy", { enabled, strategy: "newest", consumerGroups }, "strategy", "headerBased"),
  reset("a time strategy without a time", { enabled, strategy: "timestamp", consumerGroups }, "", needsTime),
  reset(
    "a time without its strategy",
    { enabled, strategy: "exact", consumerGroups, timestampMillis: 5 },
    "",
    needsTime
  ),
  reset(
    "two times",
    { enabled, strategy: "timestamp", consumerGroups, timestampMillis: 5, timestamp: "2026-03-01T01:15:00Z" },
    "",
    needsTime
  ),
  ...["2026-03-01", "2026-02-30T00:00:00Z", "2026-03-01T01:15:00", "yesterday"].map((timestamp) =>
    reset(
      `the time ${timestamp}`,
      { enabled, strategy: "timestamp", consumerGroups, timestamp },
      "timestamp",
      "must be a time with a time zone, such as 2026-03-01T01:15:00Z"
    )
  ),
  reset("an offset strategy without an offset", { enabled, strategy: "offset", consumerGroups }, "", needsOffset),
  reset(
    "an offset without its strategy",
    { enabled, strategy: "earliest", consumerGroups, offset: 1 },
    "",
    needsOffset
  ),
  reset("a negative offset", { enabled, strategy: "offset", consumerGroups, offset: -1 }, "offset", "0"),
  rollback("an empty rollback", {}, "enabled", "true stores the offsets before the restore"),
  rollback("a rollback that is not switched on", { snapshotId: "s" }, "enabled", "true stores the offsets"),
  rollback(
    "a snapshot outside of its folder",
    { enabled, snapshotId: "../manifest" },
    "snapshotId",
    "must be a name of letters, digits"
  )
]
