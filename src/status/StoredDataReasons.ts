/**
 * What is known of stored data: verified when its backup was made, damaged since, and read again. Reasons of the
 * conditions Verified, SetsIntact and DataVerified: see Reasons.ts.
 */
export const storedDataReasons = {
  BackupVerified: {
    of: ["Verified"],
    meaning:
      "Every segment of the newest backup was found in storage as it was written. In a bucket, its size and the server's fingerprint were compared; on a volume, it was read back and its checksum was compared."
  },
  NotProven: {
    of: ["Verified"],
    meaning:
      "The data in storage is not what was written. The backup was not declared complete; earlier backups are untouched.",
    todo: "Check the storage, then run the backup again."
  },
  SegmentDamaged: {
    of: ["Verified"],
    meaning: "A stored segment is damaged.",
    todo: "Check the storage, run `kafka-backup verify`, and make a new backup."
  },
  VerificationFailed: {
    of: ["Verified"],
    meaning: "A backup does not contain what its manifest names.",
    todo: "Check the storage, run `kafka-backup verify`, and make a new backup."
  },
  ContentMismatch: {
    of: ["Verified"],
    meaning: "Data was altered in transit or at rest.",
    todo: "Check the storage and everything between it and the backup."
  },

  NoKnownDamage: { of: ["SetsIntact"], meaning: "No backup of the resource is known to be damaged." },
  BackupsDamaged: {
    of: ["SetsIntact"],
    meaning:
      "At least one backup of the resource is known to be damaged: an object is missing, or its bytes are not those that were written. The message names the first, and the newest backup without known damage. Backups go on, and `Ready` does not change.",
    todo: "Restore from the backup that the message names. Find out what changed or removed the object. The next run reads again what Kafka still has and the newest backup names; see [the runbook](../guides/operations.md#kafkabackupdamaged)."
  },

  DataVerified: {
    of: ["DataVerified"],
    meaning:
      "Every stored byte was read again, or written, within the promised number of runs and half as many more. The message says since when."
  },
  VerificationStarting: {
    of: ["DataVerified"],
    meaning:
      "Runs have begun to read stored backups again, and have not come round yet: after an upgrade, a larger share, a new or resumed schedule."
  },
  VerificationBehind: {
    of: ["DataVerified"],
    meaning:
      "A stored byte was not read again for more slots of the schedule than the promised runs and half as many more: runs fail, are skipped, or read less than their share.",
    todo: "See `.status.backupHistory` and the newest run's report. `kafka-backup verify BACKUP_ID --deep` reads a backup at once."
  },
  VerificationOff: {
    of: ["DataVerified"],
    meaning: "`spec.verification.percentPerRun` is 0: runs do not read stored backups again.",
    todo: "Remove the field or set a larger number, or run `kafka-backup verify --deep` by other means."
  },
  NoScheduledRuns: {
    of: ["DataVerified"],
    meaning:
      "Without a schedule, or while it is suspended, no run reads stored backups again, so nothing is promised. The message says since when every byte was read or written.",
    todo: "Run `kafka-backup verify BACKUP_ID --deep` from time to time."
  }
} as const
