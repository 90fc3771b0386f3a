import { Effect } from "effect"
import { type Kind, kafkaBackups } from "../Kind.ts"
import type { Selection } from "../KubernetesApi.ts"
import { type KubernetesError, Unavailable } from "../KubernetesError.ts"
import type { KubeObject } from "../Objects.ts"
import * as Address from "./Address.ts"
import * as Received from "./Received.ts"
import { failure, type Requests } from "./Requests.ts"

export interface Listed<A> {
  readonly items: ReadonlyArray<A>
  readonly resourceVersion: string
}

/**
 * Objects per request: 500, as in kubectl and client-go. Fewer KafkaBackups, because one with a long history is thirty
 * times as large as other objects, and a page is in memory three times while it is read.
 */
const pageSize = ({ plural }: Pick<Kind, "plural">): string => (plural === kafkaBackups.plural ? "100" : "500")

/**
 * Attempts at one list: a page that is requested too late fails with 410, since etcd keeps history for five minutes.
 */
const attempts = 3

/** For people: `in kafka-backup`, `of all namespaces`. */
export const subject = ({ namespace }: Selection): string =>
  namespace === undefined ? "of all namespaces" : `in ${namespace}`

/** A page of a list, as of the moment of the first page. */
export interface Leaf<A> extends Received.Page<A> {
  readonly isFirst: boolean
}

/**
 * Reads every object of the selection as of one moment, page by page; returns the resourceVersion of that moment. When
 * the server has compacted that version meanwhile, the list starts again: `take` gets a first page, and earlier pages
 * are void.
 */
export const read = <A extends KubeObject>(
  { json }: Requests,
  kind: Kind<A>,
  selection: Selection,
  take: (leaf: Leaf<A>) => Effect.Effect<unknown>
): Effect.Effect<string, KubernetesError> => {
  const ask = (from: string | undefined) => ({
    verb: "list" as const,
    kind,
    subject: subject(selection),
    method: "GET" as const,
    path: Address.collection(kind, selection.namespace),
    query: { ...Address.selected(selection), limit: pageSize(kind), continue: from }
  })
  const page = (from: string | undefined) =>
    Effect.flatMap(json(ask(from)), (answer) => {
      const found = Received.page(kind, answer)
      return found === undefined
        ? Effect.fail(failure(ask(from), new Unavailable({ detail: "the answer is not a list" })).error)
        : Effect.succeed(found)
    })

  const whole = Effect.gen(function* () {
    let from: string | undefined
    while (true) {
      const last = yield* page(from)
      yield* take({ ...last, isFirst: from === undefined })
      if (last.next === undefined) return last.resourceVersion
      from = last.next
    }
  })
  return Effect.retry(whole, { times: attempts - 1, while: ({ reason }) => reason._tag === "Gone" })
}

/** Every object of the selection, as of one moment. */
export const list = <A extends KubeObject>(
  requests: Requests,
  kind: Kind<A>,
  selection: Selection
): Effect.Effect<Listed<A>, KubernetesError> =>
  Effect.suspend(() => {
    let items: Array<A> = []
    const take = (leaf: Leaf<A>) =>
      Effect.sync(() => {
        if (leaf.isFirst) items = []
        for (const item of leaf.items) items.push(item)
      })
    return Effect.map(read(requests, kind, selection, take), (resourceVersion) => ({ items, resourceVersion }))
  })
