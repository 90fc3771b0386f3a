import { randomUUID } from "node:crypto"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, type Scope, Stream } from "effect"
import type { S3Store } from "../../scripts/services/ObjectStores.ts"
import * as Catalogue from "../../src/manifest/Catalogue.ts"
import * as Requests from "../../src/storage/cloud/Requests.ts"
import * as AzureObjectStore from "../../src/storage/AzureObjectStore.ts"
import * as DirectoryObjectStore from "../../src/storage/DirectoryObjectStore.ts"
import * as GcsObjectStore from "../../src/storage/GcsObjectStore.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import type { ObjectKey, ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import type { ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import { describeWith } from "../harness/services.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

/** How many keys: more than one page of the backend in CI; `npm run soak` takes 100,000. */
const countOf = (pages: number) => Number(process.env["KBO_KEYS"] ?? pages)

/** Names of fixed width, so that their order is the order they are made in. */
const keyOf = (i: number) => `set/topics/t/segment-${String(i).padStart(9, "0")}.bin` as ObjectKey

type Fill = (store: ObjectStoreShape, count: number) => Effect.Effect<void, ObjectStoreError>

/** Last key first, so that nothing lists well by remembering the order of the puts. */
const byPut: Fill = (store, count) =>
  Effect.forEach(
    Array.from({ length: count }, (_, i) => count - 1 - i),
    (i) => store.put(keyOf(i), [Uint8Array.of(1)]),
    { concurrency: 16, discard: true }
  )

interface Place {
  readonly store: ObjectStoreShape
  readonly fill: Fill
}

const manyKeys = <E>(name: string, pages: number, place: Effect.Effect<Place, E, Scope.Scope>) => {
  const count = countOf(pages)
  describe(`A listing ${name}`, () => {
    it.live(
      `lists ${count.toLocaleString("en")} keys, in pages, in ascending order, complete`,
      () =>
        Effect.gen(function* () {
          const { fill, store } = yield* place
          yield* fill(store, count)
          let next = 0
          yield* store.list("set/").pipe(
            Stream.runForEach(({ key, size }) =>
              Effect.sync(() => {
                if (key !== keyOf(next) || size !== 1) assert.fail(`${key} of ${size} bytes in place of ${keyOf(next)}`)
                next++
              })
            )
          )
          assert.strictEqual(next, count)
          // What `kafka-backup list` reads: the folders' names and their facts, never the segments below them.
          const facts = (prefix: string) =>
            prefix === "set/kb-meta" ? store.list(prefix) : Stream.die("the catalogue lists no segments")
          const unlisted = { ...store, list: facts }
          assert.deepStrictEqual(yield* Stream.runCollect(store.folders), ["set"])
          assert.deepStrictEqual(yield* Catalogue.entries(unlisted), [])
        }),
      3_600_000
    )
  })
}

manyKeys(
  "in memory",
  3_000,
  InMemoryObjectStores.pipe(
    Effect.flatMap((stores) => stores.named("many")),
    Effect.map(({ store }) => ({ store, fill: byPut })),
    Effect.provide(InMemoryObjectStores.layer)
  )
)

manyKeys(
  "in a directory",
  3_000,
  Effect.gen(function* () {
    const volume = yield* temporaryVolume
    const store = yield* DirectoryObjectStore.open({ _tag: "Directory", volume })
    // A put waits for the disk; what is to be listed may as well lie there already.
    const fill: Fill = (_, count) =>
      Effect.gen(function* () {
        yield* Effect.promise(() => mkdir(join(volume, "set/topics/t"), { recursive: true }))
        yield* Effect.forEach(
          Array.from({ length: count }, (_, i) => count - 1 - i),
          (i) => Effect.promise(() => writeFile(join(volume, keyOf(i)), "x")),
          { concurrency: 16, discard: true }
        )
      })
    return { store, fill }
  })
)

const inBucket = ({ accessKey, endpoint, region, secretKey }: S3Store) =>
  Effect.gen(function* () {
    const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey }
    const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials })
    const bucket = `many-${randomUUID()}`
    yield* Effect.promise(() => client.send(new CreateBucketCommand({ Bucket: bucket })))
    client.destroy()
    const store = yield* S3ObjectStore.open({
      _tag: "S3",
      bucket,
      region,
      prefix: "production",
      endpoint,
      credentials: {
        accessKeyId: Redacted.make(accessKey),
        secretAccessKey: Redacted.make(secretKey),
        origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] }
      }
    })
    return { store, fill: byPut }
  })

describeWith("versitygw", "with versitygw", ({ versitygw }) => manyKeys("on versitygw", 3_000, inBucket(versitygw)))

describeWith("minio", "with MinIO", ({ minio }) => manyKeys("on MinIO", 3_000, inBucket(minio)))

describeWith("azurite", "with Azurite", ({ azurite: { accountKey, accountName, endpoint } }) =>
  manyKeys(
    "on Azurite",
    5_500,
    Effect.gen(function* () {
      const container = `many-${randomUUID()}`
      const credential = new StorageSharedKeyCredential(accountName, accountKey)
      const client = new ContainerClient(`${endpoint}/${container}`, credential)
      yield* Effect.acquireRelease(
        Effect.promise(() => client.create()),
        () => Effect.promise(() => client.deleteIfExists())
      )
      const store = yield* AzureObjectStore.open({
        _tag: "Azure",
        accountName,
        container,
        prefix: "production",
        endpoint,
        credentials: {
          _tag: "AccountKey",
          accountKey: Redacted.make(accountKey),
          origin: { secret: "azure-credentials", keys: ["AZURE_STORAGE_KEY"] }
        }
      })
      return { store, fill: byPut }
    })
  )
)

describeWith("fakegcs", "with fake-gcs-server", ({ fakegcs: { endpoint } }) =>
  manyKeys(
    "on fake-gcs-server",
    3_000,
    Effect.gen(function* () {
      const bucket = `many-${randomUUID()}`
      const made = yield* Effect.promise(() =>
        fetch(`${endpoint}/storage/v1/b?project=test`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name: bucket })
        })
      )
      assert.isTrue(made.ok, `no bucket: HTTP ${made.status}`)
      const target = { _tag: "Gcs", bucket, prefix: "production" } as const
      const store = yield* GcsObjectStore.open(target, Requests.timeOuts, { STORAGE_EMULATOR_HOST: endpoint })
      return { store, fill: byPut }
    })
  )
)
