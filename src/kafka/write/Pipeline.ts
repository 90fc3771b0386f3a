import { Deferred, Effect, Exit } from "effect"
import { type KafkaError, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import type { Appended } from "../KafkaSink.ts"

/**
 * The appends of one partition that are not answered yet. They share one connection: what the first of them opened. As
 * soon as one of them is not appended, those behind it that were not sent yet are not sent: a broker that has forgotten
 * the producer would append them in its place.
 */
export interface Pipeline {
  /** The connection of the earlier ones; undefined for the first. */
  connection: object | undefined
  isBroken: boolean
  unanswered: number
  /** Ends when the newest append was sent, or will not be. */
  lastSent: Effect.Effect<void>
}

/** The turn of one append in its pipeline. */
export interface Turn {
  readonly pipeline: Pipeline
  /** To be called when the append was written to the connection: the next one may follow. */
  readonly sent: (connection: object) => void
}

export interface Pipelines {
  /** Runs one append in its turn: in the order of the calls of each partition. */
  readonly inTurn: (
    key: string,
    append: (turn: Turn) => Effect.Effect<Appended, KafkaError>
  ) => Effect.Effect<Appended, KafkaError>
}

const heldBack: KafkaReason = new ProtocolFailure({
  detail: "an earlier batch of the partition was not acknowledged, so this one was not sent",
  transient: true
})

export const makePipelines = (): Pipelines => {
  const pipelines = new Map<string, Pipeline>()

  const of = (key: string): Pipeline => {
    const existing = pipelines.get(key)
    if (existing !== undefined) return existing
    const made: Pipeline = { connection: undefined, isBroken: false, unanswered: 0, lastSent: Effect.void }
    pipelines.set(key, made)
    return made
  }

  return {
    inTurn: (key, append) =>
      // A turn that was taken ends in any case, or all later ones would wait for it.
      Effect.uninterruptibleMask((restore) => {
        const pipeline = of(key)
        const before = pipeline.lastSent
        const mine = Deferred.makeUnsafe<void>()
        pipeline.lastSent = Deferred.await(mine)
        pipeline.unanswered++
        const sent = (connection: object) => {
          pipeline.connection = connection
          Deferred.doneUnsafe(mine, Effect.void)
        }
        const work = Effect.suspend(() =>
          pipeline.isBroken
            ? Effect.succeed<Appended>({ _tag: "NotYet", reason: heldBack })
            : append({ pipeline, sent })
        )
        return restore(Effect.andThen(before, work)).pipe(
          // An interrupted append counts as broken, too: its batch may or may not be in the log.
          Effect.onExit((exit) =>
            Effect.sync(() => {
              if (!Exit.isSuccess(exit) || exit.value._tag !== "Appended") pipeline.isBroken = true
              pipeline.unanswered--
              if ((pipeline.isBroken || pipeline.unanswered === 0) && pipelines.get(key) === pipeline) {
                pipelines.delete(key)
              }
              Deferred.doneUnsafe(mine, Effect.void)
            })
          )
        )
      })
  }
}
