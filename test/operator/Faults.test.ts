import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import * as Kind from "../../src/kubernetes/Kind.ts"
import {
  Conflict,
  Forbidden,
  Gone,
  type KubernetesReason,
  Throttled,
  Unauthorized,
  Unavailable
} from "../../src/kubernetes/KubernetesError.ts"
import type { Call, Fault } from "../../src/kubernetes/memory/Faults.ts"
import * as Histories from "./histories.ts"

const detail = "scripted"
const reasons: Readonly<Record<string, KubernetesReason>> = {
  "409 Conflict": new Conflict({ detail }),
  "410 Gone": new Gone({ detail }),
  "429 with Retry-After": new Throttled({ detail, retryAfterMillis: 5_000 }),
  "500": new Unavailable({ detail }),
  "401": new Unauthorized({ detail }),
  "403": new Forbidden({ detail, isQuota: false, isNamespaceTerminating: false })
}

const faults: Readonly<Record<string, (means: Histories.Means) => Fault>> = {
  ...Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => [name, () => ({ _tag: "Fail", reason }) as const])
  ),
  "an answer that is lost": () => ({ _tag: "LoseAnswer" }),
  "twenty seconds of silence": () => ({ _tag: "Delay", duration: Duration.seconds(20) })
}

const isWatch = ({ verb }: Call) => verb === "watch"

/** Of requests about the same thing the fault meets the first, the third and so on. */
const everySecond =
  (fault: (means: Histories.Means) => Fault): Histories.Disturbance =>
  (means) => {
    const made = new Map<string, number>()
    return (call) => {
      if (isWatch(call)) return []
      const request = [call.verb, call.kind, call.name, call.subresource].join(" ")
      const before = made.get(request) ?? 0
      made.set(request, before + 1)
      return before % 2 === 0 ? [fault(means)] : []
    }
  }

const describedCall = ({ index, kind, subresource, verb }: Call) =>
  `${index} (${verb} ${kind}${subresource === undefined ? "" : `/${subresource}`})`

describe("a disturbed history ends as the undisturbed one", () => {
  for (const [name, fault] of Object.entries(faults)) {
    it.live(`when every second request meets ${name}`, () =>
      Effect.gen(function* () {
        const calm = yield* Histories.played([])
        let met = 0
        const counted = (means: Histories.Means) => {
          met++
          return fault(means)
        }
        const disturbed = yield* Histories.played([everySecond(counted)])
        expect(met).toBeGreaterThan(20)
        // Events that the operator may not write are counted and forgotten.
        const isWithEvents = name !== "403"
        expect(Histories.differences(calm, disturbed, isWithEvents)).toEqual([])
      })
    )
  }

  const stale = {
    "every kind": undefined,
    KafkaBackups: Kind.kafkaBackups,
    Jobs: Kind.jobs,
    pods: Kind.pods
  } as const
  for (const [name, kind] of Object.entries(stale)) {
    it.live(
      `when the cache of ${name} gets old from some request on, for half a minute`,
      () =>
        Effect.gen(function* () {
          const calm = yield* Histories.played([])
          const found: Array<string> = []
          const step = Histories.count > 0 ? 1 : 9
          for (let index = 2; index <= calm.calls.length; index += step) {
            const disturbed = yield* Histories.played([Histories.nth(index, ({ hold }) => hold(30_000, kind))])
            const call = describedCall(disturbed.calls[index - 1]!)
            found.push(...Histories.differences(calm, disturbed).map((each) => `${call}: ${each}`))
          }
          expect(found).toEqual([])
        }),
      300_000
    )
  }

  it.live(
    "when watches begin anew at some request",
    () =>
      Effect.gen(function* () {
        const calm = yield* Histories.played([])
        const found: Array<string> = []
        const step = Histories.count > 0 ? 1 : 9
        for (let index = 4; index <= calm.calls.length; index += step) {
          const disturbed = yield* Histories.played([Histories.nth(index, ({ relist }) => relist)])
          const call = describedCall(disturbed.calls[index - 1]!)
          found.push(...Histories.differences(calm, disturbed).map((each) => `${call}: ${each}`))
        }
        expect(found).toEqual([])
      }),
    300_000
  )

  if (Histories.count > 0) {
    for (const [name, fault] of Object.entries(faults)) {
      it.live(
        `when one request, whichever, meets ${name}`,
        () =>
          Effect.gen(function* () {
            const calm = yield* Histories.played([])
            const found: Array<string> = []
            for (let index = 4; index <= calm.calls.length; index++) {
              const disturbed = yield* Histories.played([Histories.nth(index, fault)])
              const call = describedCall(disturbed.calls[index - 1]!)
              const isWithEvents = name !== "403"
              found.push(...Histories.differences(calm, disturbed, isWithEvents).map((each) => `${call}: ${each}`))
            }
            expect(found).toEqual([])
          }),
        300_000
      )
    }
  }
})

/** Numbers in [0, 1) that follow from the seed. */
const random = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** About one request in six meets something; crashes, which take long to heal, are fewer. */
const schedule =
  (seed: number): Histories.Disturbance =>
  (means) => {
    const next = random(seed)
    const pick = <A>(list: ReadonlyArray<A>): A => list[Math.floor(next() * list.length)]!
    let crashes = 0
    return (call) => {
      if (next() > 0.17) return []
      const roll = next()
      if (roll < 0.15 && crashes < 4) {
        crashes++
        return [means.crash(pick(["before", "after"]), call)]
      }
      if (roll >= 0.8 && roll < 0.95) {
        return [means.hold(Math.floor(next() * 40_000), pick([undefined, Kind.kafkaBackups, Kind.jobs, Kind.pods]))]
      }
      if (roll >= 0.95) return [means.relist]
      // Events are written with some patience, not for ever: losing one is no defect, and would hide those that are.
      if (call.kind === "events") return []
      if (roll < 0.5) return [{ _tag: "Fail", reason: pick(Object.values(reasons)) }]
      if (roll < 0.65) return [{ _tag: "LoseAnswer" }]
      return [{ _tag: "Delay", duration: Duration.millis(Math.floor(next() * 20_000)) }]
    }
  }

describe("a history with several faults", () => {
  const first = Number(process.env["KBO_SEED"] ?? 1)
  const tried = (leaders: number, atLeast: number) =>
    Effect.gen(function* () {
      const calm = yield* Histories.played([])
      const found: Array<string> = []
      for (let seed = first; seed < first + Math.max(atLeast, Histories.count); seed++) {
        const disturbed = yield* Histories.played([schedule(seed)], leaders)
        found.push(...Histories.differences(calm, disturbed).map((each) => `KBO_SEED=${seed}: ${each}`))
      }
      expect(found).toEqual([])
    })

  it.live("whatever they are, ends as the undisturbed one", () => tried(1, 6), 3_600_000)
  it.live("and two operators that both believe to lead, ends as the undisturbed one", () => tried(2, 4), 3_600_000)
})
