import * as Field from "./Field.ts"

const yearSeconds = 31_536_000
const weekSeconds = 604_800

export const JobSpec = Field.object(
  {
    backoffLimit: Field.withDefault(
      Field.integer({
        description:
          "How often a failed pod is replaced before the run counts as failed. A new pod resumes at the last checkpoint.",
        minimum: 0,
        maximum: 100
      }),
      3
    ),
    parallelism: Field.withDefault(
      Field.integer({
        description:
          "How many pods make one backup together: each reads its share of the partitions, and the last one to end commits the backup. Rate limits are divided by it; resources are for each pod. With storageType pvc the claim must be ReadWriteMany, unless all pods run on one node.",
        minimum: 1,
        maximum: 64
      }),
      1
    ),
    activeDeadlineSeconds: Field.optional(
      Field.integer({
        description: "Longest time that a run may take over all its pods, in seconds. Absent: no limit.",
        minimum: 1,
        maximum: yearSeconds
      })
    ),
    startDeadlineSeconds: Field.optional(
      Field.integer({
        description:
          "How long a run waits for the start of its container, in seconds. Then it fails with reason PodNotStarted, and the next slot is free. Absent: 600 where spec.schedule is set; without a schedule a run waits until its pod can start.",
        minimum: 30,
        maximum: weekSeconds
      })
    ),
    ttlSecondsAfterFinished: Field.withDefault(
      Field.integer({
        description: "How long the finished Job stays, for its logs, in seconds. The backup itself is not touched.",
        minimum: 0,
        maximum: yearSeconds
      }),
      86_400
    )
  },
  { description: "The Kubernetes Job that runs one backup." }
)
export type JobSpec = typeof JobSpec.Type
