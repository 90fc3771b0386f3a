import { given } from "../../resource/Json.ts"
import type { RunSummary } from "../../outcome/RunSummary.ts"
import type { DamageSummary, VerificationSummary } from "../../outcome/VerificationSummary.ts"

/** What a command reports of the stored data. */
export interface StoredData {
  readonly damage?: DamageSummary
  readonly verification?: VerificationSummary
}

/**
 * What a success reports; nothing where it knows nothing. A run that knows the kept backups knows of their damage, and
 * says nothing where there is none. Prunes and listings always say.
 */
export const of = ({ catalogue, command, damaged, verification }: RunSummary): StoredData | undefined => {
  const isRun = command === "run" && catalogue !== undefined
  const damage = damaged ?? (isRun ? { sets: 0, text: "" } : undefined)
  return damage === undefined && verification === undefined ? undefined : given({ damage, verification })
}
