import * as DamageFields from "./DamageFields.ts"
import * as Format from "./Format.ts"
import type { Answer } from "./Ready.ts"
import type { Status } from "./Status.ts"

/**
 * Are all backups whole, as far as is known? What is known comes from runs, prunes and listings that succeeded; one
 * that failed changes nothing.
 */
export const answer = (damage: Status["damage"]): Answer<"SetsIntact"> => {
  if (damage === undefined) {
    return { status: "Unknown", reason: "NotYetTried", message: "Not checked yet: no run has got that far." }
  }
  const { backups, message = "no details were reported", reportedTime } = damage
  if (backups === 0) {
    const none = `No backup of this resource is known to be damaged, as reported at ${reportedTime}.`
    return { status: "True", reason: "NoKnownDamage", message: none }
  }
  const sentences = [
    `${backups === 1 ? "1 backup is" : `${Format.count(backups)} backups are`} known to be damaged, as reported at ${reportedTime}: ${message}`,
    DamageFields.toRestoreFrom(damage),
    "An incremental run reads damaged parts from Kafka again where Kafka still has them and the newest backup names them; what such a run leaves damaged stays so",
    "kafka-backup verify BACKUP_ID --deep reads all of a backup and names what is damaged in it"
  ]
  return { status: "False", reason: "BackupsDamaged", message: sentences.map(Format.sentence).join(" ") }
}
