import { Effect, Result } from "effect"
import * as Kind from "../../kubernetes/Kind.ts"
import { KubernetesApi } from "../../kubernetes/KubernetesApi.ts"
import { hasReason, type KubernetesError } from "../../kubernetes/KubernetesError.ts"
import type { KubeObject } from "../../kubernetes/Objects.ts"
import * as KafkaRestore from "../../resource/KafkaRestore.ts"
import * as OffsetResource from "../../resource/OffsetResource.ts"
import type { StorageSpec } from "../../resource/StorageSpec.ts"
import { deepEqual } from "../../status/deepEqual.ts"
import type { SnapshotTrouble } from "../../status/offsets/OffsetFacts.ts"
import * as Previous from "../../status/Previous.ts"
import * as OriginLookup from "../oneTime/OriginLookup.ts"

/** Where a snapshot is stored that a KafkaOffsetRollback names without its storage. */

/** A resource that stored the snapshot, and where. */
interface Source {
  readonly by: string
  readonly storage: StorageSpec
}

/** A resource that stored the snapshot, and why nobody can tell where. */
interface Lost {
  readonly by: string
  readonly why: string
}

export type Found =
  | { readonly _tag: "Found"; readonly storage: StorageSpec }
  | { readonly _tag: "Trouble"; readonly trouble: SnapshotTrouble }

/** A restore may have its storage from the KafkaBackup that it refers to. */
const ofRestore = Effect.fnUntraced(function* (
  snapshotId: string,
  { status, ...desired }: KubeObject
): Effect.fn.Return<ReadonlyArray<Source | Lost>, KubernetesError, KubernetesApi> {
  if (Previous.readRestore(status).rollbackSnapshotId !== snapshotId) return []
  const found = Result.getOrUndefined(KafkaRestore.fromServer(desired))
  if (found === undefined) return []
  const origin = yield* OriginLookup.of(found, desired.metadata.namespace ?? "")
  const by = `KafkaRestore ${found.metadata.name}`
  return origin._tag === "Missing" ? [{ by, why: origin.message }] : [{ by, storage: origin.restore.spec.storage }]
})

const ofReset =
  (snapshotId: string) =>
  ({ status, ...desired }: KubeObject): ReadonlyArray<Source> => {
    if (Previous.readOffsets(status).snapshotId !== snapshotId) return []
    const found = Result.getOrUndefined(OffsetResource.fromServer("KafkaOffsetReset", desired))
    const storage = found?.spec.storage
    return storage === undefined ? [] : [{ by: `KafkaOffsetReset ${found?.metadata.name}`, storage }]
  }

/** One storage, whichever resources name it. */
export const choose = (snapshotId: string, found: ReadonlyArray<Source | Lost>): Found => {
  const trouble = (reason: SnapshotTrouble["reason"], message: string): Found => ({
    _tag: "Trouble",
    trouble: { reason, message }
  })
  const sources = found.filter((one) => "storage" in one)
  const lost = found.filter((one) => "why" in one)
  const [first, ...others] = sources
  if (first === undefined && lost.length > 0) {
    return trouble(
      "SnapshotUnknown",
      `${lost.map(({ by, why }) => `${by} stored snapshot ${snapshotId}, and has no storage of its own: ${why}`).join("; ")}. Add spec.storage`
    )
  }
  if (first === undefined) {
    return trouble(
      "SnapshotUnknown",
      `no KafkaRestore or KafkaOffsetReset of this namespace names snapshot ${snapshotId} in its status: correct spec.snapshotId, or add spec.storage`
    )
  }
  return others.every(({ storage }) => deepEqual(storage, first.storage))
    ? { _tag: "Found", storage: first.storage }
    : trouble(
        "SnapshotAmbiguous",
        `${sources.map(({ by }) => by).join(" and ")} name snapshot ${snapshotId}, each in another storage: add spec.storage`
      )
}

/** Looks for the resources of the namespace that stored the snapshot. */
export const find = Effect.fn("SnapshotStorage.find")(function* (
  namespace: string,
  snapshotId: string
): Effect.fn.Return<Found, KubernetesError, KubernetesApi> {
  const api = yield* KubernetesApi
  const listed = (kind: Kind.Kind) =>
    Effect.map(api.list(kind, { namespace }), ({ items }) => items).pipe(
      // A cluster may have the definition of one kind, and not of the other.
      Effect.catchIf(hasReason("NotFound"), () => Effect.succeed<ReadonlyArray<KubeObject>>([]))
    )
  const restores = yield* listed(Kind.kafkaRestores)
  const resets = yield* listed(Kind.kafkaOffsetResets)
  const ofRestores = yield* Effect.forEach(restores, (restore) => ofRestore(snapshotId, restore))
  return choose(snapshotId, [...ofRestores.flat(), ...resets.flatMap(ofReset(snapshotId))])
})
