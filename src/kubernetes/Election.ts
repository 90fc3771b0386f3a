import { Clock, DateTime, Effect, Option } from "effect"
import { KubernetesApi } from "./KubernetesApi.ts"
import { hasReason, type KubernetesError } from "./KubernetesError.ts"
import { leases } from "./Kind.ts"
import type { Lease } from "./Objects.ts"
import * as Terms from "./LeaseTerms.ts"

/** Who leads, as far as this replica knows. */
export type Standing =
  | { readonly _tag: "Leading" }
  /** `holder` is undefined when it is not known yet who leads. `scope` is what it leads, where the lease says so. */
  | { readonly _tag: "Standby"; readonly holder: string | undefined; readonly scope: string | undefined }
  /** The lease could not be read or acquired for its whole duration, or never: this replica could not take over. */
  | { readonly _tag: "Unable"; readonly why: string }

export interface Settings {
  readonly namespace: string
  /** Name of the Lease. */
  readonly name: string
  /** Unique for this process. A pod's name alone is not: its container may be restarted. */
  readonly identity: string
  /** What this process leads; kept in the lease while it does, so that other candidates can tell. */
  readonly scope?: string
  /** How long other replicas wait after the last renewal. Default 15,000. */
  readonly leaseMillis?: number
  /** Between two renewals; well below two thirds of `leaseMillis`, when the leader gives up. Default 5,000. */
  readonly renewMillis?: number
  /** After a failed attempt, and between two reads of a standby replica. Default 2,000. */
  readonly retryMillis?: number
  /** Called on every change, for health and metrics. */
  readonly onChange?: (standing: Standing) => Effect.Effect<void>
}

/** Releasing the lease must not delay the end of the process; after this long it is left to expire. */
const releaseMillis = 5_000

/** A failing election is logged this often. */
const logEveryMillis = 60_000

/** The held lease, and when the request that acquired or renewed it was sent. */
interface Held {
  readonly lease: Lease
  readonly sinceMillis: number
}

const unknownLeader: Standing = { _tag: "Standby", holder: undefined, scope: undefined }

const isSame = (one: Standing, other: Standing): boolean =>
  one._tag === "Standby" && other._tag === "Standby"
    ? one.holder === other.holder && one.scope === other.scope
    : one._tag === other._tag

const logStanding = (standing: Standing): Effect.Effect<void> => {
  switch (standing._tag) {
    case "Leading":
      return Effect.logInfo("this replica leads")
    case "Standby":
      return Effect.annotateLogs(Effect.logInfo("standing by"), { leader: standing.holder ?? "unknown" })
    case "Unable":
      return Effect.annotateLogs(Effect.logWarning("this replica could not take over"), { error: standing.why })
  }
}

/** Elapsed time: setting the node's clock does not make a lease longer. */
const elapsedMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/**
 * Runs `work` while this process holds the lease, and returns its result. When the lease is lost, `work` is interrupted
 * before another replica can start, and this process becomes a candidate again. Other clocks are not trusted: a lease
 * has expired when it did not change for its whole duration while this process read it. The lease is released at the
 * end, so that the next replica need not wait.
 */
export const asLeader = <A, E, R>(
  settings: Settings,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | KubernetesApi> =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { identity, leaseMillis = 15_000, name, namespace, renewMillis = 5_000, retryMillis = 2_000 } = settings
    const ref = { namespace, name }
    const self: Terms.Candidate = { identity, scope: settings.scope }
    /** A leader that cannot renew stops when a third of the lease is left, in which its work ends. */
    const graceMillis = (leaseMillis * 2) / 3
    /** Leaves room for a second attempt within `graceMillis`. */
    const attemptMillis = Math.max(retryMillis, (graceMillis - renewMillis) / 2)

    /** For the election's own log lines, not those of `work`. */
    const named = Effect.annotateLogs({ lease: `${namespace}/${name}` })

    let standing: Standing | undefined
    const changed = settings.onChange ?? (() => Effect.void)
    const become = (next: Standing): Effect.Effect<void> => {
      if (standing !== undefined && isSame(standing, next)) return Effect.void
      standing = next
      return Effect.andThen(named(logStanding(next)), changed(next))
    }

    let loggedMillis = Number.NEGATIVE_INFINITY
    const failing = "leader election fails"
    const warn = (error: string) =>
      Effect.flatMap(elapsedMillis, (now) => {
        const isRepeated = now - loggedMillis < logEveryMillis
        if (!isRepeated) loggedMillis = now
        return (isRepeated ? Effect.logDebug(failing) : Effect.logWarning(failing)).pipe(
          Effect.annotateLogs({ error }),
          named
        )
      })
    /** Another replica was faster: an ordinary result of an election. */
    const isOutrun = hasReason("Conflict", "AlreadyExists")
    const warnOf = (error: KubernetesError) =>
      isOutrun(error) ? named(Effect.logDebug(`another replica was faster: ${error.message}`)) : warn(error.message)

    /** True from the first request that may acquire the lease until another holder is read. */
    let mayHold = false
    let seen: Terms.Observed | undefined

    const read = Effect.map(api.get(leases, ref), Option.some).pipe(
      Effect.catchIf(hasReason("NotFound"), () => Effect.succeed(Option.none<Lease>()))
    )

    /** Acquires the lease when it is free or held by this process already; otherwise returns its holder. */
    const take = Effect.gen(function* () {
      const found = yield* read
      const sinceMillis = yield* elapsedMillis
      const now = yield* DateTime.now
      if (Option.isNone(found)) {
        mayHold = true
        const lease = yield* api.create(leases, Terms.first(ref, self, leaseMillis, now))
        return { _tag: "Held" as const, held: { lease, sinceMillis } }
      }
      seen = Terms.observed(seen, found.value, sinceMillis)
      const holder = Terms.holder(found.value)
      if (holder !== identity && !Terms.isFree(found.value, seen, sinceMillis, leaseMillis)) {
        mayHold = false
        return { _tag: "Taken" as const, holder, scope: Terms.scope(found.value) }
      }
      mayHold = true
      const lease = yield* api.replace(leases, Terms.renewed(found.value, self, leaseMillis, now))
      return { _tag: "Held" as const, held: { lease, sinceMillis } }
    })

    /** When this replica last knew who leads; undefined: never. */
    let knownMillis: number | undefined
    const know = Effect.map(elapsedMillis, (now) => void (knownMillis = now))

    /** For a moment who led before may lead still. */
    const unable = (why: string) =>
      Effect.flatMap(elapsedMillis, (now) =>
        knownMillis === undefined || now - knownMillis >= leaseMillis ? become({ _tag: "Unable", why }) : Effect.void
      )

    const acquire = Effect.gen(function* () {
      while (true) {
        // A lease that took longer to acquire would be as good as lost.
        const outcome = yield* Effect.result(take).pipe(Effect.timeoutOption(graceMillis))
        if (Option.isSome(outcome) && outcome.value._tag === "Success") {
          const taken = outcome.value.success
          yield* know
          if (taken._tag === "Held") return taken.held
          yield* become({ _tag: "Standby", holder: taken.holder, scope: taken.scope })
        } else if (Option.isSome(outcome) && outcome.value._tag === "Failure" && isOutrun(outcome.value.failure)) {
          yield* know
          yield* warnOf(outcome.value.failure)
          if (standing?._tag !== "Standby") yield* become(unknownLeader)
        } else {
          const why =
            Option.isSome(outcome) && outcome.value._tag === "Failure"
              ? outcome.value.failure.message
              : `no answer within ${graceMillis} ms`
          yield* warn(why)
          yield* unable(why)
        }
        yield* Effect.sleep(retryMillis)
      }
    })

    /** Renews once. Returns the renewed lease, or undefined when another process holds it. */
    const renew = ({ lease }: Held) =>
      Effect.gen(function* () {
        const sinceMillis = yield* elapsedMillis
        const written = api.replace(leases, Terms.renewed(lease, self, leaseMillis, yield* DateTime.now))
        return { lease: yield* written, sinceMillis }
      }).pipe(
        // An answer was lost, another writer changed the lease, or another process holds it: read it again.
        Effect.catchIf(hasReason("Conflict", "NotFound"), () =>
          Effect.gen(function* () {
            const found = yield* read
            if (Option.isSome(found) && Terms.holder(found.value) !== identity) {
              mayHold = false
              return undefined
            }
            const outcome = yield* take
            return outcome._tag === "Held" ? outcome.held : undefined
          })
        )
      )

    /** Renews until that fails; returns why. */
    const keep = (first: Held) =>
      Effect.gen(function* () {
        let held = first
        /** Wait after a failed attempt; undefined: renew when it is due. */
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
            yield* warnOf(answered.value.failure)
            wait = retryMillis
          } else {
            if (answered.value.success === undefined) return "another process holds it"
            held = answered.value.success
            wait = undefined
          }
        }
      })

    /**
     * The work's result, or nothing when the lease was lost first. The work has ended in both cases, also on
     * interruption.
     */
    const lead = (held: Held): Effect.Effect<Option.Option<A>, E, R> =>
      Effect.raceFirst(
        Effect.map(Effect.andThen(become({ _tag: "Leading" }), work), Option.some),
        Effect.flatMap(keep(held), (why) =>
          Effect.logWarning("the lease is lost").pipe(
            Effect.annotateLogs({ error: why }),
            named,
            Effect.as(Option.none<A>())
          )
        )
      )

    const release = Effect.gen(function* () {
      const lease = yield* api.get(leases, ref)
      if (Terms.holder(lease) !== identity) return
      yield* api.replace(leases, Terms.released(lease, yield* DateTime.now))
      yield* Effect.logInfo("the lease is released")
    }).pipe(
      // A renewal that was under way at the stop may still arrive in between.
      Effect.retry({ times: 2, while: hasReason("Conflict") }),
      Effect.timeout(releaseMillis),
      Effect.catch((error) =>
        Effect.logInfo("the lease is not released and expires by itself").pipe(
          Effect.annotateLogs({ error: error.message })
        )
      )
    )

    const leave = Effect.gen(function* () {
      if (mayHold) yield* release
      if (standing?._tag === "Leading" || (standing?._tag === "Standby" && standing.holder !== undefined))
        yield* changed(unknownLeader)
    })

    return yield* Effect.gen(function* () {
      while (true) {
        const held = yield* acquire
        const outcome = yield* lead(held)
        if (Option.isSome(outcome)) return outcome.value
        yield* know
        yield* become(unknownLeader)
      }
    }).pipe(Effect.ensuring(named(leave)))
  })
