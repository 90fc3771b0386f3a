import type { OffsetResetSpec, RollbackSpec } from "../../resource/OffsetResetSpec.ts"

/** Which offset a group gets in a partition. Whatever it is, it is kept within the log of the target. */
export type Strategy =
  /** The one that the group had when the backup was made: it goes on at its next record. */
  | { readonly _tag: "Exact" }
  | { readonly _tag: "Earliest" }
  | { readonly _tag: "Latest" }
  /** That of the first record with this timestamp (milliseconds since 1970) or a later one. */
  | { readonly _tag: "Time"; readonly timestampMillis: number }
  | { readonly _tag: "Offset"; readonly offset: number }

/** Which groups get which offsets. */
export interface GroupsRequest {
  readonly strategy: Strategy
  /** Names, and patterns over the groups of the backup. */
  readonly groups: ReadonlyArray<string>
  /** The cluster that the backup must be of. */
  readonly sourceCluster?: string
}

/** The offsets that groups have in the target are stored before anything is written. */
export interface RollbackRequest {
  /** Absent: a name is made from that of the resource. */
  readonly snapshotId?: string
}

type StrategySpec = Pick<OffsetResetSpec, "offset" | "timestamp" | "timestampMillis">

/** The strategy of a spec that its rules accept, without those that need a backup. */
export const clusterStrategy = ({
  offset,
  strategy,
  timestamp = "",
  timestampMillis
}: StrategySpec & {
  readonly strategy: "earliest" | "latest" | "timestamp" | "offset"
}): Exclude<Strategy, { readonly _tag: "Exact" }> => {
  switch (strategy) {
    case "earliest":
      return { _tag: "Earliest" }
    case "latest":
      return { _tag: "Latest" }
    case "timestamp":
      return { _tag: "Time", timestampMillis: timestampMillis ?? Date.parse(timestamp.toUpperCase()) }
    case "offset":
      return { _tag: "Offset", offset: offset ?? 0 }
  }
}

const strategyOf = (spec: OffsetResetSpec): Strategy =>
  spec.strategy === undefined || spec.strategy === "headerBased" || spec.strategy === "exact"
    ? { _tag: "Exact" }
    : clusterStrategy({ ...spec, strategy: spec.strategy })

/** What a spec asks of consumer groups; nothing where it is switched off. */
export const of = (spec: {
  readonly offsetReset?: OffsetResetSpec
  readonly rollback?: RollbackSpec
}): { readonly groups?: GroupsRequest; readonly rollback?: RollbackRequest } => {
  const { offsetReset, rollback } = spec
  return {
    ...(offsetReset?.enabled === true
      ? {
          groups: {
            strategy: strategyOf(offsetReset),
            groups: offsetReset.consumerGroups ?? [],
            ...(offsetReset.sourceCluster === undefined ? {} : { sourceCluster: offsetReset.sourceCluster })
          }
        }
      : {}),
    ...(rollback?.enabled === true
      ? { rollback: rollback.snapshotId === undefined ? {} : { snapshotId: rollback.snapshotId } }
      : {})
  }
}
