import type { KafkaRestore } from "../resource/KafkaRestore.ts"
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
  ...GroupsRequest.of(spec)
})
