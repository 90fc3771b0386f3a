import { type Cause, Clock, Effect, type Scope, Semaphore } from "effect"
import { KafkaAuthenticationFailed, BrokerUnreachable, type KafkaReason } from "../KafkaError.ts"
import * as Address from "./Address.ts"
import type { Identity } from "./Identity.ts"
import type * as Link from "./Link.ts"
import * as Opener from "./Opener.ts"
import type * as Api from "./protocol/Api.ts"
import type { Node } from "./protocol/Metadata.ts"

/** Fetches wait at the broker for data; whatever must not wait behind them goes over a connection of its own. */
export type Lane = "control" | "fetch"

export interface CallOptions extends Link.CallOptions {
  readonly lane?: Lane
}

/** What is asked of a broker beyond an answer, when the cluster is met for the first time. */
export interface Introduction {
  /** Why these API versions will not do. */
  readonly check: (ranges: Api.VersionRanges) => KafkaReason | undefined
}

type Request<A> = (version: number) => Api.Call<A>

/** The brokers of one cluster, as the last metadata told, and our connections to them. */
export interface Brokers {
  /** Replaces what is known; connections to addresses that are gone are closed. */
  readonly learn: (nodes: ReadonlyArray<Node>) => Effect.Effect<void>
  readonly nodeIds: () => ReadonlyArray<number>
  /** Asks one broker, connecting first where needed; undefined when the cluster has no such broker. */
  readonly ask: <A>(
    nodeId: number,
    api: Api.Api,
    request: Request<A>,
    options?: CallOptions
  ) => Effect.Effect<Link.Received<A> | undefined, KafkaReason>
  /**
   * Asks any broker: connected ones first, then the other known ones, then the bootstrap servers. Connecting shares one
   * time-out among them; in an introduction, so does answering.
   */
  readonly askAny: <A>(api: Api.Api, request: Request<A>, introduction?: Introduction) => Effect.Effect<A, KafkaReason>
}

/** One connection that may have to be opened again; those who want it meanwhile wait for one attempt together. */
interface Slot {
  readonly key: string
  readonly address: Address.Address
  readonly opening: Semaphore.Semaphore
  link: Link.Link | undefined
  attempts: number
  lastFailure: KafkaReason | undefined
}

/** No server gets less than this, however long the list is. */
const leastShareMillis = 1000

const nameOf = (node: Node): string => `broker ${node.nodeId} (${Address.format(node)})`

/** One failure that tells all of them; the first that a person must act on gives the advice. */
const summarize = (failures: ReadonlyArray<KafkaReason>): KafkaReason => {
  const [only] = failures
  if (only !== undefined && failures.length === 1) return only
  const detail = `no broker could be used: ${failures.map((failure) => failure.message).join("; ")}`
  const leading =
    failures.find((failure) => failure._tag === "KafkaAuthenticationFailed") ??
    failures.find((failure) => failure._tag === "BrokerUnreachable" && !failure.transient) ??
    only
  if (leading?._tag === "KafkaAuthenticationFailed")
    return new KafkaAuthenticationFailed({ detail, advice: leading.advice })
  if (leading !== undefined && leading._tag !== "BrokerUnreachable") return leading
  return new BrokerUnreachable({
    detail,
    advice: leading?.advice ?? "name at least one server in bootstrapServers",
    transient: failures.some((failure) => failure._tag === "BrokerUnreachable" && failure.transient)
  })
}

/** Connections are opened when first needed, and all closed with the scope. */
export const make = (
  bootstrap: ReadonlyArray<Address.Address>,
  limits: Opener.Limits,
  identity: Identity
): Effect.Effect<Brokers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const slots = new Map<string, Slot>()
    let nodes: ReadonlyMap<number, Node> = new Map()
    let closed = false
    const opener = Opener.make(limits, identity)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
        for (const slot of slots.values()) slot.link?.close()
      })
    )

    const slotOf = (address: Address.Address, lane: Lane): Slot => {
      const key = `${lane} ${Address.format(address)}`
      const known = slots.get(key)
      if (known !== undefined) return known
      const slot: Slot = {
        key,
        address,
        opening: Semaphore.makeUnsafe(1),
        link: undefined,
        attempts: 0,
        lastFailure: undefined
      }
      slots.set(key, slot)
      return slot
    }

    const openInto = (
      slot: Slot,
      place: Opener.BrokerAddress,
      openTimeoutMillis: number
    ): Effect.Effect<Link.Link, KafkaReason> =>
      Effect.uninterruptibleMask((restore) =>
        restore(opener.open(place, openTimeoutMillis)).pipe(
          Effect.tap((link) =>
            Effect.sync(() => {
              slot.link = link
              if (closed || slots.get(slot.key) !== slot) link.close()
            })
          ),
          Effect.onExit((exit) =>
            Effect.sync(() => {
              slot.attempts++
              slot.lastFailure = exit._tag === "Success" ? undefined : firstFailure(exit.cause)
            })
          )
        )
      )

    const linkTo = (
      place: Opener.BrokerAddress,
      lane: Lane,
      openTimeoutMillis: number
    ): Effect.Effect<Link.Link, KafkaReason> =>
      Effect.suspend(() => {
        const slot = slotOf(place.address, lane)
        if (slot.link?.isOpen() === true) return Effect.succeed(slot.link)
        const attemptsSeen = slot.attempts
        return slot.opening.withPermit(
          Effect.suspend(() => {
            if (slot.link?.isOpen() === true) return Effect.succeed(slot.link)
            if (slot.attempts !== attemptsSeen && slot.lastFailure !== undefined) return Effect.fail(slot.lastFailure)
            return openInto(slot, place, openTimeoutMillis)
          })
        )
      })

    const call = <A>(
      place: Opener.BrokerAddress,
      link: Link.Link,
      api: Api.Api,
      request: Request<A>,
      options?: CallOptions
    ) =>
      link
        .call(api, request, options)
        .pipe(Effect.catch((broken) => Effect.flatMap(opener.reason(broken, place), Effect.fail)))

    /** Each address once, connected ones first. */
    const places = (): ReadonlyArray<Opener.BrokerAddress> => {
      const all = new Map<string, Opener.BrokerAddress>()
      for (const node of nodes.values()) all.set(Address.format(node), { address: node, where: nameOf(node) })
      for (const address of bootstrap) {
        const key = Address.format(address)
        if (!all.has(key)) all.set(key, { address, where: `bootstrap server ${key}` })
      }
      const isLive = (place: Opener.BrokerAddress) =>
        slots.get(`control ${Address.format(place.address)}`)?.link?.isOpen() === true
      const list = [...all.values()]
      return [...list.filter(isLive), ...list.filter((place) => !isLive(place))]
    }

    const askAny: Brokers["askAny"] = (api, request, introduction) =>
      Effect.gen(function* () {
        const candidates = places()
        const failures: Array<KafkaReason> = []
        const start = yield* Clock.currentTimeMillis
        for (const [index, place] of candidates.entries()) {
          const left = start + limits.openTimeoutMillis - (yield* Clock.currentTimeMillis)
          const fair = left / (candidates.length - index)
          const share = Math.max(Math.min(leastShareMillis, limits.openTimeoutMillis), fair)
          const attempt = linkTo(place, "control", share).pipe(
            Effect.flatMap((link) => {
              const wrong = introduction?.check(link.ranges)
              if (wrong !== undefined) return Effect.fail(wrong)
              return call(place, link, api, request, introduction === undefined ? {} : { requestTimeoutMillis: share })
            })
          )
          const answer = yield* Effect.result(attempt)
          if (answer._tag === "Success") return answer.success.value
          failures.push(answer.failure)
          if (left <= 0 && index + 1 < candidates.length) break
        }
        return yield* Effect.fail(summarize(failures))
      })

    return {
      nodeIds: () => [...nodes.keys()],
      learn: (fresh) =>
        Effect.sync(() => {
          nodes = new Map(fresh.map((node) => [node.nodeId, node]))
          const kept = new Set([...fresh, ...bootstrap].map(Address.format))
          for (const [key, slot] of slots) {
            if (kept.has(Address.format(slot.address))) continue
            slot.link?.close()
            slots.delete(key)
          }
        }),
      ask: (nodeId, api, request, options) =>
        Effect.suspend(() => {
          const node = nodes.get(nodeId)
          if (node === undefined) return Effect.succeed(undefined)
          const place = { address: node, where: nameOf(node) }
          return linkTo(place, options?.lane ?? "control", limits.openTimeoutMillis).pipe(
            Effect.flatMap((link) => call(place, link, api, request, options))
          )
        }),
      askAny
    }
  })

const firstFailure = (cause: Cause.Cause<KafkaReason>): KafkaReason | undefined =>
  cause.reasons.find((reason) => reason._tag === "Fail")?.error
