import type { S3Client } from "@aws-sdk/client-s3"
import { Clock, Effect, Exit, Redacted, Scope, Semaphore } from "effect"
import { Misconfigured, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { S3Target } from "../StorageTarget.ts"
import * as Address from "./Address.ts"
import * as Authorities from "./Authorities.ts"
import * as Failure from "./Failure.ts"
import * as HandshakeFailure from "./HandshakeFailure.ts"

type Sdk = typeof import("@aws-sdk/client-s3")

/** Times in milliseconds; all of them end in `StoreUnavailable`. */
export interface TimeOuts {
  /** Until TCP and TLS stand. */
  readonly connect: number
  /** Without a byte in either direction. */
  readonly idle: number
  /** From request to the head of the answer, for a request without a large body. */
  readonly answer: number
}

export const timeOuts: TimeOuts = { connect: 10_000, idle: 60_000, answer: 60_000 }

/** Slowest upload that is still waited for, in bytes per second: a line this slow would need nine minutes for 64 MiB. */
const slowestUpload = 128 * 1024

/** Requests of one store that wait for an answer at the same time; more of them wait in line. */
const requestsAtOnce = 32

/** Sockets of one store: the requests above, and bodies that are being read. */
const sockets = 256

const silent = () => undefined

/** The SDK would tell the console, past our log, what we hear as an error anyway. */
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

/** The SDK has set its clock by the server's answer: the same request, signed anew, may be in time. */
const isSkewed = (error: unknown) => error instanceof Error && error.name === "RequestTimeTooSkewed"

/** What a call hands to the SDK beside its command. */
interface SendOptions {
  readonly abortSignal: AbortSignal
  readonly requestTimeout: number
}

/** One bucket and prefix, reachable. */
export interface Connection {
  readonly sdk: Sdk
  readonly bucket: string
  readonly location: string
  /** The whole key in the bucket. */
  readonly full: (key: string) => string
  /** The key below the prefix, of a whole key that lies there. */
  readonly relative: (full: string) => string
  readonly place: (operation: Failure.Operation, key?: string) => Failure.ErrorContext
  /**
   * One request, its failure translated. Interruption and failure both abort it, so that no half-sent body keeps its
   * memory or its socket.
   */
  readonly send: <A>(
    place: Failure.ErrorContext,
    request: (client: S3Client, options: SendOptions) => Promise<A>,
    bodyBytes?: number
  ) => Effect.Effect<A, ObjectStoreError>
}

/** Loads the SDK, which takes longer than everything else of a directory-only command, and makes its client. No request is made. */
export const make = (target: S3Target, times: TimeOuts): Effect.Effect<Connection, ObjectStoreError, Scope.Scope> =>
  Effect.gen(function* () {
    const location = Address.location(target)
    const { bucket, region, endpoint, credentials, authorities } = target
    const trust = authorities === undefined ? undefined : Authorities.trust(authorities)
    const prefix = Address.prefixOf(target)
    const root = prefix === "" ? "" : `${prefix}/`
    const secrets =
      credentials === undefined
        ? []
        : [Redacted.value(credentials.secretAccessKey), Redacted.value(credentials.accessKeyId)]
    const place: Connection["place"] = (operation, key) => ({
      operation,
      location,
      bucket,
      region,
      secrets,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(key === undefined ? {} : { key }),
      ...(credentials === undefined ? {} : { origin: credentials.origin }),
      ...(authorities === undefined
        ? {}
        : { trust: { ...authorities.origin, authorities: typeof trust === "object" ? trust.authorities : [] } })
    })

    const refused = Address.refusal(target)
    if (refused !== undefined) {
      return yield* Failure.of(
        new Misconfigured({ detail: refused, advice: "correct the storage settings" }),
        place("open")
      )
    }

    if (typeof trust === "string")
      return yield* Failure.of(HandshakeFailure.unusableAuthorities(trust, place("open")), place("open"))

    const sdk = yield* Effect.promise(() => import("@aws-sdk/client-s3"))
    const agent = { keepAlive: true, maxSockets: sockets }
    const secureAgent = trust === undefined ? agent : { ...agent, secureContext: trust.secureContext }
    const client = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new sdk.S3Client({
            region,
            ...(endpoint === undefined ? {} : { endpoint }),
            // A bucket name with dots does not match the certificate of a virtual host.
            forcePathStyle: endpoint !== undefined || bucket.includes("."),
            ...(credentials === undefined
              ? {}
              : {
                  credentials: {
                    accessKeyId: Redacted.value(credentials.accessKeyId),
                    secretAccessKey: Redacted.value(credentials.secretAccessKey)
                  }
                }),
            // We repeat ourselves: a streamed body cannot be repeated by the SDK.
            maxAttempts: 1,
            logger,
            // We give every object its SHA-256; the SDK's own default is refused by many S3-compatible stores.
            requestChecksumCalculation: "WHEN_REQUIRED",
            responseChecksumValidation: "WHEN_REQUIRED",
            // Else every large upload opens a connection of its own.
            expectContinueHeader: false,
            requestHandler: {
              connectionTimeout: times.connect,
              socketTimeout: times.idle,
              requestTimeout: times.answer,
              throwOnRequestTimeout: true,
              httpAgent: agent,
              httpsAgent: secureAgent
            }
          })
      ),
      (client) => Effect.sync(() => client.destroy())
    )
    const inFlight = yield* Semaphore.make(requestsAtOnce)

    return {
      sdk,
      bucket,
      location,
      full: (key) => root + key,
      relative: (full) => full.slice(root.length),
      place,
      send: (at, request, bodyBytes = 0) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          // Left open when the answer is there: its body may still be read.
          const sending = yield* Scope.make()
          const abortSignal = yield* Scope.provide(Effect.abortSignal, sending)
          const requestTimeout = times.answer + Math.ceil((bodyBytes / slowestUpload) * 1000)
          const once = () => request(client, { abortSignal, requestTimeout })
          return yield* Effect.tryPromise({
            try: () =>
              once().catch((error: unknown) => {
                if (isSkewed(error)) return once()
                throw error
              }),
            catch: (error) => Failure.from(error, at, now)
          }).pipe(Effect.onExit((exit) => (Exit.isFailure(exit) ? Scope.close(sending, exit) : Effect.void)))
        }).pipe(inFlight.withPermits(1))
    }
  })
