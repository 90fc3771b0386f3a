import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { AzureSpec } from "../../src/resource/AzureSpec.ts"
import { GcsSpec } from "../../src/resource/GcsSpec.ts"
import { S3Spec } from "../../src/resource/S3Spec.ts"
import * as StorageTargets from "../../src/worker/StorageTargets.ts"

describe("The target of a spec", () => {
  it("has every setting of S3", () => {
    const settings = {
      addressingStyle: "virtual",
      requesterPays: true,
      assumeRole: {
        roleArn: "arn:aws:iam::123456789012:role/kafka-backup",
        externalId: "team",
        sessionName: "nightly"
      },
      storageClass: "GLACIER_IR",
      tags: { team: "data" }
    }
    const serverSideEncryption = { algorithm: "aws:kms:dsse", kmsKeyId: "alias/kafka" }
    const objectLock = { mode: "COMPLIANCE", days: 30 }
    const place = { bucket: "kafka-backups", region: "eu-west-1" }
    const spec = Schema.decodeUnknownSync(S3Spec)({ ...place, ...settings, serverSideEncryption, objectLock })
    assert.deepStrictEqual<unknown>(StorageTargets.s3(spec), {
      _tag: "S3",
      ...place,
      ...settings,
      encryption: serverSideEncryption,
      lock: objectLock
    })
  })

  it("has every setting of Azure", () => {
    const place = { accountName: "kafkabackups", container: "backups" }
    const settings = { accessTier: "Cold", encryptionScope: "backups", tags: { team: "data" } }
    const immutability = { mode: "Unlocked", days: 7 }
    const spec = Schema.decodeUnknownSync(AzureSpec)({ ...place, ...settings, immutability })
    assert.deepStrictEqual<unknown>(StorageTargets.azure(spec), {
      _tag: "Azure",
      ...place,
      ...settings,
      lock: immutability
    })
  })

  it("has every setting of Google Cloud Storage", () => {
    const kmsKeyName = "projects/p/locations/eu/keyRings/r/cryptoKeys/k"
    const settings = { bucket: "kafka-backups", storageClass: "ARCHIVE", kmsKeyName }
    const objectRetention = { mode: "Locked", days: 7 }
    const spec = Schema.decodeUnknownSync(GcsSpec)({ ...settings, objectRetention })
    assert.deepStrictEqual<unknown>(StorageTargets.gcs(spec), { _tag: "Gcs", ...settings, lock: objectRetention })
  })
})
