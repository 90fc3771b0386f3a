import { Context, Effect, Layer, type Scope } from "effect"
import type { KubeObject } from "../kubernetes/Objects.ts"
import type { InformerCache } from "./InformerCache.ts"

/** The resources of one kind, as the reconciler's cache has them. */
export interface Source {
  /** `KafkaBackup`. */
  readonly kind: string
  readonly resources: Pick<InformerCache<KubeObject>, "get" | "isSynced" | "keys" | "size" | "versionOf">
}

/** What this replica watches, for whoever only looks at it. Nothing while another replica leads. */
export class Watched extends Context.Service<
  Watched,
  {
    /** Shows these until the scope ends. */
    readonly show: (sources: ReadonlyArray<Source>) => Effect.Effect<void, never, Scope.Scope>
    readonly sources: Effect.Effect<ReadonlyArray<Source>>
  }
>()("kafka-backup/operator/Watched") {
  static readonly layer = Layer.sync(Watched, () => {
    let shown: ReadonlyArray<Source> = []
    return Watched.of({
      show: (sources) =>
        Effect.acquireRelease(
          Effect.sync(() => void (shown = sources)),
          // Those of a later leadership stay.
          () => Effect.sync(() => void (shown = shown === sources ? [] : shown))
        ),
      sources: Effect.sync(() => shown)
    })
  })
}
