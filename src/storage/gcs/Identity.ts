import { Effect, Schedule } from "effect"
import type { StorageAuthenticationFailed, ObjectStoreError } from "../ObjectStoreError.ts"
import type { GcsTarget } from "../StorageTarget.ts"
import * as ServiceAccount from "./ServiceAccount.ts"

type Send = <A>(request: (signal: AbortSignal) => Promise<A>) => Effect.Effect<A, ObjectStoreError>

/** Nobody asks who we are: an emulator, and no key file given. */
export const none: ServiceAccount.Tokens = { get: Effect.succeed(""), forget: Effect.void }

/** The key file's service account, or why there is none; undefined without a key file. */
export const account = (target: GcsTarget): ServiceAccount.ServiceAccount | StorageAuthenticationFailed | undefined =>
  target.credentials === undefined
    ? undefined
    : ServiceAccount.parse(target.credentials.keyFile, target.credentials.origin)

/**
 * Looks for the metadata server at most, and between two of them this long, in milliseconds: about five seconds in all.
 */
const looks = 5
const betweenMillis = 1_000

/**
 * Requests for objects name no project. The library would look for one all the same, with Workload Identity Federation
 * by a request to another API (Cloud Resource Manager), and give no token where that is refused.
 */
const noProject = "none"

/**
 * Application default credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names, else what gcloud left in the
 * home directory, else the metadata server, which on GKE speaks for the pod's Kubernetes service account. The library
 * keeps and renews the token; what it repeats and cannot be made to give up (the exchange of Workload Identity
 * Federation) ends for us with our time-out. In a pod the metadata server may not be ready in the first seconds, so
 * there it is looked for again.
 */
export const applicationDefault = (
  send: Send,
  env: { readonly KUBERNETES_SERVICE_HOST?: string | undefined }
): Effect.Effect<ServiceAccount.Tokens> =>
  Effect.gen(function* () {
    const { gcpMetadata, GoogleAuth } = yield* Effect.promise(() => import("google-auth-library"))
    const make = () => new GoogleAuth({ scopes: [ServiceAccount.scope], projectId: noProject })
    let auth = make()
    const forget = Effect.sync(() => {
      gcpMetadata.resetIsAvailableCache()
      auth = make()
    })
    const once = send(async () => {
      const token = await auth.getAccessToken()
      if (!token) throw new Error("the platform returned no token")
      return token
    })
    const isNotReady = (error: ObjectStoreError) =>
      Boolean(env.KUBERNETES_SERVICE_HOST) && error.message.includes("Could not load the default credentials")
    return {
      get: once.pipe(
        Effect.tapError(() => forget),
        Effect.retry({ times: looks - 1, while: isNotReady, schedule: Schedule.spaced(betweenMillis) })
      ),
      forget
    }
  })
