import * as Field from "./Field.ts"

export const VerificationSpec = Field.object(
  {
    percentPerRun: Field.withDefault(
      Field.integer({
        description:
          "Percent of the stored bytes of all kept backups that each run reads again, those first that were not read for longest: 2 reads everything again within 50 runs. 0 reads nothing again.",
        minimum: 0,
        maximum: 100
      }),
      2
    )
  },
  { description: "How much of the stored backups each run reads again, to find damage before a restore does." }
)
export type VerificationSpec = typeof VerificationSpec.Type
