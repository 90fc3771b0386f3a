import { Context, type Effect, type Stream } from "effect"
import type { Kind } from "./Kind.ts"
import type { KubernetesError } from "./KubernetesError.ts"
import type { KubeObject } from "./Objects.ts"

/** Which objects of a kind. Without `namespace`: those of every namespace. */
export interface Selection {
  readonly namespace?: string | undefined
  /** `a=b,c` in kubectl's syntax: equality and existence. */
  readonly labelSelector?: string
  /** `metadata.name=x,involvedObject.name=y`: equality of the fields that the kind supports. */
  readonly fieldSelector?: string
}

/** Names one object of a kind. `namespace` is absent for kinds that have none. */
export interface ObjectRef {
  readonly namespace?: string | undefined
  readonly name: string
}

/** One delta of a watch. Apply them in order to a cache that is empty at first. */
export type Delta<A> =
  /**
   * The end of a listing: exactly `items` and `others` exist; each of `others` came as an `Upsert` before. Comes at the
   * end of the first listing, and again after history was lost.
   */
  | { readonly _tag: "Snapshot"; readonly items: ReadonlyArray<A>; readonly others?: ReadonlyArray<ObjectRef> }
  | { readonly _tag: "Upsert"; readonly object: A }
  | { readonly _tag: "Delete"; readonly object: A }

/**
 * How dependents of a deleted object end: after it (`Background`), before it (`Foreground`), or not at all (`Orphan`).
 */
export type Propagation = "Background" | "Foreground" | "Orphan"

export interface RemoveOptions {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagation?: Propagation
}

/**
 * The Kubernetes API server. Every write is one request; a write that fails with `Unavailable` may still have been
 * carried out. Requests are aborted when their fiber is interrupted. Only reads are retried inside.
 */
export interface KubernetesApiShape {
  readonly get: <A extends KubeObject>(kind: Kind<A>, ref: ObjectRef) => Effect.Effect<A, KubernetesError>
  /** The complete list, read page by page. A watch can continue from `resourceVersion`. */
  readonly list: <A extends KubeObject>(
    kind: Kind<A>,
    selection: Selection
  ) => Effect.Effect<{ readonly items: ReadonlyArray<A>; readonly resourceVersion: string }, KubernetesError>
  /**
   * A snapshot (a long one page by page, so that it never has to be in memory as a whole), then every change. Never
   * ends and never fails: it resumes after a broken connection, lists again after 410, and waits, with a log line,
   * while the server or the CRD is not there.
   */
  readonly watch: <A extends KubeObject>(kind: Kind<A>, selection: Selection) => Stream.Stream<Delta<A>>
  /** Fails with `AlreadyExists` when an object of that name exists. */
  readonly create: <A extends KubeObject>(kind: Kind<A>, object: A) => Effect.Effect<A, KubernetesError>
  /**
   * Server-side apply under the operator's one field manager, with force: sets the fields of `object`, and removes
   * those that an earlier apply of the same manager set and this one does not. With the subresource `status` only the
   * status is applied, and the object must exist.
   */
  readonly apply: <A extends KubeObject>(
    kind: Kind<A>,
    object: KubeObject,
    subresource?: "status"
  ) => Effect.Effect<A, KubernetesError>
  /** Writes the whole object; fails with `Conflict` when it has changed since its resourceVersion. */
  readonly replace: <A extends KubeObject>(kind: Kind<A>, object: A) => Effect.Effect<A, KubernetesError>
  /**
   * JSON merge patch (RFC 7396). Fails with `Conflict` when it has a `metadata.uid` or `metadata.resourceVersion` that
   * differs. The server ignores the uid in writes to a KafkaBackup's status (here and in `apply`): there only the
   * resourceVersion counts.
   */
  readonly patch: <A extends KubeObject>(
    kind: Kind<A>,
    ref: ObjectRef,
    patch: Readonly<Record<string, unknown>>,
    subresource?: "status"
  ) => Effect.Effect<A, KubernetesError>
  /**
   * Deletes the object; with `uid` and `resourceVersion` only the object of that uid that has not changed since, else
   * it fails with `Conflict`. Fails with `NotFound` when there is none.
   */
  readonly remove: <A extends KubeObject>(
    kind: Kind<A>,
    ref: ObjectRef,
    options?: RemoveOptions
  ) => Effect.Effect<void, KubernetesError>
}

export class KubernetesApi extends Context.Service<KubernetesApi, KubernetesApiShape>()(
  "kafka-backup/kubernetes/KubernetesApi"
) {}
