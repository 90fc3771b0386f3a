import * as Field from "./Field.ts"
import { objectName } from "./Name.ts"
import * as Rule from "./Rule.ts"

/** A KafkaBackup whose backup is restored, instead of a backup that is named. */
export const BackupRefSpec = Field.object(
  {
    name: objectName(
      "KafkaBackup",
      "Name of the KafkaBackup, in the namespace of this resource. Its storage is used where the restore names none."
    ),
    select: Field.optional(
      Field.choice(["Latest", "PointInTime"], {
        description:
          "Which of its complete backups. Latest: the newest. PointInTime: the oldest that was started at the time of pitr or later. Absent: PointInTime with a time in pitr, else Latest."
      })
    )
  },
  {
    description:
      "A KafkaBackup, one of whose backups is restored. The choice is made when the restore starts, and kept once it writes.",
    rules: [Rule.required("name", "backupRef needs the name of a KafkaBackup in the same namespace, for example shop")]
  }
)
export type BackupRefSpec = typeof BackupRefSpec.Type

interface Named {
  readonly backupId?: string
  readonly backupRef?: BackupRefSpec
  readonly storage?: unknown
  readonly pitr?: { readonly enabled?: boolean }
}

/** Which fields must be there, and which exclude each other. */
export const namesOneBackup: ReadonlyArray<Rule.Rule<Named>> = [
  Rule.rule<Named>({
    cel: "has(self.backupId) || has(self.backupRef)",
    message:
      "a restore needs backupId, for example shop-20260301-020000, as kafka-backup list shows it; or backupRef with the name of a KafkaBackup",
    reason: "FieldValueRequired",
    fieldPath: ".backupId",
    holds: ({ backupId, backupRef }) => backupId !== undefined || backupRef !== undefined
  }),
  Rule.rule<Named>({
    cel: "!has(self.backupId) || !has(self.backupRef)",
    message: "backupId names one backup, and backupRef lets the restore choose one: remove one of them",
    reason: "FieldValueForbidden",
    fieldPath: ".backupRef",
    holds: ({ backupId, backupRef }) => backupId === undefined || backupRef === undefined
  }),
  Rule.rule<Named>({
    cel: "has(self.storage) || has(self.backupRef)",
    message:
      "a restore needs storage with storageType (s3, azure, gcs or pvc) and the block of that name; only with backupRef it may be absent",
    reason: "FieldValueRequired",
    fieldPath: ".storage",
    holds: ({ backupRef, storage }) => storage !== undefined || backupRef !== undefined
  }),
  Rule.rule<Named>({
    cel: "!has(self.backupRef) || !has(self.backupRef.select) || self.backupRef.select != 'PointInTime' || has(self.pitr) && (!has(self.pitr.enabled) || self.pitr.enabled)",
    message: "select: PointInTime needs pitr with a timestamp; write Latest for the newest backup",
    reason: "FieldValueForbidden",
    fieldPath: ".backupRef",
    holds: ({ backupRef, pitr }) =>
      backupRef?.select !== "PointInTime" || (pitr !== undefined && pitr.enabled !== false)
  })
]
