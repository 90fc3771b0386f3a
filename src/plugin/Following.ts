import { Clock, Console, Effect, Exit } from "effect"
import * as Shutdown from "../cli/Shutdown.ts"
import { hasReason, KubernetesError } from "../kubernetes/KubernetesError.ts"
import * as Format from "../status/Format.ts"
import { NotInTime } from "./Problems.ts"

/** How far something is that a command asked for. */
export type Step<A> =
  | { readonly _tag: "Going"; readonly text: string }
  /** It is over, well or not. */
  | { readonly _tag: "Over"; readonly end: A }

export const going = (text: string): Step<never> => ({ _tag: "Going", text })
export const over = <A>(end: A): Step<A> => ({ _tag: "Over", end })

export interface Followed<A, O, E, R> {
  /** The object as it is now. */
  readonly read: Effect.Effect<O, E | KubernetesError, R>
  /** Pure: how far it is. */
  readonly judge: (object: O) => Step<A>
  readonly timeoutMillis: number
  /** For the message when the time is over: what was waited for. */
  readonly what: string
  /** What the user may do then. */
  readonly advice: string
}

const isAway = (error: unknown): error is KubernetesError =>
  error instanceof KubernetesError && hasReason("Unavailable", "Throttled")(error)

/** Between two looks. The operator writes progress every few seconds. */
const everyMillis = 1000

/** A stop while `effect` waits ends the command as the end of its time does: what was asked for goes on. */
const stopping =
  ({ advice, what }: Pick<Followed<never, never, never, never>, "advice" | "what">) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Shutdown.Outcome, (outcome) => {
      outcome.interruption = new NotInTime({ detail: `stopped waiting: ${what} has not ended`, advice })
      return Effect.onExit(effect, (exit) =>
        // What was interrupted is reported after this.
        Effect.sync(() => {
          if (!Exit.hasInterrupts(exit)) outcome.interruption = undefined
        })
      )
    })

/**
 * Looks again and again until it is over. Every change of the text goes to standard error. An API server that does not
 * answer for a while is waited for; what it refuses, and the end of the time, are failures.
 */
export const until = <A, O, E, R>({ advice, judge, read, timeoutMillis, what }: Followed<A, O, E, R>) =>
  Effect.gen(function* () {
    const begunMillis = yield* Clock.currentTimeMillis
    let said = ""
    const say = (text: string) =>
      Effect.suspend(() => {
        if (text === said) return Effect.void
        said = text
        return Console.error(text)
      })
    const look = Effect.map(read, judge).pipe(
      Effect.catchIf(isAway, () => Effect.succeed(going("the API server does not answer; waiting for it")))
    )
    while (true) {
      const step: Step<A> = yield* look
      if (step._tag === "Over") return step.end
      yield* say(step.text)
      const leftMillis = begunMillis + timeoutMillis - (yield* Clock.currentTimeMillis)
      if (leftMillis <= 0) {
        return yield* new NotInTime({
          detail: `${what} did not end within ${Format.duration(timeoutMillis)}: ${step.text}`,
          advice
        })
      }
      yield* Effect.sleep(Math.min(everyMillis, leftMillis))
    }
  }).pipe(stopping({ advice, what }))
