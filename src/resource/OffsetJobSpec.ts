import * as Field from "./Field.ts"

const yearSeconds = 31_536_000

export const OffsetJobSpec = Field.object(
  {
    backoffLimit: Field.withDefault(
      Field.integer({
        description:
          "How often a failed pod is replaced. A pod that may have changed offsets is not replaced, and neither is one that was evicted and left no exit code: see the annotation kafka.oso.sh/retry.",
        minimum: 0,
        maximum: 100
      }),
      3
    ),
    activeDeadlineSeconds: Field.optional(
      Field.integer({
        description: "Longest time that the Job may take over all its pods, in seconds. Absent: no limit.",
        minimum: 1,
        maximum: yearSeconds
      })
    ),
    ttlSecondsAfterFinished: Field.withDefault(
      Field.integer({
        description: "How long the finished Job stays, for its logs, in seconds.",
        minimum: 0,
        maximum: yearSeconds
      }),
      86_400
    )
  },
  { description: "The Kubernetes Job that works on the offsets." }
)
export type OffsetJobSpec = typeof OffsetJobSpec.Type
