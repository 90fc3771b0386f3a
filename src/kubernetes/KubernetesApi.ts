import { Context, type Effect, type Stream } from "effect"
import type { Kind } from "./Kind.ts"
import type { KubernetesError } from "./KubernetesError.ts"
import type { KubeObject } from "./Objects.ts"

/** Which objects of a kind. Without `namespace`: those of every namespace. */
export interface Selection {
  readonly namespace?: string
  /** `a=b,c` as kubectl takes it: equality and existence. */
  readonly labelSelector?: string
  /** `metadata.name=x,involvedObject.name=y`: equality of the fields that the kind supports. */
  readonly fieldSelector?: string
}

/** One object's place. `namespace` is absent for kinds that have none. */
export interface ObjectRef {
  readonly namespace?: string
  readonly name: string
}

/** What a watch tells. Apply in order to a cache that is empty at first. */
export type Delta<A> =
  /**
   * The end of a listing: there are `items`, and those of `others`, told by an `Upsert` before it, and nothing else. Comes when all is
   * known for the first time, and again after history was lost.
   */
  | { readonly _tag: "Snapshot"; readonly items: ReadonlyArray<A>; readonly others?: ReadonlyArray<ObjectRef> }
  | { readonly _tag: "Upsert"; readonly object: A }
  | { readonly _tag: "Delete"; readonly object: A }

/** How dependents of a deleted object end: at once and unseen, or before it. */
export type Propagation = "Background" | "Foreground" | "Orphan"

/**
 * The Kubernetes API server. Every write is one request; a failure with `Unavailable` may have been carried out all the same.
 * Requests are aborted when their fiber is interrupted. Retries inside are of reads only.
 */
export interface KubernetesApiShape {
  readonly get: <A extends KubeObject>(kind: Kind<A>, place: ObjectRef) => Effect.Effect<A, KubernetesError>
  /** Complete, paged inside. `resourceVersion` is where a watch can go on from. */
  readonly list: <A extends KubeObject>(
    kind: Kind<A>,
    selection: Selection
  ) => Effect.Effect<{ readonly items: ReadonlyArray<A>; readonly resourceVersion: string }, KubernetesError>
  /**
   * A snapshot (long ones piece by piece, so that nobody has to hold all of it), then every change, for as long as it is run: it never ends and never fails, resumes after a cut, lists anew
   * after 410 and waits (visibly, in the log) while the server or the CRD is not there.
   */
  readonly watch: <A extends KubeObject>(kind: Kind<A>, selection: Selection) => Stream.Stream<Delta<A>>
  /** Fails with `AlreadyExists` when the name is taken. */
  readonly create: <A extends KubeObject>(kind: Kind<A>, object: A) => Effect.Effect<A, KubernetesError>
  /**
   * Server-side apply under our one field manager, taking over fields that others hold: makes the fields of `object` what
   * they are there, and removes those that an earlier apply of ours set and this one does not. Of the subresource `status`
   * only the status is taken, and the object must exist.
   */
  readonly apply: <A extends KubeObject>(
    kind: Kind<A>,
    object: KubeObject,
    subresource?: "status"
  ) => Effect.Effect<A, KubernetesError>
  /** Writes the whole object; fails with `Conflict` when it changed since its resourceVersion. */
  readonly replace: <A extends KubeObject>(kind: Kind<A>, object: A) => Effect.Effect<A, KubernetesError>
  /**
   * JSON merge patch (RFC 7396). With `metadata.uid` or `metadata.resourceVersion` in it fails with `Conflict` when it differs. Of
   * what is written to a KafkaBackup's status (here and by `apply`) the server does not read the uid: there only the
   * resourceVersion counts.
   */
  readonly patch: <A extends KubeObject>(
    kind: Kind<A>,
    place: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    subresource?: "status"
  ) => Effect.Effect<A, KubernetesError>
  /** Deletes the object, of this `uid` only where one is given. Fails with `NotFound` when it is not there. */
  readonly remove: <A extends KubeObject>(
    kind: Kind<A>,
    place: ObjectRef,
    options?: { readonly uid?: string; readonly propagation?: Propagation }
  ) => Effect.Effect<void, KubernetesError>
}

export class KubernetesApi extends Context.Service<KubernetesApi, KubernetesApiShape>()(
  "kafka-backup/kubernetes/KubernetesApi"
) {}
