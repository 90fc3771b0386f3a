import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import * as PitrSpec from "../resource/PitrSpec.ts"
import * as GroupsRequest from "./groups/GroupsRequest.ts"
import * as RetentionHoldSpec from "../resource/RetentionHoldSpec.ts"
import type { Chosen, Offsets, RestoreRequest } from "./RestoreRequest.ts"

const offsets = { Auto: "auto", Exact: "exact", New: "new" } as const satisfies Record<string, Offsets>

const existing = { Append: "append", Recreate: "recreate", Fail: undefined } as const

/** The owner of a restore, from the resource's metadata. */
export const owner = ({ metadata }: Pick<KafkaRestore, "metadata">): Owner => ({
  ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  name: metadata.name
})

/**
 * What a resource asks of its restore. Pure; defaults that the API does not fix are set here. `chosen`: the backup of a
 * resource that names none.
 */
export const request = ({ metadata, spec }: KafkaRestore, chosen?: Chosen): RestoreRequest => ({
  owner: owner({ metadata }),
  backupId: chosen?.backupId ?? spec.backupId ?? "",
  ...optional("chosen", chosen),
  topics: spec.topics,
  excludeTopics: spec.excludeTopics,
  topicMapping: new Map(Object.entries(spec.topicMapping ?? {})),
  createTopics: spec.createTopics,
  ...(spec.defaultReplicationFactor === undefined ? {} : { replicationFactor: spec.defaultReplicationFactor }),
  offsets: offsets[spec.offsets],
  ...optional("existingTopics", existing[spec.existingTopics]),
  ...optional("confirmRecreate", spec.confirmRecreate && new Set(spec.confirmRecreate)),
  ...optional(
    "sourcePartitions",
    spec.sourcePartitions &&
      new Map(Object.entries(spec.sourcePartitions).map(([topic, numbers]) => [topic, new Set(numbers)]))
  ),
  ...optional("partitions", spec.partitions && new Map(Object.entries(spec.partitions))),
  includesOriginalOffset: spec.includeOriginalOffsetHeader,
  ...optional("cut", PitrSpec.bounds(spec.pitr)),
  notes: PitrSpec.notes(spec.pitr),
  ...GroupsRequest.of(spec),
  createsAcls: spec.acls === "Create",
  createsQuotas: spec.quotas === "Create",
  maxFillerOffsets: spec.exact.maxFillerOffsets,
  acceptsGaps: spec.gaps === "Accept",
  retentionHold: RetentionHoldSpec.hold(spec.retentionHold),
  deletesCreated: spec.onFailure === "DeleteCreated",
  ...optional("compression", spec.compression),
  configs: {
    fromBackup: spec.configs === "FromBackup",
    overrides: new Map(Object.entries(spec.configOverrides ?? {}))
  },
  bytesPerSecond: spec.rateLimit?.bytesPerSecond,
  recordsPerSecond: spec.rateLimit?.recordsPerSecond
})

const optional = <K extends string, A>(name: K, value: A | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: A }
