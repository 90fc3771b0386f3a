import { Redacted } from "effect"
import * as https from "node:https"
import type { MskIam } from "../KafkaCredentials.ts"
import type * as MskToken from "./MskToken.ts"

/** Keys with the time at which they end; absent for those of a user. */
export interface Keys extends MskToken.AwsKeys {
  readonly expiryMillis?: number
}

/** What the SDK's providers return. */
interface Identity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** The chain gives no keys: no role was asked for yet. The cause is the SDK's error. */
export class NoIdentity extends Error {
  override readonly name = "NoIdentity"
  constructor(cause: unknown) {
    super("the pod has no identity at AWS", { cause })
  }
}

/** Seen in CloudTrail, and in the principal that brokers write into their logs. */
const sessionName = "kafka-backup"

/** Until TCP and TLS stand, and for one answer, in milliseconds. */
const times = { connectionTimeout: 5_000, requestTimeout: 8_000, throwOnRequestTimeout: true }

/** Proxies of the environment hold for STS as for everything else. */
const requestHandler = () => ({ ...times, httpsAgent: new https.Agent({ proxyEnv: { ...process.env } }) })

const silent = () => undefined
/** The SDK would tell the console what comes back as an error anyway. */
const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

const keysOf = ({ accessKeyId, expiration, secretAccessKey, sessionToken }: Identity): Keys => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken === undefined ? {} : { sessionToken }),
  ...(expiration === undefined ? {} : { expiryMillis: expiration.getTime() })
})

/** The keys of the role, asked for with the keys of whoever may assume it. */
const assumed = async (region: string, role: NonNullable<MskIam["role"]>, credentials: Identity): Promise<Identity> => {
  const { AssumeRoleCommand, STSClient } = await import("@aws-sdk/nested-clients/sts")
  const client = new STSClient({ region, credentials, logger, requestHandler: requestHandler() })
  try {
    const { Credentials: given } = await client.send(
      new AssumeRoleCommand({
        RoleArn: role.arn,
        RoleSessionName: sessionName,
        ...(role.externalId === undefined ? {} : { ExternalId: role.externalId })
      })
    )
    return {
      accessKeyId: given?.AccessKeyId ?? "",
      secretAccessKey: given?.SecretAccessKey ?? "",
      ...(given?.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
      ...(given?.Expiration === undefined ? {} : { expiration: given.Expiration })
    }
  } finally {
    client.destroy()
  }
}

/**
 * Finds keys for a target: those of its Secret, or those of the SDK's chain, the same one that S3 uses (environment,
 * IRSA, Pod Identity, instance role); then those of the role that it names. The chain keeps its keys until five minutes
 * before they end. Rejects with `NoIdentity` where the chain gives none, else with the SDK's errors.
 */
export const make = () => {
  let chain: (() => Promise<Identity>) | undefined

  const fromChain = async (region: string): Promise<Identity> => {
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node")
    const clientConfig = { region, requestHandler: requestHandler(), logger }
    chain ??= defaultProvider({ clientConfig, roleSessionName: sessionName, logger, maxRetries: 1 })
    return chain().catch((cause: unknown) => {
      throw new NoIdentity(cause)
    })
  }

  return async ({ credentials, region, role }: MskIam): Promise<Keys> => {
    const own: Identity =
      credentials === undefined
        ? await fromChain(region)
        : {
            accessKeyId: Redacted.value(credentials.accessKeyId),
            secretAccessKey: Redacted.value(credentials.secretAccessKey)
          }
    return keysOf(role === undefined ? own : await assumed(region, role, own))
  }
}
