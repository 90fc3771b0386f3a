import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { Effect, Redacted, Stream } from "effect"
import type { S3Store } from "../scripts/services/ObjectStores.ts"
import type { Services } from "../scripts/services/Services.ts"
import { ObjectStores } from "../src/storage/ObjectStore.ts"
import * as StorageBackends from "../src/storage/StorageBackends.ts"
import type { StorageTarget } from "../src/storage/StorageTarget.ts"

export const servers = ["versitygw", "minio", "azurite", "fakegcs"] as const
export type Name = "directory" | (typeof servers)[number]

/** Where backups of the bench go. */
export interface Backend {
  readonly name: Name
  /** `spec.storage` of the manifest. */
  readonly spec: object
  /** Environment of the command line. */
  readonly env: Readonly<Record<string, string>>
  /** Removes everything that was stored. */
  readonly empty: () => Promise<void>
}

/** Name of the bucket, the container and the claim. */
export const place = "kafka-backup-bench"
const origin = { secret: "bench", keys: [] }

const secret = (folder: string, values: Readonly<Record<string, string>>) => {
  mkdirSync(join(folder, "secrets", "bench"), { recursive: true })
  for (const [key, value] of Object.entries(values)) writeFileSync(join(folder, "secrets", "bench", key), value)
}

const emptied = (target: StorageTarget) => () =>
  Effect.gen(function* () {
    const store = yield* (yield* ObjectStores).open(target)
    yield* store.list("").pipe(
      Stream.mapEffect(({ key }) => store.delete(key), { concurrency: 8 }),
      Stream.runDrain
    )
  }).pipe(Effect.scoped, Effect.provide(StorageBackends.layer), Effect.runPromise)

/** A directory below `folder`. */
const directory = (folder: string): Backend => ({
  name: "directory",
  spec: { storageType: "pvc", pvc: { claimName: place } },
  env: {},
  empty: () => {
    rmSync(join(folder, place), { recursive: true, force: true })
    mkdirSync(join(folder, place), { recursive: true })
    return Promise.resolve()
  }
})

const s3 = async (name: Name, { accessKey, endpoint, region, secretKey }: S3Store, folder: string) => {
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
  await client.send(new CreateBucketCommand({ Bucket: place })).catch((error: Error) => {
    if (!error.name.startsWith("BucketAlready")) throw error
  })
  client.destroy()
  const at = { bucket: place, region, endpoint }
  const target = {
    _tag: "S3",
    ...at,
    credentials: { accessKeyId: Redacted.make(accessKey), secretAccessKey: Redacted.make(secretKey), origin }
  } as const
  return {
    name,
    spec: { storageType: "s3", s3: { ...at, credentialsSecret: { name: "bench" } } },
    env: {},
    empty: () => {
      secret(folder, { accessKey, secretKey })
      return emptied(target)()
    }
  } satisfies Backend
}

const azure = async (
  { accountKey, accountName, endpoint }: NonNullable<Services["azurite"]>,
  folder: string
): Promise<Backend> => {
  const credential = new StorageSharedKeyCredential(accountName, accountKey)
  await new ContainerClient(`${endpoint}/${place}`, credential).createIfNotExists()
  const at = { accountName, container: place, endpoint }
  const key = { _tag: "AccountKey", accountKey: Redacted.make(accountKey), origin } as const
  return {
    name: "azurite",
    spec: { storageType: "azure", azure: { ...at, credentialsSecret: { name: "bench" } } },
    env: {},
    empty: () => {
      secret(folder, { AZURE_STORAGE_KEY: accountKey })
      return emptied({ _tag: "Azure", ...at, credentials: key })()
    }
  }
}

const gcs = async ({ endpoint }: NonNullable<Services["fakegcs"]>): Promise<Backend> => {
  await fetch(`${endpoint}/storage/v1/b?project=bench`, { method: "POST", body: JSON.stringify({ name: place }) })
  return {
    name: "fakegcs",
    spec: { storageType: "gcs", gcs: { bucket: place } },
    env: { STORAGE_EMULATOR_HOST: endpoint },
    empty: () => {
      process.env["STORAGE_EMULATOR_HOST"] = endpoint
      return emptied({ _tag: "Gcs", bucket: place })()
    }
  }
}

/** The backend of that name; undefined where its server is not there. Manifests and Secrets lie in `folder`. */
export const open = (name: Name, services: Partial<Services>, folder: string): Promise<Backend> | undefined => {
  switch (name) {
    case "directory":
      return Promise.resolve(directory(folder))
    case "versitygw":
    case "minio": {
      const store = services[name]
      return store && s3(name, store, folder)
    }
    case "azurite":
      return services.azurite && azure(services.azurite, folder)
    case "fakegcs":
      return services.fakegcs && gcs(services.fakegcs)
  }
}
