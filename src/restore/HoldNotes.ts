import * as Configuring from "./Configuring.ts"
import type { Hold } from "../resource/RetentionHoldSpec.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import type { HoldState } from "./RetentionHold.ts"
import * as WantedConfigs from "./WantedConfigs.ts"

/** What the retention hold of a restore means for old records, for people. Pure. */

/** Kafka's default of `log.retention.hours`, for topics without a retention of their own. */
const defaultRetentionMillis = 7 * 86_400_000

const timeText = (millis: number): string => new Date(millis).toISOString().replace(/[.][0-9]+Z$/, "Z")

/** `7d`, `36h`, `90s`: in the largest unit without a rest. */
const durationText = (millis: number): string => {
  const [unit, size] = (
    [
      ["d", 86_400_000],
      ["h", 3_600_000],
      ["m", 60_000],
      ["s", 1000]
    ] as const
  ).find(([, size]) => millis > 0 && millis % size === 0) ?? ["ms", 1]
  return `${millis / size}${unit}`
}

/** The smallest timestamp that is restored. */
const oldestMillis = ({ partitions, sources }: PlannedTopic): number | undefined => {
  const times = (sources ?? partitions).flatMap(({ segments }) =>
    segments.map(({ kept, start_timestamp }) => kept?.minTimestamp ?? start_timestamp)
  )
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b))
}

/** Topics whose oldest records are older at that time than the retention allows that they are going to have. */
const losing = (topics: ReadonlyArray<PlannedTopic>, wanted: ConfigChoice, atMillis: number): ReadonlyArray<string> =>
  topics.flatMap((topic) => {
    const { target } = topic
    const oldest = oldestMillis(topic)
    const own = WantedConfigs.valueOf(topic, wanted, "retention.ms")
    const retentionMillis = own === undefined ? defaultRetentionMillis : Number(own)
    const isDeleting = (WantedConfigs.valueOf(topic, wanted, "cleanup.policy") ?? "delete").includes("delete")
    if (!isDeleting || retentionMillis < 0 || oldest === undefined || oldest + retentionMillis >= atMillis) return []
    const length = own === undefined ? "the default of the brokers" : durationText(retentionMillis)
    return [`${target} (retention.ms: ${length}; oldest record: ${timeText(oldest)})`]
  })

const listed = (items: ReadonlyArray<string>) =>
  items.length <= 5 ? items.join(", ") : `${items.slice(0, 5).join(", ")} and ${items.length - 5} more`

/** What a restore that completes now does to old records: for a dry run. */
export const beforehand = (
  topics: ReadonlyArray<PlannedTopic>,
  wanted: ConfigChoice,
  hold: Hold,
  nowMillis: number
): ReadonlyArray<string> => {
  if (hold === "forever") return []
  const affected = losing(topics, wanted, nowMillis + hold)
  if (affected.length === 0) return []
  const when = hold === 0 ? "the restore is complete" : "the retention hold ends"
  return [`brokers remove old records within minutes after ${when}, in ${listed(affected)}`]
}

/** Where the hold stands when the restore is complete. */
export const notes = (
  topics: ReadonlyArray<PlannedTopic>,
  wanted: ConfigChoice,
  state: HoldState,
  isRemembered: boolean,
  nowMillis: number
): ReadonlyArray<string> => [...refusals(state), ...ofState(topics, wanted, state, isRemembered, nowMillis)]

/** What topics keep because the brokers refused it when their hold ended. */
const refusals = ({ refused = [] }: Pick<HoldState, "refused">): ReadonlyArray<string> =>
  refused.map((one) => `${one.topic} keeps ${one.name} -1 although its hold has ended: ${Configuring.because(one)}`)

const ofState = (
  topics: ReadonlyArray<PlannedTopic>,
  wanted: ConfigChoice,
  state: HoldState,
  isRemembered: boolean,
  nowMillis: number
): ReadonlyArray<string> => {
  if (state._tag === "Final") {
    if (state.ended > 0) {
      const refused = new Set(state.refused?.map(({ topic }) => topic)).size
      return [`the retention hold has ended. ${state.ended - refused} topics have the retention of the backup`]
    }
    const affected = losing(topics, wanted, nowMillis)
    return affected.length === 0
      ? []
      : [`there is no retention hold. Brokers remove old records within minutes, in ${listed(affected)}`]
  }
  const held = "retention.ms and retention.bytes of the restored topics are -1, so that brokers keep old records."
  if (!isRemembered) {
    return [
      `${held} The restore cannot end this hold, because it lacks Read on its consumer group: set them with kafka-configs`
    ]
  }
  const { untilMillis } = state
  const affected = losing(topics, wanted, untilMillis ?? nowMillis)
  return [
    untilMillis === undefined
      ? `${held} They stay -1 until kafka-backup restore --end-hold is run`
      : `${held} The hold ends with the first repeat of this restore after ${timeText(untilMillis)}, or at once with --end-hold`,
    ...(affected.length === 0
      ? []
      : [`when the hold ends, brokers remove old records within minutes, in ${listed(affected)}`])
  ]
}
