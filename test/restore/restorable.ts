import { Result } from "effect"
import * as BackupRef from "../../src/resource/BackupRef.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"

/** A KafkaRestore that names a KafkaBackup, whose backups it chooses from. */

export const origin: BackupRef.Origin = { name: "nightly", namespace: "kafka", uid: "uid-1" }

export const restorable = (spec: object = {}, from: BackupRef.Origin = origin): BackupRef.Restorable => ({
  ...BackupRef.restorable({
    ...Result.getOrThrow(
      KafkaRestore.fromJson({
        apiVersion: "kafka.oso.sh/v1alpha1",
        kind: "KafkaRestore",
        metadata: { name: "back", namespace: "kafka", uid: "restore-1" },
        spec: {
          backupRef: { name: "nightly" },
          targetCluster: { bootstrapServers: ["target:9092"] },
          storage: { storageType: "pvc", pvc: { claimName: "backups" } },
          ...spec
        }
      })
    ),
    origin: from
  })!
})
