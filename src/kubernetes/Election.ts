import { Clock, DateTime, Effect, Option } from "effect"
import { KubernetesApi } from "./KubernetesApi.ts"
import { hasReason, type KubernetesError } from "./KubernetesError.ts"
import { leases } from "./Kind.ts"
import type { Lease } from "./Objects.ts"
import * as Terms from "./LeaseTerms.ts"

/** Who leads, seen from here. */
export type Standing =
  | { readonly _tag: "Leading" }
  /** `holder` is undefined when nobody leads, or when we cannot see who. */
  | { readonly _tag: "Standby"; readonly holder: string | undefined }

export interface Settings {
  readonly namespace: string
  /** Of the Lease. */
  readonly name: string
  /** Of this process, and of no other: not of its pod, which may outlive it. */
  readonly identity: string
  /** How long the others wait after the last sign of life. Default 15,000. */
  readonly leaseMillis?: number
  /** From one sign of life to the next; well below two thirds of `leaseMillis`, after which we would give up. Default 5,000. */
  readonly renewMillis?: number
  /** From one attempt that failed to the next, and of looking whether the leader is still there. Default 2,000. */
  readonly retryMillis?: number
  /** Told of every change, for health and metrics. */
  readonly onChange?: (standing: Standing) => Effect.Effect<void>
}

/** Giving the lease back must not hold up the end of the process; after this long the others wait for it to run out. */
const releaseMillis = 5_000

/** A failure of the election itself is told this often. */
const tellMillis = 60_000

/** The lease is ours: what it looks like, and when the request was sent that made it so. */
interface Held {
  readonly lease: Lease
  readonly sinceMillis: number
}

const nobody: Standing = { _tag: "Standby", holder: undefined }

const isSame = (one: Standing, other: Standing): boolean =>
  one._tag === "Leading" ? other._tag === "Leading" : other._tag === "Standby" && one.holder === other.holder

const sentence = (standing: Standing, lease: string): string => {
  if (standing._tag === "Leading") return `Leading: we hold the lease ${lease}`
  return `Standing by: ${standing.holder === undefined ? "nobody is seen to lead" : `${standing.holder} leads`}`
}

/** Elapsed time only: setting the node's clock makes no lease longer. */
const elapsedMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/**
 * Runs `work` while we hold the lease, and gives what it gives. When the lease is lost, `work` is interrupted before anybody
 * else can begin, and we stand for election again. The others' clocks are not trusted: a lease has run out when it did not
 * change for its whole length while we looked. Given back at the end, so that the next one need not wait.
 */
export const asLeader = <A, E, R>(
  settings: Settings,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | KubernetesApi> =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { identity, leaseMillis = 15_000, name, namespace, renewMillis = 5_000, retryMillis = 2_000 } = settings
    const place = { namespace, name }
    /** A leader that cannot renew stops when a third of the lease is left: for its work to end in. */
    const graceMillis = (leaseMillis * 2) / 3
    /** Leaves room for a second attempt before the grace is over. */
    const attemptMillis = Math.max(retryMillis, (graceMillis - renewMillis) / 2)

    let standing: Standing | undefined
    const changed = settings.onChange ?? (() => Effect.void)
    const become = (next: Standing): Effect.Effect<void> => {
      if (standing !== undefined && isSame(standing, next)) return Effect.void
      standing = next
      return Effect.andThen(Effect.logInfo(sentence(next, `${namespace}/${name}`)), changed(next))
    }

    let toldMillis = Number.NEGATIVE_INFINITY
    const tell = (why: string) =>
      Effect.flatMap(elapsedMillis, (now) => {
        if (now - toldMillis < tellMillis) return Effect.logDebug(`Election: ${why}`)
        toldMillis = now
        return Effect.logWarning(`Election: ${why}`)
      })
    /** Somebody else was faster: that is what elections are for. */
    const isOutrun = hasReason("Conflict", "AlreadyExists")
    const tellError = (error: KubernetesError) =>
      isOutrun(error) ? Effect.logDebug(`Election: ${error.message}`) : tell(error.message)

    /** True from the first request that could make the lease ours until somebody else is seen to hold it. */
    let mayHold = false
    let seen: Terms.Sighting | undefined

    const look = Effect.map(api.get(leases, place), Option.some).pipe(
      Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(Option.none<Lease>()))
    )

    /** Makes the lease ours when it is free or ours already; otherwise says who holds it. */
    const take = Effect.gen(function* () {
      const found = yield* look
      const sinceMillis = yield* elapsedMillis
      const now = yield* DateTime.now
      if (Option.isNone(found)) {
        mayHold = true
        const lease = yield* api.create(leases, Terms.first(place, identity, leaseMillis, now))
        return { _tag: "Held" as const, held: { lease, sinceMillis } }
      }
      seen = Terms.sighting(seen, found.value, sinceMillis)
      const holder = Terms.holder(found.value)
      if (holder !== identity && !Terms.isFree(found.value, seen, sinceMillis, leaseMillis)) {
        mayHold = false
        return { _tag: "Taken" as const, holder }
      }
      mayHold = true
      const lease = yield* api.replace(leases, Terms.renewed(found.value, identity, leaseMillis, now))
      return { _tag: "Held" as const, held: { lease, sinceMillis } }
    })

    const acquire = Effect.gen(function* () {
      while (true) {
        // A lease that took longer to get would be as good as lost.
        const outcome = yield* Effect.result(take).pipe(Effect.timeoutOption(graceMillis))
        if (Option.isSome(outcome) && outcome.value._tag === "Success") {
          const taken = outcome.value.success
          if (taken._tag === "Held") return taken.held
          yield* become({ _tag: "Standby", holder: taken.holder })
        } else {
          yield* Option.match(outcome, {
            onNone: () => tell(`no answer within ${graceMillis} ms`),
            onSome: (answer) => (answer._tag === "Failure" ? tellError(answer.failure) : Effect.void)
          })
          if (standing === undefined) yield* become(nobody)
        }
        yield* Effect.sleep(retryMillis)
      }
    })

    /** Renews once: the lease as it is then, or undefined when somebody else has it. */
    const renew = ({ lease }: Held) =>
      Effect.gen(function* () {
        const sinceMillis = yield* elapsedMillis
        const written = api.replace(leases, Terms.renewed(lease, identity, leaseMillis, yield* DateTime.now))
        return { lease: yield* written, sinceMillis }
      }).pipe(
        // An answer of ours was lost, somebody wrote a label, or the lease is another's: look.
        Effect.catchIf(hasReason("Conflict", "NotFound"), () =>
          Effect.gen(function* () {
            const found = yield* look
            if (Option.isSome(found) && Terms.holder(found.value) !== identity) {
              mayHold = false
              return undefined
            }
            const outcome = yield* take
            return outcome._tag === "Held" ? outcome.held : undefined
          })
        )
      )

    /** Renews for as long as that goes well; says why it ended. */
    const keep = (first: Held) =>
      Effect.gen(function* () {
        let held = first
        /** After an attempt that failed; undefined: renew when it is time. */
        let wait: number | undefined
        while (true) {
          const ageMillis = (yield* elapsedMillis) - held.sinceMillis
          const inTime = yield* Effect.sleep(wait ?? Math.max(0, renewMillis - ageMillis)).pipe(
            Effect.andThen(Effect.result(renew(held)).pipe(Effect.timeoutOption(attemptMillis))),
            Effect.timeoutOption(Math.max(0, graceMillis - ageMillis))
          )
          if (Option.isNone(inTime)) return "it could not be renewed in time"
          const answered = inTime.value
          if (Option.isNone(answered)) {
            wait = 0
          } else if (answered.value._tag === "Failure") {
            yield* tellError(answered.value.failure)
            wait = retryMillis
          } else {
            if (answered.value.success === undefined) return "somebody else holds it"
            held = answered.value.success
            wait = undefined
          }
        }
      })

    /** The work's result, or nothing when the lease was lost first. The work has ended either way, also on interruption. */
    const lead = (held: Held): Effect.Effect<Option.Option<A>, E, R> =>
      Effect.raceFirst(
        Effect.map(Effect.andThen(become({ _tag: "Leading" }), work), Option.some),
        Effect.flatMap(keep(held), (why) =>
          Effect.as(Effect.logWarning(`The lease ${namespace}/${name} is lost: ${why}`), Option.none<A>())
        )
      )

    const giveBack = Effect.gen(function* () {
      const lease = yield* api.get(leases, place)
      if (Terms.holder(lease) !== identity) return
      yield* api.replace(leases, Terms.released(lease, yield* DateTime.now))
      yield* Effect.logInfo(`The lease ${namespace}/${name} is given back`)
    }).pipe(
      // A renewal that was under way when we were stopped may still arrive in between.
      Effect.retry({ times: 2, while: hasReason("Conflict") }),
      Effect.timeout(releaseMillis),
      Effect.catch((error) => Effect.logInfo(`The lease ${namespace}/${name} is left to run out: ${error.message}`))
    )

    const leave = Effect.gen(function* () {
      if (mayHold) yield* giveBack
      if (standing?._tag === "Leading" || standing?.holder !== undefined) yield* changed(nobody)
    })

    return yield* Effect.gen(function* () {
      while (true) {
        const held = yield* acquire
        const outcome = yield* lead(held)
        if (Option.isSome(outcome)) return outcome.value
        yield* become(nobody)
      }
    }).pipe(Effect.ensuring(leave))
  })
