import type { RestoreFacts } from "../../../src/status/restore/RestoreFacts.ts"

export const nowMillis = Date.parse("2026-11-25T12:00:00Z")

/** A restore about which nothing is known yet. */
export const aRestore = (changes: Partial<RestoreFacts> = {}): RestoreFacts => ({
  generation: 1,
  problems: [],
  backupId: "shop-20261125-110000",
  hold: 86_400_000,
  holdEnd: undefined,
  active: undefined,
  ended: undefined,
  startedWritingMillis: undefined,
  refusal: undefined,
  ...changes
})

export const job = { jobName: "back-restore-1", startMillis: nowMillis - 60_000 }
export const plan = {
  records: 100,
  partitions: 4,
  exact: 2,
  renumbered: 0,
  topics: [
    { name: "orders", records: 90 },
    { name: "bills", records: 10 }
  ]
}
