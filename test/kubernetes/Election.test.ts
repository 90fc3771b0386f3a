import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Deferred, Duration, Effect, Fiber, Layer, Random } from "effect"
import { TestClock } from "effect/testing"
import { asLeader, type Settings, type Standing } from "../../src/kubernetes/Election.ts"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { leases, namespaces } from "../../src/kubernetes/Kind.ts"
import * as Terms from "../../src/kubernetes/LeaseTerms.ts"
import { KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import { Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import type { Call, Fault } from "../../src/kubernetes/memory/Faults.ts"
import type { Lease } from "../../src/kubernetes/Objects.ts"

const ref = { namespace: "kafka-backup", name: "leader" }

const failing: Fault = { _tag: "Fail", reason: new Unavailable({ detail: "no route to host" }) }
const silent: Fault = { _tag: "Delay", duration: Duration.infinity }

const stepMillis = 500

/** A cluster, its one Lease as others see and write it, and what happens to the candidates' requests. */
const makeServer = Effect.gen(function* () {
  const context = yield* Layer.build(InMemoryKubernetes.layer)
  const memory = yield* Effect.provide(InMemoryKubernetes, context)
  const { behind } = memory
  yield* behind.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: ref.namespace } })
  const state: { faults: (call: Call) => ReadonlyArray<Fault> } = { faults: () => [] }
  yield* memory.plan((call) => state.faults(call))
  const lease = Effect.orDie(behind.get(leases, ref))
  return {
    state,
    /** Time goes by in small steps, in each of which everything that can happen happens. */
    pass: (duration: Duration.Input) =>
      Effect.gen(function* () {
        yield* memory.settled
        for (let left = Duration.toMillis(duration); left > 0; left -= stepMillis) {
          yield* TestClock.adjust(Math.min(left, stepMillis))
          yield* memory.settled
        }
      }),
    client: memory.client,
    lease,
    holder: Effect.map(lease, ({ spec }) => spec?.holderIdentity),
    /** Somebody sees to a Lease with this spec. */
    put: (spec: NonNullable<Lease["spec"]>) =>
      Effect.orDie(behind.create(leases, { apiVersion: leases.apiVersion, kind: leases.kind, metadata: ref, spec })),
    change: (metadata: object, spec: NonNullable<Lease["spec"]> = {}) =>
      Effect.orDie(behind.patch(leases, ref, { metadata, spec })),
    remove: Effect.orDie(behind.remove(leases, ref))
  }
})

type Server = Effect.Success<typeof makeServer>

/** Stands for election with this work, through a client of its own. */
const standing = <A, E>(
  server: Server,
  identity: string,
  work: Effect.Effect<A, E>,
  more: Partial<Settings> = {}
): Effect.Effect<A, E> =>
  Effect.flatMap(server.client(identity), (api) =>
    asLeader({ ...ref, identity, ...more }, work).pipe(Effect.provideService(KubernetesApi, api))
  )

/** A candidate whose work goes on until it is interrupted, and what it went through, with the second of the clock. */
const candidate = (server: Server, identity: string) => {
  const diary: Array<string> = []
  const note = (text: string) => Effect.map(Clock.currentTimeMillis, (now) => void diary.push(`${now / 1000}: ${text}`))
  const onChange = (standing: Standing) =>
    note(
      standing._tag === "Leading"
        ? "leads"
        : standing._tag === "Unable"
          ? "is unable"
          : `sees ${standing.holder ?? "nobody"}`
    )
  const work = Effect.onInterrupt(Effect.andThen(note("works"), Effect.never), () => note("stops"))
  return { diary, run: standing(server, identity, work, { onChange }) }
}

describe("an election", () => {
  it.effect("without other candidates is won at once, returns the work's result, and releases the lease", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const result = yield* standing(server, "a", server.holder)
      assert.strictEqual(result, "a")
      assert.strictEqual(yield* server.holder, "")
      assert.strictEqual((yield* server.lease).spec?.acquireTime, "1970-01-01T00:00:00.000000Z")
    })
  )

  it.effect("fails when the work fails, and releases the lease then too", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const error = yield* Effect.flip(standing(server, "a", Effect.fail("broken")))
      assert.strictEqual(error, "broken")
      assert.strictEqual(yield* server.holder, "")
    })
  )

  it.effect("keeps the leader while it renews, and passes to the next at once when it ends", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const [a, b] = [candidate(server, "a"), candidate(server, "b")]
      const first = yield* Effect.forkChild(a.run)
      yield* server.pass(0)
      yield* Effect.forkChild(b.run)
      yield* server.pass("10 minutes")
      assert.deepStrictEqual(a.diary, ["0: leads", "0: works"])
      assert.deepStrictEqual(b.diary, ["0: sees a"])
      assert.strictEqual((yield* server.lease).spec?.leaseTransitions, 0)
      yield* Fiber.interrupt(first)
      yield* server.pass("2 seconds")
      assert.deepStrictEqual(a.diary.slice(2), ["600: stops", "600: sees nobody"])
      assert.deepStrictEqual(b.diary.slice(1), ["602: leads", "602: works"])
      assert.strictEqual((yield* server.lease).spec?.leaseTransitions, 1)
    })
  )

  it.effect("takes the lease of a dead leader when it has not changed for its duration, whatever its times are", () =>
    Effect.gen(function* () {
      for (const renewTime of ["1969-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"]) {
        const server = yield* makeServer
        yield* server.put({ holderIdentity: "dead", renewTime, leaseDurationSeconds: 30 })
        const begun = yield* Clock.currentTimeMillis
        const { diary, run } = candidate(server, "a")
        const running = yield* Effect.forkChild(run)
        yield* server.pass("28 seconds")
        assert.deepStrictEqual(diary, [`${begun / 1000}: sees dead`])
        yield* server.pass("3 seconds")
        assert.deepStrictEqual(diary.slice(1), [`${begun / 1000 + 30}: leads`, `${begun / 1000 + 30}: works`])
        yield* Fiber.interrupt(running)
      }
    })
  )

  it.effect("replaces a leader that dies silently within twenty seconds", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const [a, b] = [candidate(server, "a"), candidate(server, "b")]
      const first = yield* Effect.forkChild(a.run)
      yield* server.pass(0)
      const second = yield* Effect.forkChild(b.run)
      yield* server.pass("61 seconds")
      // From here on it is cut off: its last renewal was at 60 or before.
      const { spec } = yield* server.lease
      yield* Fiber.interrupt(first)
      yield* server.change({}, spec)
      yield* server.pass("20 seconds")
      assert.include(b.diary.join(), "leads")
      yield* Fiber.interrupt(second)
    })
  )

  it.effect("respects a leader that renews although its clock does not move", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      yield* server.put({ holderIdentity: "other", leaseDurationSeconds: 15 })
      const { diary, run } = candidate(server, "a")
      yield* Effect.forkChild(run)
      for (let n = 0; n < 20; n++) {
        yield* server.pass("10 seconds")
        yield* server.change({ annotations: { beat: String(n) } })
      }
      assert.deepStrictEqual(diary, ["0: sees other"])
    })
  )

  it.effect.each<readonly [string, Fault]>([
    ["fails", failing],
    ["is silent", silent]
  ])("stops the work before others may begin when the API server %s, and begins again when it is back", ([, fault]) =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      yield* Effect.forkChild(run)
      yield* server.pass("12 seconds")
      // Renewed at 5 and at 10 s.
      server.state.faults = () => [fault]
      yield* server.pass("20 seconds")
      assert.deepStrictEqual(diary, ["0: leads", "0: works", "20: stops", "20: sees nobody"])
      yield* server.pass("20 seconds")
      assert.match(diary[4]!, /^(36|42): is unable$/u)
      server.state.faults = () => []
      yield* server.pass("20 seconds")
      assert.lengthOf(diary, 7)
      assert.match(diary[5]!, /leads$/u)
      assert.strictEqual(yield* server.holder, "a")
    })
  )

  it.effect("is not stood for by a candidate that has never read the lease, and it says why", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const standings: Array<Standing> = []
      server.state.faults = () => [failing]
      const onChange = (one: Standing) => Effect.sync(() => void standings.push(one))
      yield* Effect.forkChild(standing(server, "a", Effect.never, { onChange }))
      yield* server.pass("1 minute")
      assert.lengthOf(standings, 1)
      const [unable] = standings
      assert.isTrue(unable?._tag === "Unable" && unable.why.includes("no route to host"))
      server.state.faults = () => []
    })
  )

  it.effect("says in the lease what its leader leads, which others learn", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const standings: Array<Standing> = []
      const onChange = (one: Standing) => Effect.sync(() => void standings.push(one))
      yield* Effect.forkChild(standing(server, "a", Effect.never, { scope: "orders" }))
      yield* server.pass("1 second")
      yield* Effect.forkChild(standing(server, "b", Effect.never, { scope: "billing", onChange }))
      yield* server.pass("20 seconds")
      assert.deepStrictEqual(standings, [{ _tag: "Standby", holder: "a", scope: "orders" }])
      // Whoever leads next must not be taken for the one before.
      assert.strictEqual(Terms.scope(yield* server.lease), "orders")
      const successor = Terms.renewed(
        yield* server.lease,
        { identity: "c", scope: undefined },
        15_000,
        yield* DateTime.now
      )
      assert.isUndefined(Terms.scope(successor))
    })
  )

  it.effect("survives a failure that is shorter than the grace period", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      yield* Effect.forkChild(run)
      for (let n = 0; n < 20; n++) {
        yield* server.pass("5500 millis")
        server.state.faults = () => [n % 2 === 0 ? failing : silent]
        yield* server.pass("2500 millis")
        server.state.faults = () => []
        yield* server.pass("12 seconds")
      }
      assert.deepStrictEqual(diary, ["0: leads", "0: works"])
    })
  )

  it.effect("renews a slowly acquired lease in time, and does not use one that took too long", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      let delays = [12, 8]
      server.state.faults = ({ verb }) => {
        const [seconds, ...others] = verb === "get" ? [] : delays
        if (seconds === undefined) return []
        delays = others
        return [{ _tag: "Run", moment: "after", effect: Effect.sleep(Duration.seconds(seconds)) }]
      }
      yield* Effect.forkChild(run)
      yield* server.pass("1 minute")
      // Created at 0 and given up at 10; asked for again at 12, and had at 20.
      assert.deepStrictEqual(diary, ["10: is unable", "20: leads", "20: works"])
    })
  )

  it.effect("continues when the answer to a renewal is lost, and when another client writes a label", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      yield* Effect.forkChild(run)
      yield* server.pass("1 second")
      let lost = 0
      server.state.faults = ({ verb }) => (verb === "replace" && lost++ === 0 ? [{ _tag: "LoseAnswer" }] : [])
      yield* server.pass("20 seconds")
      yield* server.change({ labels: { theirs: "1" } })
      yield* server.pass("1 minute")
      assert.isAbove(lost, 10)
      assert.deepStrictEqual(diary, ["0: leads", "0: works"])
      assert.deepStrictEqual((yield* server.lease).metadata.labels, { theirs: "1" })
    })
  )

  it.effect("continues when the Lease was deleted and not taken", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      yield* Effect.forkChild(run)
      yield* server.pass("7 seconds")
      yield* server.remove
      yield* server.pass("1 minute")
      assert.deepStrictEqual(diary, ["0: leads", "0: works"])
      assert.strictEqual(yield* server.holder, "a")
    })
  )

  it.effect("stops the work when another process holds the lease, and waits for that one to end", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      yield* Effect.forkChild(run)
      yield* server.pass("7 seconds")
      yield* server.change({}, { holderIdentity: "thief" })
      yield* server.pass("10 seconds")
      assert.deepStrictEqual(diary.slice(2), ["10: stops", "10: sees nobody", "10: sees thief"])
      yield* server.change({}, { holderIdentity: "" })
      yield* server.pass("2 seconds")
      assert.deepStrictEqual(diary.slice(5), ["18: leads", "18: works"])
    })
  )

  it.effect("is not delayed at its end by an API server that does not answer", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const { diary, run } = candidate(server, "a")
      const running = yield* Effect.forkChild(run)
      yield* server.pass("1 second")
      server.state.faults = () => [silent]
      const ending = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* server.pass("4 seconds")
      assert.isUndefined(ending.pollUnsafe())
      yield* server.pass("1 second")
      assert.isDefined(ending.pollUnsafe())
      assert.deepStrictEqual(diary.slice(2), ["1: stops", "6: sees nobody"])
    })
  )

  it.effect("releases a lease that it won at the moment of the stop", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const written = yield* Deferred.make<void>()
      const stuck = Effect.andThen(Deferred.succeed(written, undefined), Effect.never)
      server.state.faults = ({ verb }) => (verb === "create" ? [{ _tag: "Run", moment: "after", effect: stuck }] : [])
      const { diary, run } = candidate(server, "a")
      const running = yield* Effect.forkChild(run)
      yield* Deferred.await(written)
      assert.strictEqual(yield* server.holder, "a")
      yield* Fiber.interrupt(running)
      assert.strictEqual(yield* server.holder, "")
      assert.deepStrictEqual(diary, [])
    })
  )

  it.effect("releases the lease only after the work has ended", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      let atEnd: string | undefined
      const work = Effect.onInterrupt(Effect.never, () =>
        Effect.andThen(
          Effect.sleep("3 seconds"),
          Effect.map(server.holder, (holder) => (atEnd = holder))
        )
      )
      const running = yield* Effect.forkChild(standing(server, "a", work))
      yield* server.pass("1 second")
      const ending = yield* Effect.forkChild(Fiber.interrupt(running))
      yield* server.pass("3 seconds")
      yield* Fiber.join(ending)
      assert.strictEqual(atEnd, "a")
      assert.strictEqual(yield* server.holder, "")
    })
  )

  it.effect("never has two leaders at a time, whichever requests are lost, late or refused", () =>
    Effect.gen(function* () {
      const server = yield* makeServer
      const state = { now: 0, most: 0, turns: 0 }
      const dice = yield* Random.Random
      const delay = (): Duration.Duration => Duration.millis(Math.round(dice.nextDoubleUnsafe() * 20_000))
      const roll = (): ReadonlyArray<Fault> => {
        const chance = dice.nextDoubleUnsafe()
        if (chance < 0.1) return [failing]
        if (chance < 0.2) return [{ _tag: "LoseAnswer" }]
        if (chance < 0.3) return [{ _tag: "Delay", duration: delay() }]
        if (chance < 0.4) return [{ _tag: "Run", moment: "after", effect: Effect.sleep(delay()) }]
        return []
      }
      server.state.faults = roll
      const work = Effect.gen(function* () {
        state.turns++
        state.most = Math.max(state.most, ++state.now)
        return yield* Effect.never
      }).pipe(Effect.ensuring(Effect.sync(() => state.now--)))
      const running = yield* Effect.forEach(["a", "b", "c"], (identity) =>
        Effect.forkChild(standing(server, identity, work))
      )
      yield* server.pass("1 hour")
      assert.strictEqual(state.most, 1)
      assert.isAbove(state.turns, 10)
      server.state.faults = () => []
      yield* server.pass("1 minute")
      assert.strictEqual(state.now, 1)
      yield* Effect.forEach(running, Fiber.interrupt)
      assert.strictEqual(state.now, 0)
    }).pipe(Random.withSeed("election"))
  )
})
