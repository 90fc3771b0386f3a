import { Clock, Effect, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import type { KubernetesApiShape } from "../kubernetes/KubernetesApi.ts"
import { Invalid, KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Event, Job, KubeObject, Pod } from "../kubernetes/Objects.ts"
import * as KafkaBackup from "../resource/KafkaBackup.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import * as Description from "./Description.ts"
import type { MemorySecrets } from "./MemorySecrets.ts"
import * as Manifests from "./Manifests.ts"
import * as PrinterColumns from "./PrinterColumns.ts"

/** kubectl for one namespace. Commands that change something return the line that kubectl prints. */
export interface Kubectl {
  /**
   * `kubectl apply --server-side -f -`: creates or changes; removes fields that an earlier apply set and this one does
   * not. Takes YAML of one or more resources, or one as an object: KafkaBackups and Secrets. Refuses unknown fields.
   */
  readonly apply: (manifest: Manifests.Manifest) => Effect.Effect<string, KubernetesError>
  /** `kubectl annotate kafkabackup NAME KEY=VALUE --overwrite`. */
  readonly annotate: (name: string, key: string, value: string) => Effect.Effect<string, KubernetesError>
  /** `kubectl annotate kafkabackup NAME kafka.oso.sh/trigger-backup=TOKEN --overwrite`. */
  readonly trigger: (name: string, token: string) => Effect.Effect<string, KubernetesError>
  /** `kubectl patch kafkabackup NAME --type merge -p PATCH`. */
  readonly patch: (name: string, patch: Readonly<Record<string, unknown>>) => Effect.Effect<string, KubernetesError>
  /** `kubectl delete kafkabackup NAME --wait=false`. */
  readonly delete: (name: string) => Effect.Effect<string, KubernetesError>
  readonly get: (name: string) => Effect.Effect<KubeObject, KubernetesError>
  /** What `kubectl get kafkabackups` prints; with `wide` as with `-o wide`. */
  readonly getTable: (options?: { readonly wide?: boolean }) => Effect.Effect<string, KubernetesError>
  /** What `kubectl describe kafkabackup NAME` prints: spec, status with conditions, Events. */
  readonly describe: (name: string) => Effect.Effect<string, KubernetesError>
  /** The status of the resource; empty before the operator has written one. */
  readonly status: (name: string) => Effect.Effect<Status, KubernetesError>
  readonly exists: (name: string) => Effect.Effect<boolean, KubernetesError>
  readonly jobs: Effect.Effect<ReadonlyArray<Job>, KubernetesError>
  readonly pods: Effect.Effect<ReadonlyArray<Pod>, KubernetesError>
  /** Oldest first. */
  readonly events: Effect.Effect<ReadonlyArray<Event>, KubernetesError>
  readonly in: (namespace: string) => Kubectl
}

const printedKind = (kind: string): string =>
  kind === KafkaBackup.kind ? `${KafkaBackup.kind.toLowerCase()}.${KafkaBackup.group}` : kind.toLowerCase()

const kafkaBackup = printedKind(KafkaBackup.kind)

/** Values of a Secret's manifest: `data` is base64, `stringData` wins. */
const secretValues = (object: KubeObject): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries((object["data"] ?? {}) as Readonly<Record<string, string>>).map(([key, value]) => [
      key,
      Buffer.from(value, "base64").toString("utf8")
    ])
  ),
  ...((object["stringData"] ?? {}) as Readonly<Record<string, string>>)
})

export const make = (api: KubernetesApiShape, namespace: string, secrets: MemorySecrets["Service"]): Kubectl => {
  const ref = (name: string) => ({ namespace, name })

  const refused = (what: string) => (reason: Invalid) =>
    Effect.fail(new KubernetesError({ request: `apply ${what}`, reason }))

  const applyBackup = Effect.fnUntraced(function* (object: KubeObject) {
    const { status: _status, ...given } = object
    const metadata = { namespace, ...object.metadata }
    const { name } = metadata
    const at = { namespace: metadata.namespace, name }
    const known = Manifests.unknownFields(object)
    if (Result.isFailure(known)) {
      return yield* refused(`${Kind.kafkaBackups.plural} ${at.namespace}/${name}`)(known.failure)
    }
    const before = yield* Effect.result(api.get(Kind.kafkaBackups, at))
    const after = yield* api.apply(Kind.kafkaBackups, { ...given, metadata } as KubeObject)
    if (Result.isFailure(before)) return `${kafkaBackup}/${name} created`
    const isChanged = before.success.metadata.resourceVersion !== after.metadata.resourceVersion
    return `${kafkaBackup}/${name} ${isChanged ? "configured" : "unchanged"}`
  })

  const applyOne = (object: KubeObject): Effect.Effect<string, KubernetesError> => {
    const { name } = object.metadata
    switch (object.kind) {
      case KafkaBackup.kind:
        return applyBackup(object)
      case "Secret":
        return Effect.as(secrets.put(name, secretValues(object)), `secret/${name} configured`)
      default:
        return refused(`${object.kind} ${name}`)(
          new Invalid({
            detail: `the cluster in memory accepts ${KafkaBackup.kind} and Secret, not ${object.kind}`
          })
        )
    }
  }

  const apply: Kubectl["apply"] = (manifest) =>
    Result.match(Manifests.documents(manifest), {
      onFailure: refused("manifest"),
      onSuccess: (objects) => Effect.map(Effect.forEach(objects, applyOne), (lines) => lines.join("\n"))
    })

  const change = (name: string, patch: Readonly<Record<string, unknown>>, done: string) =>
    Effect.as(api.patch(Kind.kafkaBackups, ref(name), patch), `${kafkaBackup}/${name} ${done}`)
  const annotate: Kubectl["annotate"] = (name, key, value) =>
    change(name, { metadata: { annotations: { [key]: value } } }, "annotated")
  const get: Kubectl["get"] = (name) => api.get(Kind.kafkaBackups, ref(name))
  const items = <A extends KubeObject>(kind: Kind.Kind<A>) =>
    Effect.map(api.list(kind, { namespace }), (list) =>
      list.items.toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    )
  const events = items(Kind.events)

  return {
    apply,
    annotate,
    trigger: (name, token) => annotate(name, KafkaBackup.triggerAnnotation, token),
    patch: (name, patch) => change(name, patch, "patched"),
    delete: (name) => Effect.as(api.remove(Kind.kafkaBackups, ref(name)), `${kafkaBackup} "${name}" deleted`),
    get,
    getTable: Effect.fnUntraced(function* ({ wide = false } = {}) {
      const nowMillis = yield* Clock.currentTimeMillis
      const { items: found } = yield* api.list(Kind.kafkaBackups, { namespace })
      const resources = found.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      return PrinterColumns.table(resources, { nowMillis, isWide: wide })
    }),
    describe: Effect.fnUntraced(function* (name) {
      const object = yield* get(name)
      const about = (yield* events).filter(({ regarding }) => regarding?.uid === object.metadata.uid)
      return Description.of(object, about, yield* Clock.currentTimeMillis)
    }),
    status: (name) => Effect.map(get(name), (object) => Previous.read(object.status)),
    exists: (name) =>
      Effect.result(get(name)).pipe(
        Effect.flatMap((found) =>
          Result.isSuccess(found)
            ? Effect.succeed(true)
            : found.failure.reason._tag === "NotFound"
              ? Effect.succeed(false)
              : Effect.fail(found.failure)
        )
      ),
    jobs: items(Kind.jobs),
    pods: items(Kind.pods),
    events,
    in: (other) => make(api, other, secrets)
  }
}
