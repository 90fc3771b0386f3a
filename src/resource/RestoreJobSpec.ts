import * as Field from "./Field.ts"

const yearSeconds = 31_536_000

export const RestoreJobSpec = Field.object(
  {
    backoffLimit: Field.withDefault(
      Field.integer({
        description:
          "How often a failed pod is replaced before the restore counts as failed. A new pod continues where the last one stopped.",
        minimum: 0,
        maximum: 100
      }),
      3
    ),
    activeDeadlineSeconds: Field.optional(
      Field.integer({
        description: "Longest time that the restore may take over all its pods, in seconds. Absent: no limit.",
        minimum: 1,
        maximum: yearSeconds
      })
    ),
    ttlSecondsAfterFinished: Field.withDefault(
      Field.integer({
        description: "How long the finished Job stays, for its logs, in seconds. Restored topics are not touched.",
        minimum: 0,
        maximum: yearSeconds
      }),
      86_400
    )
  },
  { description: "The Kubernetes Job that runs the restore." }
)
export type RestoreJobSpec = typeof RestoreJobSpec.Type
