import { createHash } from "node:crypto"
import { Schema } from "effect"
import { KafkaBackup } from "../../resource/KafkaBackup.ts"
import { KafkaRestore } from "../../resource/KafkaRestore.ts"
import type { OffsetResource } from "../../resource/OffsetResource.ts"

/** Fields of the spec that the pods of runs do not read: an edit of these gives the same pod. */
const ofOperator: ReadonlyArray<string> = [
  "schedule",
  "timeZone",
  "startingDeadlineSeconds",
  "suspend",
  "immediate",
  "deletionPolicy",
  // Read by the pods of drills alone.
  "drill",
  // Limits of the Job, of which `limits` has those that its pods are under.
  "job"
] satisfies Array<keyof KafkaBackup["spec"]>

/** The spec as the pods of a Job read it: a run waits for its Secrets where there is no schedule. */
const read = (resource: KafkaBackup | OffsetResource): unknown => {
  switch (resource.kind) {
    case "KafkaBackup":
      return [resource.spec.schedule !== undefined, others(Schema.encodeSync(KafkaBackup)(resource).spec)]
    case "KafkaRestore":
      return others(Schema.encodeSync(KafkaRestore)(resource).spec)
    default:
      return others(resource.spec)
  }
}

const others = (spec: object) => Object.entries(spec).filter(([field]) => !ofOperator.includes(field))

/**
 * 16 hex digits that represent all that the pods of a Job are made from: equal for equal inputs, in any process at any
 * time. `template` is the pod's template without the encoded run spec, whose text may differ between versions of zlib.
 */
export const of = (resource: KafkaBackup | OffsetResource, limits: object, template: object): string =>
  createHash("sha256")
    .update(JSON.stringify([read(resource), limits, template]))
    .digest("hex")
    .slice(0, 16)
