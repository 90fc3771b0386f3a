import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3"
import { Effect, Redacted, type Scope } from "effect"
import * as Agents from "../cloud/Agents.ts"
import * as Answer from "../cloud/Answer.ts"
import * as Address from "../cloud/Address.ts"
import * as Requests from "../cloud/Requests.ts"
import type { S3Target } from "../StorageTarget.ts"
import type { Trust } from "./Authorities.ts"
import * as Role from "./Role.ts"

type Sdk = typeof import("@aws-sdk/client-s3")

/** Times in milliseconds; all of them end in `StoreUnavailable`. `idle` counts bytes in either direction here. */
export interface TimeOuts extends Requests.TimeOuts {
  /** Until TCP and TLS stand. */
  readonly connect: number
}

export const timeOuts: TimeOuts = { ...Requests.timeOuts, connect: 10_000 }

const silent = () => undefined

/** The SDK would tell the console, past our log, what we hear as an error anyway. */
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

/** What of an answer is looked at before the SDK reads it. */
interface Answered {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: { readonly destroy?: () => void }
}

export interface Connection {
  readonly sdk: Sdk
  readonly client: S3Client
}

/**
 * Loads the SDK, which takes longer than everything else of a directory-only command, and makes its client. No request
 * is made.
 */
export const make = (
  { addressingStyle = "auto", assumeRole, bucket, credentials, endpoint, region, requesterPays }: S3Target,
  trust: Trust | undefined,
  times: TimeOuts
): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sdk = yield* Effect.promise(() => import("@aws-sdk/client-s3"))
    const agents = (address: string | undefined) =>
      Agents.make({
        ...Address.serverName(address),
        ...(trust === undefined ? {} : { secureContext: trust.secureContext })
      })
    const { plain, secure } = agents(endpoint)
    const isAuto = addressingStyle === "auto"
    const common = {
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      // A bucket name with dots does not match the certificate of a virtual host.
      forcePathStyle: isAuto ? endpoint !== undefined || bucket.includes(".") : addressingStyle === "path",
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
      requestChecksumCalculation: "WHEN_REQUIRED" as const,
      responseChecksumValidation: "WHEN_REQUIRED" as const,
      // Else every large upload opens a connection of its own.
      expectContinueHeader: false,
      requestHandler: {
        connectionTimeout: times.connect,
        // Ends an upload that no longer moves long before the time allowed for all of it is over.
        socketTimeout: times.idle,
        httpAgent: plain,
        httpsAgent: secure
      }
    }
    const make = (more: S3ClientConfig) =>
      Effect.acquireRelease(
        Effect.sync(() => new sdk.S3Client({ ...common, ...more })),
        (client) => Effect.sync(() => client.destroy())
      )
    const own = yield* make({})
    const client =
      assumeRole === undefined
        ? own
        : yield* make({
            credentials: yield* Role.provider(
              assumeRole,
              Role.tokenService(assumeRole, endpoint),
              region,
              own.config.credentials,
              times,
              agents
            )
          })
    if (requesterPays === true) {
      client.middlewareStack.add(
        (next) => (args) => {
          const { headers } = args.request as { headers: Record<string, string> }
          headers["x-amz-request-payer"] = "requester"
          return next(args)
        },
        { step: "build", name: "requesterPays" }
      )
    }
    // The SDK takes a web page for an object, and for a write that was done.
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args)
        const { body, headers, statusCode } = result.response as Answered
        if (statusCode < 300 && headers["etag"] === undefined && Answer.isPage(headers["content-type"])) {
          body?.destroy?.()
          throw new Answer.NotUnderstood("a web page answers")
        }
        return result
      },
      { step: "deserialize", priority: "low", name: "noWebPages" }
    )
    return { sdk, client }
  })
