import type { Readable } from "node:stream"
import type { ContainerClient } from "@azure/storage-blob"
import { Clock, Effect, type Scope } from "effect"
import * as Address from "./azure/Address.ts"
import * as Credential from "./azure/Credential.ts"
import * as Failure from "./azure/Failure.ts"
import * as Locks from "./azure/Locks.ts"
import * as Storing from "./azure/Storing.ts"
import * as Upload from "./azure/Upload.ts"
import { rootOf } from "./cloud/Address.ts"
import * as Agents from "./cloud/Agents.ts"
import * as Answer from "./cloud/Answer.ts"
import * as CloudObjectStore from "./cloud/CloudObjectStore.ts"
import { lengthless, unless } from "./cloud/Failure.ts"
import type { Found, Remote } from "./cloud/Remote.ts"
import * as Requests from "./cloud/Requests.ts"
import type { ObjectStoreShape } from "./ObjectStore.ts"
import {
  Misconfigured,
  ObjectNotFound,
  type ObjectStoreError,
  type ObjectStoreReason,
  type Operation
} from "./ObjectStoreError.ts"
import type { AzureTarget } from "./StorageTarget.ts"

/** A blob as its properties describe it. */
interface Seen extends Found {
  /** Of content that came in one request. */
  readonly md5?: Uint8Array
  /** What its writer said of content that came in blocks. */
  readonly sha256?: string
}

/** Listings quote no ETag, everything else does. */
const unquoted = (etag: string | undefined): string => (etag ?? "").replace(/^"|"$/gu, "")

/** In an account with hierarchical namespace folders are blobs too, of no content and with this mark. */
const isFolder = (metadata: Readonly<Record<string, string>> | undefined): boolean =>
  metadata?.["hdi_isfolder"] === "true"

/** The SDK takes any XML for a listing, and stumbles over what is not in it. */
const listed = <A>(page: Promise<A>): Promise<A> =>
  page.catch((error: unknown) => {
    throw error instanceof TypeError ? new Answer.NotUnderstood("the answer is not a listing of Blob Storage") : error
  })

/** What Blob Storage stores, describes or gives has an ETag: the SDK takes a web page, too, for an answer. */
const tagged = async <A extends { readonly etag?: string | undefined }>(answer: Promise<A>): Promise<A> => {
  const response = await answer.catch((error: unknown) => {
    // So the SDK refuses a download without a length.
    throw error instanceof RangeError ? new Answer.NotUnderstood(error.message) : error
  })
  if (response.etag !== undefined) return response
  throw new Answer.NotUnderstood("the answer is not from Blob Storage")
}

const found = (
  name: string,
  size: number,
  response: { readonly etag?: string | undefined; readonly lastModified?: Date | undefined }
): Found => ({
  name,
  size,
  fingerprint: unquoted(response.etag),
  ...(response.lastModified === undefined ? {} : { modifiedMillis: response.lastModified.getTime() })
})

/**
 * A container, or a prefix in it, of Azure Blob Storage, with or without hierarchical namespace. Nothing is asked of
 * the service before the one listing with which `open` proves address, credentials and container.
 */
export const open = (
  target: AzureTarget,
  times: Requests.TimeOuts = Requests.timeOuts,
  env: Credential.Environment = process.env
): Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const location = Address.location(target)
    const root = rootOf(target)
    const keyOf = (name: string) => name.slice(root.length)
    const fail = (reason: ObjectStoreReason) => Failure.of(reason, { operation: "open", location })
    const refused = Address.refusal(target)
    if (refused !== undefined) {
      return yield* fail(new Misconfigured({ detail: refused, advice: "correct the storage settings" }))
    }
    const sdk = yield* Effect.promise(() => import("@azure/storage-blob"))
    const credential = yield* Effect.promise(() => Credential.make(target, sdk, env))
    if (credential._tag === "StorageAuthenticationFailed" || credential._tag === "Misconfigured")
      return yield* fail(credential)

    const service = Address.service(target)
    const address = `${service}/${target.container}`
    // One request each: how long to try is decided in one place. Nothing is written to the console past our log.
    // A redirect is followed to nobody: the next one would be shown what the first one was to read.
    // The SDK takes an agent, although the type of its options does not say so; otherwise its own reading of the
    // variables for proxies would decide, which is not that of the other stores.
    const agents = yield* Effect.acquireRelease(
      Effect.sync(() => Agents.make()),
      ({ close }) => Effect.sync(close)
    )
    const options = {
      retryOptions: { maxTries: 1 },
      redirectOptions: { maxRetries: 0 },
      agent: agents.of(Address.service(target))
    }
    const container: ContainerClient =
      credential._tag === "Sas"
        ? new sdk.ContainerClient(`${address}?${credential.query}`, new sdk.AnonymousCredential(), options)
        : new sdk.ContainerClient(address, credential.credential, options)

    const storing = Storing.text(target)
    const common = {
      location,
      ...(storing === undefined ? {} : { storing }),
      account: target.accountName,
      container: target.container,
      service,
      credentials: target.credentials,
      secrets: Credential.secrets(target),
      ...(credential._tag === "Sas" && credential.endMillis !== undefined ? { sasEndMillis: credential.endMillis } : {})
    }
    const line = yield* Requests.make(times)
    const send = <A>(
      context: Pick<Failure.ErrorContext, "operation" | "key" | "bytes" | "ifAbsent">,
      request: (signal: AbortSignal) => Promise<A>,
      bytes = 0
    ) => line(request, (error, now) => Failure.from(error, { ...common, ...context }, now), bytes)
    const absent = (operation: Operation, key: string) =>
      Failure.of(new ObjectNotFound({ key }), { operation, location })

    const properties = (operation: "put" | "head" | "delete", name: string) =>
      send({ operation, key: keyOf(name) }, (abortSignal) =>
        tagged(container.getBlobClient(name).getProperties({ abortSignal }))
      )

    const locks = yield* Locks.make(
      container,
      target.lock !== undefined,
      (name) => properties("delete", name),
      (request) => send({ operation: "delete" }, request)
    )

    const remote: Remote<Seen> = {
      location,
      storing,
      root,
      idleMillis: times.idle,
      // With hierarchical namespace a folder's content comes where the folder's name stands, not where its slash does.
      listsInOrder: false,
      error: (operation, reason) => Failure.of(reason, { operation, location }),
      sizeRefusal: (size) =>
        size > Upload.largestBytes ? `more than one blob can have (${Upload.largestBytes})` : undefined,
      put: (name, content, ifAbsent) =>
        Effect.gen(function* () {
          const more = Storing.options(target, content.role, yield* Clock.currentTimeMillis)
          const stored = yield* Upload.upload(
            container.getBlockBlobClient(name),
            content,
            ifAbsent,
            more,
            (request, bytes) => send({ operation: "put", key: keyOf(name), bytes, ifAbsent }, request, bytes)
          )
          const response = yield* send({ operation: "put", key: keyOf(name) }, () =>
            tagged(Promise.resolve(locks.heard(stored)))
          )
          if (content.role === "trial")
            yield* unless(Storing.disproved(target, yield* properties("put", name)), { operation: "put", location })
          return found(name, content.size, response)
        }),
      rehearse: (name, content) =>
        Upload.rehearse(
          container.getBlockBlobClient(name),
          content,
          Storing.options(target, undefined, 0),
          (request, bytes) => send({ operation: "put", key: keyOf(name), bytes }, request, bytes)
        ).pipe(Effect.catchReason("ObjectStoreError", "ContentMismatch", () => Effect.void)),
      holds: (seen, content) =>
        seen.md5 !== undefined
          ? Upload.md5(content.pieces).equals(seen.md5)
          : seen.sha256 === undefined || content.sha256 === undefined
            ? undefined
            : seen.sha256 === content.sha256,
      head: (name) =>
        Effect.gen(function* () {
          const response = locks.heard(yield* properties("head", name))
          const protection = Locks.ofProperties(response, yield* Clock.currentTimeMillis)
          if (isFolder(response.metadata)) return yield* absent("head", keyOf(name))
          return {
            ...found(name, response.contentLength ?? 0, response),
            ...(protection === undefined ? {} : { protection }),
            ...(response.contentMD5 === undefined ? {} : { md5: response.contentMD5 }),
            ...(response.metadata?.["sha256"] === undefined ? {} : { sha256: response.metadata["sha256"] })
          }
        }),
      body: (operation, name, at, fingerprint) =>
        Effect.gen(function* () {
          const conditions = fingerprint === undefined ? {} : { ifMatch: `"${fingerprint}"` }
          const response = yield* send({ operation, key: keyOf(name) }, (abortSignal) =>
            tagged(
              container.getBlobClient(name).download(at, undefined, { abortSignal, conditions, maxRetryRequests: 0 })
            )
          )
          const stream = response.readableStreamBody as Readable | undefined
          if (isFolder(response.metadata)) {
            stream?.destroy()
            return yield* absent(operation, keyOf(name))
          }
          if (stream === undefined || response.contentLength === undefined) {
            stream?.destroy()
            return yield* Failure.of(lengthless(keyOf(name)), { operation, location })
          }
          return { stream, bytes: response.contentLength, fingerprint: unquoted(response.etag) }
        }),
      page: (operation, prefix, { foldersOnly, limit, token }) => {
        const settings = { maxPageSize: limit, ...(token === undefined ? {} : { continuationToken: token }) }
        if (foldersOnly) {
          return send({ operation }, async (abortSignal) => {
            const pages = container.listBlobsByHierarchy("/", { prefix, abortSignal }).byPage(settings)
            const { value } = await listed(pages.next())
            const folders = (value?.segment.blobPrefixes ?? []).map(({ name }: { name: string }) => name)
            return { objects: [], folders, ...(value?.continuationToken ? { next: value.continuationToken } : {}) }
          })
        }
        return send({ operation }, async (abortSignal) => {
          const pages = container.listBlobsFlat({ prefix, abortSignal, includeMetadata: true }).byPage(settings)
          const { value } = await listed(pages.next())
          const objects: Array<Found> = []
          for (const item of value?.segment.blobItems ?? []) {
            if (isFolder(item.metadata)) continue
            objects.push(found(item.name, item.properties.contentLength ?? 0, item.properties))
          }
          return { objects, folders: [], ...(value?.continuationToken ? { next: value.continuationToken } : {}) }
        })
      },
      remove: (name) =>
        send({ operation: "delete", key: keyOf(name) }, (abortSignal) =>
          container.getBlobClient(name).delete({ abortSignal })
        ).pipe(
          // Not among the fields that the SDK reads.
          Effect.map(({ _response }) => locks.deleted(_response.headers.get("x-ms-delete-type-permanent")))
        ),
      locks
    }
    return yield* CloudObjectStore.open(remote)
  })
