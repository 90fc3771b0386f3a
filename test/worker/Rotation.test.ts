import { createServer } from "node:http"
import { mkdirSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Option, Redacted, Stream } from "effect"
import * as Connections from "../../src/worker/Connections.ts"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as FailureReasons from "../../src/outcome/FailureReasons.ts"
import * as Rotation from "../../src/worker/Rotation.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import * as MountedSecrets from "../../src/secrets/MountedSecrets.ts"
import * as GuardedObjectStore from "../../src/storage/GuardedObjectStore.ts"
import { ObjectStores, type ObjectKey, type ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import { StorageAuthenticationFailed, ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import * as StorageBackends from "../../src/storage/StorageBackends.ts"
import type { S3Target } from "../../src/storage/StorageTarget.ts"
import { temporaryVolume } from "../storage/temporaryVolume.ts"
import { inTime } from "../backup/inTime.ts"
import { aRequest, assertHoldsAll, attempt, fill, layer, someTopics, world } from "../backup/world.ts"

const key = (text: string) => text as ObjectKey
const noon = "2026-11-23T12:00:00Z"

/** The world's store behind a lock that a story may change; `secret` is what the mounted Secret says. */
const locked = Effect.gen(function* () {
  const { memory } = yield* world
  const state = { valid: "old", secret: "old" }
  const target = (): S3Target => ({
    _tag: "S3",
    bucket: "kafka-backups",
    region: "eu-central-1",
    credentials: {
      accessKeyId: Redacted.make("id"),
      secretAccessKey: Redacted.make(state.secret),
      origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] }
    }
  })
  const opened = (password: string): ObjectStoreShape => {
    const { store } = memory
    const refusal = (operation: ObjectStoreError["operation"]) =>
      new ObjectStoreError({
        operation,
        location: store.location,
        reason: new StorageAuthenticationFailed({
          detail: "the key has expired",
          advice: "check Secret s3-credentials"
        })
      })
    const asked = <A>(operation: ObjectStoreError["operation"], call: Effect.Effect<A, ObjectStoreError>) =>
      Effect.suspend(() => (password === state.valid ? call : Effect.fail(refusal(operation))))
    const streamed = <A>(operation: "read" | "list", stream: Stream.Stream<A, ObjectStoreError>) =>
      Stream.unwrap(asked(operation, Effect.succeed(stream)))
    return {
      location: store.location,
      put: (...args) => asked("put", store.put(...args)),
      get: (k) => asked("get", store.get(k)),
      head: (k) => asked("head", store.head(k)),
      delete: (k) => asked("delete", store.delete(k)),
      read: (k) => streamed("read", store.read(k)),
      list: (prefix) => streamed("list", store.list(prefix)),
      folders: streamed("list", store.folders)
    }
  }
  const stores = ObjectStores.of({
    open: (asked) => {
      const password = Redacted.value((asked as S3Target).credentials!.secretAccessKey)
      return Effect.as(opened(password).list("").pipe(Stream.runDrain), opened(password))
    }
  })
  const open = Rotation.openStore(Effect.sync(target), GuardedObjectStore.bounded).pipe(
    Effect.provideService(ObjectStores, stores)
  )
  return { state, open }
})

/** 722 records in 14 seconds. */
const slow = aRequest(noon, { recordsPerSecond: 50 })

describe("A run whose storage credentials are rotated meanwhile", () => {
  const storyOf = (title: string, change: (state: { valid: string; secret: string }) => void, expected: number) =>
    it.effect(title, () =>
      Effect.gen(function* () {
        const { cluster, store } = yield* world
        yield* fill(cluster)
        const { open, state } = yield* locked
        const context = yield* Effect.context<Effect.Services<ReturnType<typeof attempt>>>()
        const work = Effect.scoped(Effect.flatMap(open, (opened) => attempt(slow, { store: opened })))
        const exit = yield* inTime(Effect.provide(work, context), 600, (second) => {
          // A first checkpoint is there by now, and half of the records are not.
          if (second === 9) change(state)
          if (second === 40 && state.secret === "late") state.secret = "new"
        })
        const code = Exit.isSuccess(exit)
          ? 0
          : FailureReasons.exitCode(Option.getOrThrow(Cause.findErrorOption(exit.cause)) as FailureReasons.Failure)
        assert.strictEqual(code, expected, String(exit))
        // Whatever became of it: with good credentials the same slot is completed, from where it stopped.
        state.valid = state.secret = "good again"
        const progress = RunProgress.make()
        const again = Effect.scoped(Effect.flatMap(open, (opened) => attempt(slow, { store: opened, progress })))
        const done = yield* inTime(Effect.provide(again, context), 60)
        assert.isTrue(Exit.isSuccess(done), String(done))
        if (expected !== 0) assert.isBelow(progress.records, 36 * 20 + 2, "less was read than there is")
        yield* assertHoldsAll(cluster, store, progress.backupId!, someTopics)
      }).pipe(Effect.provide(layer))
    )

  storyOf(
    "goes on when the Secret has been renewed",
    (state) => {
      state.valid = state.secret = "new"
    },
    exitCodes.success
  )
  storyOf(
    "waits for a mounted Secret that follows a little later",
    (state) => {
      state.valid = "new"
      state.secret = "late"
    },
    exitCodes.success
  )
  storyOf(
    "fails with exit code 12 when nobody renews it, keeps its checkpoint, and resumes with better ones",
    (state) => {
      state.valid = "another"
    },
    exitCodes.accessRefused
  )
})

describe("Rotation.openStore on S3", () => {
  it.live(
    "reads the mounted Secret anew when the server says that the key has expired, in the middle of a listing too",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryVolume
        const write = (accessKey: string, secretKey: string) => {
          mkdirSync(join(folder, "s3-credentials"), { recursive: true })
          writeFileSync(join(folder, "s3-credentials", "accessKey"), `${accessKey}\n`)
          writeFileSync(join(folder, "s3-credentials", "secretKey"), secretKey)
        }
        let valid = "AKIDOLD"
        const refused: Array<string> = []
        const page = (keys: ReadonlyArray<string>, more: string) =>
          `<ListBucketResult><IsTruncated>${more !== ""}</IsTruncated>${more === "" ? "" : `<NextContinuationToken>${more}</NextContinuationToken>`}${keys
            .map((k) => `<Contents><Key>${k}</Key><Size>1</Size></Contents>`)
            .join("")}</ListBucketResult>`
        const server = createServer((request, response) => {
          request.resume()
          const url = new URL(request.url ?? "/", "http://store")
          response.setHeader("content-type", "application/xml")
          if (!(request.headers.authorization ?? "").includes(`Credential=${valid}/`)) {
            refused.push(url.search)
            response.writeHead(400)
            return response.end(
              "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
            )
          }
          if (url.searchParams.get("continuation-token") === "two") return response.end(page(["c", "d"], ""))
          if (url.searchParams.get("max-keys") === "1") return response.end(page([], ""))
          // The key ends between the first page and the second.
          response.end(page(["a", "b"], "two"))
          if (valid === "AKIDOLD") {
            valid = "AKIDNEW"
            write("AKIDNEW", "the new secret")
          }
        })
        yield* Effect.acquireRelease(
          Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
          () => Effect.sync(() => server.close(() => undefined).closeAllConnections())
        )
        write("AKIDOLD", "the old secret")
        const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
        const read = Connections.storage(
          {
            storageType: "s3",
            s3: {
              bucket: "kafka-backups",
              region: "eu-central-1",
              endpoint,
              credentialsSecret: { name: "s3-credentials", accessKeyKey: "accessKey", secretKeyKey: "secretKey" }
            }
          } as Parameters<typeof Connections.storage>[0],
          undefined
        ).pipe(Effect.provide(MountedSecrets.layer(folder)))
        const store = yield* Rotation.openStore(read, GuardedObjectStore.bounded)
        const listed = yield* store.list("").pipe(Stream.runCollect)
        assert.deepStrictEqual(
          listed.map((info) => info.key),
          ["a", "b", "c", "d"].map(key)
        )
        assert.isNotEmpty(refused)
      }).pipe(Effect.provide([StorageBackends.layer, NodeServices.layer]))
  )
})
