import type { KafkaRestore } from "../resource/KafkaRestore.ts"
import * as PitrSpec from "../resource/PitrSpec.ts"
import { defaultMaxFillerOffsets, type Offsets, type RestoreRequest } from "./RestoreRequest.ts"
import * as GroupsRequest from "./groups/GroupsRequest.ts"

const offsets = { Auto: "auto", Exact: "exact", New: "new" } as const satisfies Record<string, Offsets>

/** What a resource asks of its restore. Pure; defaults that the API does not fix are set here. */
export const request = ({ metadata, spec }: KafkaRestore): RestoreRequest => ({
  owner: {
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    name: metadata.name
  },
  backupId: spec.backupId,
  topics: spec.topics,
  excludeTopics: spec.excludeTopics,
  topicMapping: new Map(Object.entries(spec.topicMapping ?? {})),
  createTopics: spec.createTopics,
  ...(spec.defaultReplicationFactor === undefined ? {} : { replicationFactor: spec.defaultReplicationFactor }),
  offsets: offsets[spec.offsets],
  maxFillerOffsets: defaultMaxFillerOffsets,
  acceptsGaps: spec.gaps === "Accept",
  ...optional(
    "sourcePartitions",
    spec.sourcePartitions &&
      new Map(Object.entries(spec.sourcePartitions).map(([topic, numbers]) => [topic, new Set(numbers)]))
  ),
  includesOriginalOffset: spec.includeOriginalOffsetHeader,
  ...optional("cut", PitrSpec.bounds(spec.pitr)),
  notes: PitrSpec.notes(spec.pitr),
  ...GroupsRequest.of(spec)
})

const optional = <K extends string, A>(name: K, value: A | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in K]?: A }
