import { Clock, Effect, Option, Result } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import type { KubernetesApiShape } from "../kubernetes/KubernetesApi.ts"
import { Invalid, KubernetesError } from "../kubernetes/KubernetesError.ts"
import type { Event, Job, KubeObject, Pod } from "../kubernetes/Objects.ts"
import * as KafkaBackup from "../resource/KafkaBackup.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import type { KafkaRestoreStatus } from "../resource/KafkaRestoreStatus.ts"
import * as Previous from "../status/Previous.ts"
import type { Status } from "../status/Status.ts"
import * as Description from "./Description.ts"
import type { MemorySecrets } from "./MemorySecrets.ts"
import * as Manifests from "./Manifests.ts"
import * as PrinterColumns from "./PrinterColumns.ts"

/** kubectl for the KafkaRestores of one namespace, as for KafkaBackups. */
export interface RestoreKubectl {
  readonly annotate: (name: string, key: string, value: string) => Effect.Effect<string, KubernetesError>
  readonly patch: (name: string, patch: Readonly<Record<string, unknown>>) => Effect.Effect<string, KubernetesError>
  readonly delete: (name: string) => Effect.Effect<string, KubernetesError>
  readonly get: (name: string) => Effect.Effect<KubeObject, KubernetesError>
  readonly getTable: Effect.Effect<string, KubernetesError>
  readonly describe: (name: string) => Effect.Effect<string, KubernetesError>
  /** The status of the resource; undefined before the operator has written one. */
  readonly status: (name: string) => Effect.Effect<KafkaRestoreStatus | undefined, KubernetesError>
}

/** kubectl for one namespace. Commands that change something return the line that kubectl prints. */
export interface Kubectl {
  /**
   * `kubectl apply --server-side -f -`: creates or changes; removes fields that an earlier apply set and this one does
   * not. Takes YAML of one or more resources of ours and Secrets, or one as an object. Refuses
   * unknown fields.
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
  readonly restores: RestoreKubectl
  readonly exists: (name: string) => Effect.Effect<boolean, KubernetesError>
  readonly jobs: Effect.Effect<ReadonlyArray<Job>, KubernetesError>
  readonly pods: Effect.Effect<ReadonlyArray<Pod>, KubernetesError>
  /** Oldest first. */
  readonly events: Effect.Effect<ReadonlyArray<Event>, KubernetesError>
  readonly in: (namespace: string) => Kubectl
}

const printedKinds = {
  [KafkaBackup.kind]: `${KafkaBackup.kind.toLowerCase()}.${KafkaBackup.group}`,
  [KafkaRestore.kind]: `${KafkaRestore.kind.toLowerCase()}.${KafkaBackup.group}`,
  KafkaOffsetReset: `kafkaoffsetreset.${KafkaBackup.group}`,
  KafkaOffsetRollback: `kafkaoffsetrollback.${KafkaBackup.group}`
}

/** The commands that all resources of ours have in common. */
const commands = (api: KubernetesApiShape, namespace: string, kind: Kind.Kind<KubeObject>, printed: string) => {
  const ref = (name: string) => ({ namespace, name })
  const change = (name: string, patch: Readonly<Record<string, unknown>>, done: string) =>
    Effect.as(api.patch(kind, ref(name), patch), `${printed}/${name} ${done}`)
  const get = (name: string) => api.get(kind, ref(name))
  return {
    get,
    annotate: (name: string, key: string, value: string) =>
      change(name, { metadata: { annotations: { [key]: value } } }, "annotated"),
    patch: (name: string, patch: Readonly<Record<string, unknown>>) => change(name, patch, "patched"),
    delete: (name: string) => Effect.as(api.remove(kind, ref(name)), `${printed} "${name}" deleted`),
    describe: Effect.fnUntraced(function* (name: string) {
      const object = yield* get(name)
      const { items } = yield* api.list(Kind.events, { namespace })
      const about = items
        .filter(({ regarding }) => regarding?.uid === object.metadata.uid)
        .toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
      return Description.of(object, about, yield* Clock.currentTimeMillis)
    }),
    table: Effect.fnUntraced(function* (columns: PrinterColumns.Columns, isWide: boolean) {
      const nowMillis = yield* Clock.currentTimeMillis
      const { items: found } = yield* api.list(kind, { namespace })
      const resources = found.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      return PrinterColumns.table(resources, { columns, nowMillis, isWide })
    })
  }
}

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
  const refused = (what: string) => (reason: Invalid) =>
    Effect.fail(new KubernetesError({ request: `apply ${what}`, reason }))

  const applyOurs = Effect.fnUntraced(function* (object: KubeObject, kind: Kind.Kind<KubeObject>, printed: string) {
    const { status: _status, ...given } = object
    const metadata = { namespace, ...object.metadata }
    const { name } = metadata
    const at = { namespace: metadata.namespace, name }
    const known = Manifests.unknownFields(object)
    if (Result.isFailure(known)) {
      return yield* refused(`${kind.plural} ${at.namespace}/${name}`)(known.failure)
    }
    const before = yield* Effect.result(api.get(kind, at))
    const after = yield* api.apply(kind, { ...given, metadata } as KubeObject)
    if (Result.isFailure(before)) return `${printed}/${name} created`
    const isChanged = before.success.metadata.resourceVersion !== after.metadata.resourceVersion
    return `${printed}/${name} ${isChanged ? "configured" : "unchanged"}`
  })

  const applyOne = (object: KubeObject): Effect.Effect<string, KubernetesError> => {
    const { name } = object.metadata
    switch (object.kind) {
      case KafkaBackup.kind:
        return applyOurs(object, Kind.kafkaBackups, printedKinds[KafkaBackup.kind])
      case KafkaRestore.kind:
        return applyOurs(object, Kind.kafkaRestores, printedKinds[KafkaRestore.kind])
      case "KafkaOffsetReset":
        return applyOurs(object, Kind.kafkaOffsetResets, printedKinds.KafkaOffsetReset)
      case "KafkaOffsetRollback":
        return applyOurs(object, Kind.kafkaOffsetRollbacks, printedKinds.KafkaOffsetRollback)
      case "Secret":
        return Effect.as(secrets.put(name, secretValues(object)), `secret/${name} configured`)
      default:
        return refused(`${object.kind} ${name}`)(
          new Invalid({
            detail: `the cluster in memory accepts ${Object.keys(printedKinds).join(", ")} and Secret, not ${object.kind}`
          })
        )
    }
  }

  const apply: Kubectl["apply"] = (manifest) =>
    Result.match(Manifests.documents(manifest), {
      onFailure: refused("manifest"),
      onSuccess: (objects) => Effect.map(Effect.forEach(objects, applyOne), (lines) => lines.join("\n"))
    })

  const backups = commands(api, namespace, Kind.kafkaBackups, printedKinds[KafkaBackup.kind])
  const restores = commands(api, namespace, Kind.kafkaRestores, printedKinds[KafkaRestore.kind])
  const { get } = backups
  const items = <A extends KubeObject>(kind: Kind.Kind<A>) =>
    Effect.map(api.list(kind, { namespace }), (list) =>
      list.items.toSorted((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
    )

  return {
    apply,
    get,
    annotate: backups.annotate,
    patch: backups.patch,
    delete: backups.delete,
    describe: backups.describe,
    trigger: (name, token) => backups.annotate(name, KafkaBackup.triggerAnnotation, token),
    getTable: ({ wide = false } = {}) => backups.table(PrinterColumns.ofBackups, wide),
    restores: {
      ...restores,
      getTable: restores.table(PrinterColumns.ofRestores, false),
      status: (name) =>
        Effect.map(restores.get(name), (object) => Option.getOrUndefined(KafkaRestore.readableStatus(object["status"])))
    },
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
    events: items(Kind.events),
    in: (other) => make(api, other, secrets)
  }
}
