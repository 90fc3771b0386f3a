import { Effect } from "effect"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import { CatalogueError } from "../manifest/CatalogueError.ts"
import type { Restorable } from "../resource/BackupRef.ts"
import * as RetentionHoldSpec from "../resource/RetentionHoldSpec.ts"
import { BackupGone, RestoreError } from "./RestoreError.ts"
import * as RetentionHold from "./RetentionHold.ts"
import * as SpecRequest from "./SpecRequest.ts"

/*
 * A restore that is complete is repeated to end its hold. By then retention may have removed the backup. The hold needs
 * nothing of it: the target cluster remembers what each topic gets.
 */

const isGone = ({ reason }: CatalogueError): boolean =>
  reason._tag === "SetNotFound" || (reason._tag === "SetIncomplete" && reason.state !== "unfinished")

/** Most topics that a text names. */
const mostNamed = 5

const named = (topics: ReadonlyArray<string>): string =>
  topics.length <= mostNamed
    ? topics.join(", ")
    : `${topics.slice(0, mostNamed).join(", ")} and ${topics.length - mostNamed} more`

const orAnother = "to restore another backup, correct backupId"

/** What is said of the hold, and what is left to do. Pure. */
export const told = (
  topics: ReadonlyArray<string>,
  state: RetentionHold.HoldState
): { readonly what: string; readonly advice: string } => {
  if (state._tag === "Held") {
    const until = state.untilMillis === undefined ? "" : ` until ${new Date(state.untilMillis).toISOString()}`
    const later = state.untilMillis === undefined ? "" : ", or repeat this after that time"
    return {
      what: `the retention hold of its topics lasts${until}: ${named(topics)}`,
      advice: `end the hold with --end-hold, which needs neither the backup nor its storage${later}; ${orAnother}`
    }
  }
  const what = state.ended === 0 ? "the retention hold of its topics has ended" : "its retention hold was ended now"
  const refused = state.refused ?? []
  return refused.length === 0
    ? { what: `${what}: ${named(topics)}`, advice: `nothing is left to do for this restore; ${orAnother}` }
    : {
        what: `${what}, but the brokers refuse ${refused.map(({ name, topic }) => `${name} of ${topic}`).join(", ")}`,
        advice: `set it with kafka-configs: it is still -1; ${orAnother}`
      }
}

/**
 * Ends the hold that is due where `work` finds no backup, and the target cluster remembers that this restore was
 * complete: it fails with `BackupGone` then. Everything else fails as it does.
 */
export const endingHold =
  ({ sink, source }: { readonly sink: KafkaSinkShape; readonly source: KafkaSourceShape }, resource: Restorable) =>
  <A, E, R>(work: Effect.Effect<A, E, R>) =>
    Effect.catchIf(
      work,
      (error): error is E & CatalogueError => error instanceof CatalogueError && isGone(error),
      Effect.fnUntraced(function* (error) {
        const owner = SpecRequest.owner(resource)
        const hold = RetentionHoldSpec.hold(resource.spec.retentionHold)
        const found = yield* RetentionHold.advanceKnown(sink, source, owner, hold)
        if (found === undefined) return yield* Effect.fail<E & CatalogueError>(error)
        const { advice, what } = told(found.topics, found.state)
        return yield* new RestoreError({
          reason: new BackupGone({
            detail: `${error.message}; an earlier attempt of this restore was complete, and ${what}`,
            advice
          })
        })
      })
    )
