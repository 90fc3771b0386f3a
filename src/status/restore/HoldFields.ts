import * as Format from "../Format.ts"
import type { RestoreFacts, RestoreStatus } from "./RestoreFacts.ts"
import type { RestoreReasonOf } from "./RestoreReasons.ts"

/* The retention hold: how long brokers keep old records of topics that are restored. */

const held = ({ conditions }: RestoreStatus) =>
  conditions?.some(
    ({ reason, status, type }) => type === "RetentionHeld" && status === "True" && reason !== "HeldWithoutEnd"
  ) ?? false

/** When the hold of a complete restore ends, in milliseconds since 1970; undefined where there is none to end. */
export const endMillis = (status: RestoreStatus, hold: RestoreFacts["hold"]): number | undefined =>
  hold === "forever" || status.completionTime === undefined || !held(status)
    ? undefined
    : Format.millis(status.completionTime) + hold

/** Whether the topics still keep old records; undefined where nothing new is known. */
export const answer = (
  { ended, hold, holdEnd }: RestoreFacts,
  status: RestoreStatus
):
  | { readonly status: "True" | "False"; readonly reason: RestoreReasonOf<"RetentionHeld">; readonly message: string }
  | undefined => {
  if (holdEnd !== undefined) {
    return holdEnd.isSuccess
      ? { status: "False", reason: "HoldEnded", message: "The restored topics have the retention of the backup." }
      : { status: "True", reason: "HoldNotEnded", message: Format.sentence(holdEnd.message) }
  }
  const { held: isHeld = false, holdWithoutEnd = false } = ended?.summary ?? {}
  if (isHeld && (holdWithoutEnd || ended?.reason === "EditTooLate")) {
    const why = holdWithoutEnd
      ? "the restore lacks Read on its consumer group, so it cannot remember and end this hold"
      : "the restore that set them had an earlier spec, so the operator does not end its hold"
    return {
      status: "True",
      reason: "HeldWithoutEnd",
      message: `retention.ms and retention.bytes of the restored topics are -1 until somebody sets them, for example with kafka-configs: ${why}.`
    }
  }
  if (ended?.outcome !== "success" || !isHeld || status.completionTime === undefined) {
    return undefined
  }
  const until =
    hold === "forever"
      ? "until somebody changes it"
      : `until ${Format.time(Format.millis(status.completionTime) + hold)}`
  return {
    status: "True",
    reason: "Held",
    message: `retention.ms and retention.bytes of the restored topics are -1 ${until}, so that brokers keep old records. Keep this resource until then: without it nothing ends the hold.`
  }
}
