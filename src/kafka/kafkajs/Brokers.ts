import { Clock, Effect, type Scope, Semaphore } from "effect"
import type { KafkaReason } from "../KafkaError.ts"
import * as Address from "./Address.ts"
import { firstFailure, replaced, summarize } from "./BrokerFailures.ts"
import type { Identity } from "./Identity.ts"
import type * as Link from "./Link.ts"
import type { LinkBroken } from "./LinkBroken.ts"
import * as Opener from "./Opener.ts"
import type * as Api from "./protocol/Api.ts"
import type { Node } from "./protocol/Metadata.ts"

/**
 * Fetches wait at the broker for data, and produced batches for replicas. Other requests use a connection of their own,
 * so as not to wait behind them.
 */
export type Channel = "control" | "fetch" | "produce"

export interface CallOptions extends Link.CallOptions {
  readonly channel?: Channel
}

/** A request that was written, the connection that it was written to, and its answer. */
export interface Sent<A> {
  readonly link: object
  readonly answer: Effect.Effect<A, KafkaReason>
}

export interface SendOptions extends Omit<CallOptions, "pooled"> {
  /** Fails unless the request can be written to this link. */
  readonly over?: object | undefined
}

/** An extra check of the first broker that answers. */
export interface Introduction {
  /** Why these API versions are unusable; undefined if they are usable. */
  readonly check: (ranges: Api.VersionRanges) => KafkaReason | undefined
}

type Request<A> = (version: number) => Api.Call<A>

/** The brokers of one cluster, from the newest metadata, and the connections to them. */
export interface Brokers {
  /** Replaces the known brokers; closes connections to addresses that are gone. */
  readonly learn: (nodes: ReadonlyArray<Node>) => Effect.Effect<void>
  readonly nodeIds: () => ReadonlyArray<number>
  /** Sends a request to one broker, and connects first if needed; undefined if the cluster has no such broker. */
  readonly ask: <A>(
    nodeId: number,
    api: Api.Api,
    request: Request<A>,
    options?: CallOptions
  ) => Effect.Effect<Link.Received<A> | undefined, KafkaReason>
  /** As `ask`, in two steps: ends when the request was written. */
  readonly send: <A>(
    nodeId: number,
    api: Api.Api,
    request: Request<A>,
    options?: SendOptions
  ) => Effect.Effect<Sent<A> | undefined, KafkaReason>
  /**
   * Sends a request to any broker: connected brokers first, then the other known ones, then the bootstrap servers. All
   * attempts to connect share one time limit; in an introduction, so do the answers.
   */
  readonly askAny: <A>(api: Api.Api, request: Request<A>, introduction?: Introduction) => Effect.Effect<A, KafkaReason>
}

/** One connection, opened again when needed; calls that need it meanwhile wait for the same attempt. */
interface Slot {
  readonly key: string
  readonly address: Address.Address
  readonly opening: Semaphore.Semaphore
  link: Link.Link | undefined
  attempts: number
  lastFailure: KafkaReason | undefined
}

/** Each server gets at least this share of the time limit, however long the list is. */
const leastShareMillis = 1000

const nameOf = (node: Node): string => `broker ${node.nodeId} (${Address.format(node)})`

/** Opens connections when they are first needed, and closes all with the scope. */
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

    const slotOf = (address: Address.Address, channel: Channel): Slot => {
      const key = `${channel} ${Address.format(address)}`
      const existing = slots.get(key)
      if (existing !== undefined) return existing
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
      broker: Opener.BrokerAddress,
      openTimeoutMillis: number
    ): Effect.Effect<Link.Link, KafkaReason> =>
      Effect.uninterruptibleMask((restore) =>
        restore(opener.open(broker, openTimeoutMillis)).pipe(
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
      broker: Opener.BrokerAddress,
      channel: Channel,
      openTimeoutMillis: number
    ): Effect.Effect<Link.Link, KafkaReason> =>
      Effect.suspend(() => {
        const slot = slotOf(broker.address, channel)
        if (slot.link?.isOpen() === true) return Effect.succeed(slot.link)
        const attemptsSeen = slot.attempts
        return slot.opening.withPermit(
          Effect.suspend(() => {
            if (slot.link?.isOpen() === true) return Effect.succeed(slot.link)
            if (slot.attempts !== attemptsSeen && slot.lastFailure !== undefined) return Effect.fail(slot.lastFailure)
            return openInto(slot, broker, openTimeoutMillis)
          })
        )
      })

    const explained = <A>(broker: Opener.BrokerAddress, work: Effect.Effect<A, LinkBroken>) =>
      Effect.catch(work, (broken) => Effect.flatMap(opener.reason(broken, broker), Effect.fail))

    const call = <A>(
      broker: Opener.BrokerAddress,
      link: Link.Link,
      api: Api.Api,
      request: Request<A>,
      options?: CallOptions
    ) =>
      explained(
        broker,
        Effect.map(link.call(api, request, options), (received) => {
          opener.served(broker)
          return received
        })
      )

    const brokerOf = (nodeId: number): Opener.BrokerAddress | undefined => {
      const node = nodes.get(nodeId)
      return node === undefined ? undefined : { address: node, where: nameOf(node) }
    }

    /** Each address once, connected ones first. */
    const candidates = (): ReadonlyArray<Opener.BrokerAddress> => {
      const all = new Map<string, Opener.BrokerAddress>()
      for (const node of nodes.values()) all.set(Address.format(node), { address: node, where: nameOf(node) })
      for (const address of bootstrap) {
        const key = Address.format(address)
        if (!all.has(key)) all.set(key, { address, where: `bootstrap server ${key}` })
      }
      const isLive = (broker: Opener.BrokerAddress) =>
        slots.get(`control ${Address.format(broker.address)}`)?.link?.isOpen() === true
      const list = [...all.values()]
      return [...list.filter(isLive), ...list.filter((broker) => !isLive(broker))]
    }

    const askAny: Brokers["askAny"] = (api, request, introduction) =>
      Effect.gen(function* () {
        const brokers = candidates()
        const failures: Array<KafkaReason> = []
        const start = yield* Clock.currentTimeMillis
        for (const [index, broker] of brokers.entries()) {
          const left = start + limits.openTimeoutMillis - (yield* Clock.currentTimeMillis)
          const fair = left / (brokers.length - index)
          const share = Math.max(Math.min(leastShareMillis, limits.openTimeoutMillis), fair)
          const attempt = linkTo(broker, "control", share).pipe(
            Effect.flatMap((link) => {
              const wrong = introduction?.check(link.ranges)
              if (wrong !== undefined) return Effect.fail(wrong)
              return call(broker, link, api, request, { requestTimeoutMillis: introduction && share })
            })
          )
          const answer = yield* Effect.result(attempt)
          if (answer._tag === "Success") return answer.success.value
          failures.push(answer.failure)
          if (left <= 0 && index + 1 < brokers.length) break
        }
        return yield* Effect.fail(summarize(failures, opener.hasServed()))
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
          const broker = brokerOf(nodeId)
          if (broker === undefined) return Effect.succeed(undefined)
          return linkTo(broker, options?.channel ?? "control", limits.openTimeoutMillis).pipe(
            Effect.flatMap((link) => call(broker, link, api, request, options))
          )
        }),
      send: (nodeId, api, request, options) =>
        Effect.suspend(() => {
          const broker = brokerOf(nodeId)
          if (broker === undefined) return Effect.succeed(undefined)
          return linkTo(broker, options?.channel ?? "control", limits.openTimeoutMillis).pipe(
            Effect.flatMap((link) =>
              options?.over !== undefined && options.over !== link
                ? Effect.fail(replaced(broker))
                : Effect.map(explained(broker, link.send(api, request, options)), (answer) => ({
                    link,
                    answer: explained(broker, answer)
                  }))
            )
          )
        }),
      askAny
    }
  })
