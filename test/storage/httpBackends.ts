import { Effect, Redacted, type Scope } from "effect"
import * as AzureObjectStore from "../../src/storage/AzureObjectStore.ts"
import * as Requests from "../../src/storage/cloud/Requests.ts"
import * as GcsObjectStore from "../../src/storage/GcsObjectStore.ts"
import type { ObjectStoreShape } from "../../src/storage/ObjectStore.ts"
import type { ObjectStoreError } from "../../src/storage/ObjectStoreError.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import { type Answer, answering, type Arrived } from "./scriptedS3.ts"
import * as WebDavObjectStore from "./webdav/WebDavObjectStore.ts"

/** What a server may say, each in words of its own: the answers in the order in which our requests ask for them. */
export interface Sayings {
  /** A write was done. */
  readonly stored: Answer
  readonly noSuchObject: ReadonlyArray<Answer>
  readonly noSuchBucket: ReadonlyArray<Answer>
  readonly exists: Answer
  readonly replaced: Answer
  /** The object is protected from removal until 2027. Absent where the server has no such lock. */
  readonly locked?: Answer
  readonly unknownIdentity: Answer
  readonly expired: Answer
  readonly forbidden: Answer
  /** Absent where the store never sees our clock. */
  readonly wrongClock?: Answer
  readonly otherBytes: Answer
  readonly full: Answer
  readonly slowDown: Answer
  readonly broken: Answer
  /** Another writer is at the same object at this moment. */
  readonly conflict: Answer
}

/** A backend that talks HTTP, and how its server answers. */
export interface HttpBackend {
  readonly open: (
    address: string,
    times?: Requests.TimeOuts
  ) => Effect.Effect<ObjectStoreShape, ObjectStoreError, Scope.Scope>
  /** Knows the listing with which a store is opened. */
  readonly isOpening: (request: Arrived) => boolean
  /** A page of these names (below the prefix `team/`), and where it says to go on. */
  readonly page: (names: ReadonlyArray<string>, next?: string) => Answer
  /** Headers of an answer that carries an object's content. */
  readonly headers: Readonly<Record<string, string>>
  readonly says: Sayings
}

const xml = { "content-type": "application/xml" }
const json = { "content-type": "application/json" }

const s3Says = (status: number, code: string, message = code) =>
  answering(status, xml, `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)

const s3: HttpBackend = {
  open: (endpoint, times = Requests.timeOuts) =>
    S3ObjectStore.open(
      {
        _tag: "S3",
        bucket: "backups",
        region: "eu-central-1",
        prefix: "team",
        endpoint,
        credentials: {
          accessKeyId: Redacted.make("AKIDEXAMPLE12345"),
          secretAccessKey: Redacted.make("a-secret-access-key"),
          origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] }
        }
      },
      { ...times, connect: 10_000 }
    ),
  isOpening: ({ query }) => query.get("max-keys") === "1",
  page: (names, next) =>
    answering(
      200,
      xml,
      `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated>${
        next === undefined ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`
      }${names.map((name) => `<Contents><Key>team/${name}</Key><Size>1</Size><ETag>"1"</ETag></Contents>`).join("")}</ListBucketResult>`
    ),
  headers: { etag: '"1"' },
  says: {
    stored: answering(200, { etag: '"1"' }, ""),
    noSuchObject: [s3Says(404, "NoSuchKey")],
    noSuchBucket: [s3Says(404, "NoSuchBucket")],
    exists: s3Says(412, "PreconditionFailed"),
    replaced: s3Says(412, "PreconditionFailed"),
    locked: s3Says(400, "InvalidRequest", "Object is WORM protected and cannot be overwritten"),
    unknownIdentity: s3Says(403, "InvalidAccessKeyId"),
    expired: s3Says(400, "ExpiredToken"),
    forbidden: s3Says(403, "AccessDenied"),
    wrongClock: s3Says(403, "RequestTimeTooSkewed"),
    otherBytes: s3Says(400, "XAmzContentSHA256Mismatch"),
    full: s3Says(507, "XMinioStorageFull"),
    slowDown: s3Says(503, "SlowDown"),
    broken: s3Says(500, "InternalError"),
    conflict: s3Says(409, "ConditionalRequestConflict")
  }
}

const azureSays = (status: number, code: string, headers: Readonly<Record<string, string>> = {}) =>
  answering(
    status,
    { ...xml, "x-ms-error-code": code, ...headers },
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  )

const azure: HttpBackend = {
  open: (address, times = Requests.timeOuts) =>
    AzureObjectStore.open(
      {
        _tag: "Azure",
        accountName: "kafkabackups",
        container: "backups",
        prefix: "team",
        endpoint: `${address}/kafkabackups`,
        credentials: {
          _tag: "AccountKey",
          accountKey: Redacted.make(Buffer.alloc(64, 9).toString("base64")),
          origin: { secret: "azure-credentials", keys: ["AZURE_STORAGE_KEY"] }
        }
      },
      times
    ),
  isOpening: ({ query }) => query.get("maxresults") === "1",
  page: (names, next = "") =>
    answering(
      200,
      xml,
      `<?xml version="1.0"?><EnumerationResults><Blobs>${names
        .map(
          (name) =>
            `<Blob><Name>team/${name}</Name><Properties><Etag>1</Etag><Content-Length>1</Content-Length></Properties></Blob>`
        )
        .join("")}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`
    ),
  headers: { etag: '"1"' },
  says: {
    stored: answering(201, { etag: '"1"', "last-modified": "Mon, 23 Nov 2026 12:00:00 GMT" }, ""),
    noSuchObject: [azureSays(404, "BlobNotFound")],
    noSuchBucket: [azureSays(404, "ContainerNotFound")],
    exists: azureSays(409, "BlobAlreadyExists"),
    replaced: azureSays(412, "ConditionNotMet"),
    locked: azureSays(409, "BlobImmutableDueToPolicy"),
    unknownIdentity: azureSays(403, "AuthenticationFailed"),
    expired: azureSays(401, "InvalidAuthenticationInfo"),
    forbidden: azureSays(403, "AuthorizationPermissionMismatch"),
    wrongClock: azureSays(403, "AuthenticationFailed", { date: "Thu, 01 Jan 1970 00:00:00 GMT" }),
    otherBytes: azureSays(400, "Md5Mismatch"),
    full: azureSays(507, "AccountLimitExceeded"),
    slowDown: azureSays(503, "ServerBusy"),
    broken: azureSays(500, "InternalError"),
    conflict: azureSays(400, "InvalidBlockList")
  }
}

const gcsSays = (status: number, reason: string, message = reason) =>
  answering(status, json, JSON.stringify({ error: { code: status, message, errors: [{ reason, message }] } }))

const gcs: HttpBackend = {
  open: (address, times = Requests.timeOuts) =>
    GcsObjectStore.open({ _tag: "Gcs", bucket: "backups", prefix: "team" }, times, { STORAGE_EMULATOR_HOST: address }),
  isOpening: ({ query }) => query.get("maxResults") === "1",
  page: (names, next) =>
    answering(
      200,
      json,
      JSON.stringify({
        items: names.map((name) => ({ name: `team/${name}`, size: "1", generation: "1" })),
        ...(next === undefined ? {} : { nextPageToken: next })
      })
    ),
  headers: { "x-goog-generation": "1" },
  says: {
    stored: answering(200, json, JSON.stringify({ name: "team/a", size: "26", generation: "1" })),
    // It does not say whether the object or the bucket is missing, so the bucket is looked at next.
    noSuchObject: [gcsSays(404, "notFound"), answering(200, json, "{}")],
    noSuchBucket: [gcsSays(404, "notFound"), gcsSays(404, "notFound")],
    exists: gcsSays(412, "conditionNotMet"),
    replaced: gcsSays(412, "conditionNotMet"),
    locked: gcsSays(
      403,
      "retentionPolicyNotMet",
      "Object 'backups/a' is subject to bucket's retention policy and cannot be deleted or overwritten until 2027-01-01T00:00:00.123-08:00"
    ),
    unknownIdentity: gcsSays(401, "authError"),
    expired: gcsSays(401, "authError"),
    forbidden: gcsSays(403, "forbidden"),
    // Requests carry a token and no time; the clock shows where tokens are asked for (gcs/Failure.test.ts).
    otherBytes: gcsSays(400, "invalid", "Provided CRC32C doesn't match calculated CRC32C"),
    full: gcsSays(403, "quotaExceeded"),
    slowDown: gcsSays(429, "rateLimitExceeded"),
    broken: gcsSays(500, "backendError"),
    conflict: gcsSays(429, "rateLimitExceeded")
  }
}

const webDavSays = (status: number, code: string) => answering(status, json, JSON.stringify({ code, message: code }))

const webDav: HttpBackend = {
  open: (endpoint, times = Requests.timeOuts) =>
    WebDavObjectStore.open(
      {
        _tag: "WebDav",
        endpoint,
        collection: "backups",
        prefix: "team",
        credentials: { token: Redacted.make("good-token"), origin: { secret: "webdav", keys: ["token"] } }
      },
      times
    ),
  isOpening: ({ query }) => query.get("limit") === "1",
  page: (names, next) =>
    answering(
      200,
      json,
      JSON.stringify({
        objects: names.map((name) => ({ name: `team/${name}`, size: 1, etag: '"1"', modified: "" })),
        folders: [],
        ...(next === undefined ? {} : { next })
      })
    ),
  headers: { etag: '"1"' },
  says: {
    stored: answering(201, { etag: '"1"' }, ""),
    noSuchObject: [webDavSays(404, "NoSuchObject")],
    noSuchBucket: [webDavSays(404, "NoSuchCollection")],
    exists: webDavSays(412, "Exists"),
    replaced: webDavSays(412, "Changed"),
    unknownIdentity: webDavSays(401, "UnknownToken"),
    expired: webDavSays(401, "ExpiredToken"),
    forbidden: webDavSays(403, "NotAllowed"),
    wrongClock: webDavSays(403, "WrongTime"),
    otherBytes: webDavSays(400, "DigestMismatch"),
    full: webDavSays(507, "Full"),
    slowDown: webDavSays(429, "SlowDown"),
    broken: webDavSays(500, "Broken"),
    conflict: webDavSays(503, "Busy")
  }
}

export const httpBackends = { s3, azure, gcs, webDav }
