import type { Owner, RunIdentity } from "../identity/RunIdentity.ts"
import { slotText } from "../identity/RunIdentity.ts"

/** Why a run exists. Instants are milliseconds since 1970. */
export type RunCause =
  | { readonly _tag: "Slot"; readonly slotMillis: number }
  | { readonly _tag: "Trigger"; readonly token: string; readonly firstSeenMillis: number }
  /**
   * The run of a resource without schedule, or the first run at once of one with a schedule; its slot is the resource's
   * creation.
   */
  | { readonly _tag: "Once"; readonly slotMillis: number }

/** The identity of the cause's run: equal for equal slots or trigger values of one owner, at any time. */
export const identity = (owner: Owner, cause: RunCause): RunIdentity =>
  cause._tag === "Trigger"
    ? { owner, slot: slotText(cause.firstSeenMillis), trigger: cause.token }
    : { owner, slot: slotText(cause.slotMillis) }
