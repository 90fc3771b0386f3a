import type { S3Client } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import type * as Agents from "../cloud/Agents.ts"
import type { AssumedRole } from "../StorageTarget.ts"

/** How long a session lasts, in seconds: what every role allows, and all that a role gets which assumes another one. */
const sessionSeconds = 3600

/** The token service did not give us the role; `cause` is what it said. */
export class RoleNotAssumed extends Error {
  override readonly name = "RoleNotAssumed"
}

/** Where the role is asked for; undefined: at the region's own service. Compatible stores answer for it themselves. */
export const tokenService = (role: AssumedRole | undefined, endpoint: string | undefined): string | undefined =>
  role?.endpoint ?? endpoint

/**
 * The keys of the role, asked for with those of `source`. The SDK keeps them, and asks again a few minutes before they
 * end. One request each: how often to try is decided in one place.
 */
export const provider = Effect.fnUntraced(function* (
  { externalId, roleArn, sessionName = "kafka-backup" }: AssumedRole,
  endpoint: string | undefined,
  region: string,
  source: S3Client["config"]["credentials"],
  times: { readonly connect: number; readonly answer: number },
  agents: (address: string | undefined) => Pick<Agents.Agents, "plain" | "secure">
) {
  const { plain, secure } = agents(endpoint)
  const sts = yield* Effect.promise(() => import("@aws-sdk/nested-clients/sts"))
  const client = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new sts.STSClient({
          region,
          ...(endpoint === undefined ? {} : { endpoint }),
          credentials: source,
          maxAttempts: 1,
          requestHandler: {
            connectionTimeout: times.connect,
            requestTimeout: times.answer,
            throwOnRequestTimeout: true,
            httpAgent: plain,
            httpsAgent: secure
          }
        })
    ),
    (client) => Effect.sync(() => client.destroy())
  )
  const command = {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: sessionSeconds,
    ...(externalId === undefined ? {} : { ExternalId: externalId })
  }
  return async () => {
    try {
      const { Credentials } = await client.send(new sts.AssumeRoleCommand(command))
      if (!Credentials?.AccessKeyId || !Credentials.SecretAccessKey) throw new Error("the answer contains no keys")
      return {
        accessKeyId: Credentials.AccessKeyId,
        secretAccessKey: Credentials.SecretAccessKey,
        ...(Credentials.SessionToken === undefined ? {} : { sessionToken: Credentials.SessionToken }),
        ...(Credentials.Expiration === undefined ? {} : { expiration: Credentials.Expiration })
      }
    } catch (error) {
      throw new RoleNotAssumed(error instanceof Error ? error.message : String(error), { cause: error })
    }
  }
})
