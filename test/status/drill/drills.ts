import type { DrillFacts, EndedDrill } from "../../../src/status/drill/DrillFacts.ts"
import type { Facts } from "../../../src/status/Facts.ts"
import * as Next from "../../../src/status/Next.ts"
import type { Status } from "../../../src/status/Status.ts"
import { at, hourly, succeeded } from "../facts.ts"

/** What a reconcile found about drills at a quarter past each hour, of which none has started. */
export const drillFacts = (over: Partial<DrillFacts> = {}): DrillFacts => ({
  schedule: { text: "15 * * * *" },
  state: { _tag: "Scheduled", nextMillis: at("13:15"), intervalSeconds: 3600 },
  memory: { observedSchedule: "15 * * * * in UTC", sinceMillis: at("11:30") },
  active: undefined,
  ended: [],
  queue: undefined,
  refusal: undefined,
  unresolved: undefined,
  usedBefore: undefined,
  ...over
})

/** The drill of this time of day, which took ten seconds and passed. */
export const passed = (time: string, over: Partial<EndedDrill> = {}): EndedDrill => ({
  jobName: `orders-drill-${time.replace(":", "")}`,
  cause: "schedule",
  startMillis: at(time),
  endMillis: at(time) + 10_000,
  outcome: "passed",
  backupId: "orders-20261124-120000",
  summary: {
    result: "Passed",
    capturedAt: "2026-11-24T12:00:00Z",
    topics: 2,
    partitions: 6,
    records: 12_345,
    bytes: 5_000_000,
    seconds: 8,
    estimatedSeconds: 7384,
    comparedLiveRecords: 12_000,
    leftTopicCount: 0,
    leftTopics: []
  },
  ...over
})

export const failed = (time: string, over: Partial<EndedDrill> = {}): EndedDrill =>
  passed(time, { outcome: "failed", reason: "Differs", message: "orders[3] differs at offset 17", ...over })

export const incomplete = (time: string, over: Partial<EndedDrill> = {}): EndedDrill => {
  const { summary: _, ...rest } = passed(time)
  return { ...rest, outcome: "incomplete", reason: "BrokerUnreachable", message: "no broker answers", ...over }
}

/** The facts with drills, of a resource whose backup of noon succeeded. */
export const withDrills = (drill: Partial<DrillFacts> = {}, over: Partial<Facts> = {}): Facts =>
  hourly({ ended: [succeeded("12:00")], drill: { _tag: "Found", facts: drillFacts(drill) }, ...over })

/** The status that follows from these facts, each at its time of day. */
export const after = (...steps: ReadonlyArray<readonly [time: string, facts: Facts]>): Status =>
  steps.reduce<Status>((status, [time, facts]) => Next.next(status, facts, at(time)), {})

export const restorable = ({ conditions }: Status) => conditions?.find(({ type }) => type === "Restorable")
