import { Effect } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi, type Selection } from "../kubernetes/KubernetesApi.ts"
import { hasReason } from "../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"
import * as Near from "../resource/Near.ts"
import { ObjectNotFound } from "./Problems.ts"

/** The user's resources as the API server holds them. */

/** Most names that a message lists. */
const mostNamed = 10

const named = (names: ReadonlyArray<string>): string =>
  names.length === 0
    ? "there is none"
    : `there ${names.length === 1 ? "is" : "are"} ${names.slice(0, mostNamed).join(", ")}${
        names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""
      }`

/** The failure of a name that does not exist, with those that do. */
const missing = (kinds: ReadonlyArray<Kind.Kind>, namespace: string, name: string, names: ReadonlyArray<string>) => {
  const what = kinds.map(({ kind }) => kind).join(" or ")
  return new ObjectNotFound({
    detail: `there is no ${what} ${name} in namespace ${namespace}${Near.didYouMean([name], names)}`,
    advice: `${named(names)} in this namespace; -n names another one, and kubectl kafka-backup status -A shows all`
  })
}

const namesIn = (kind: Kind.Kind, namespace: string) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { items } = yield* api.list(kind, { namespace })
    return items.map(({ metadata }) => metadata.name).toSorted()
  })

/** One resource of a kind; where there is none, the failure names those that there are. */
export const one = (kind: Kind.Kind, namespace: string, name: string) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    return yield* api.get(kind, { namespace, name })
  }).pipe(
    Effect.catchIf(hasReason("NotFound"), (error) =>
      error.reason._tag === "NotFound" && error.reason.isKindMissing
        ? Effect.fail(error)
        : Effect.flatMap(namesIn(kind, namespace), (names) => Effect.fail(missing([kind], namespace, name, names)))
    )
  )

export const backup = (namespace: string, name: string) => one(Kind.kafkaBackups, namespace, name)

/** All of a kind, each with its kind: items of a list have none in some servers' answers. */
const allOf = (kind: Kind.Kind, selection: Selection) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { items } = yield* api.list(kind, selection)
    return items.map((item): KubeObject => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind }))
  })

const shownKinds = [Kind.kafkaBackups, Kind.kafkaRestores]

/** All KafkaBackups and KafkaRestores; without a namespace those of all namespaces. */
export const all = (namespace: string | undefined) =>
  Effect.map(
    Effect.forEach(shownKinds, (kind) => allOf(kind, { namespace }), { concurrency: 2 }),
    (found) => found.flat()
  )

/** `kafkarestore/today`, `restore/today` or `today`: the kinds that are meant, and the name. */
export const reference = (text: string): { readonly kinds: ReadonlyArray<Kind.Kind>; readonly name: string } => {
  const at = text.indexOf("/")
  if (at < 0) return { kinds: shownKinds, name: text }
  const [type, name] = [text.slice(0, at).toLowerCase(), text.slice(at + 1)]
  const kinds = shownKinds.filter(({ kind, plural }) =>
    [kind.toLowerCase(), plural, kind.slice("Kafka".length).toLowerCase()].includes(type)
  )
  return kinds.length === 0 ? { kinds: shownKinds, name: text } : { kinds, name }
}

/** The resources that a text refers to: both, where a KafkaBackup and a KafkaRestore have the same name. */
export const referred = (namespace: string, text: string) =>
  Effect.gen(function* () {
    const api = yield* KubernetesApi
    const { kinds, name } = reference(text)
    const found = yield* Effect.forEach(kinds, (kind) =>
      api.get(kind, { namespace, name }).pipe(
        Effect.map((object) => [{ ...object, apiVersion: kind.apiVersion, kind: kind.kind }]),
        Effect.catchIf(
          (error) => error.reason._tag === "NotFound" && !error.reason.isKindMissing,
          () => Effect.succeed([])
        )
      )
    )
    if (found.some((some) => some.length > 0)) return found.flat()
    const names = yield* Effect.forEach(kinds, (kind) => namesIn(kind, namespace))
    return yield* missing(kinds, namespace, name, names.flat())
  })
