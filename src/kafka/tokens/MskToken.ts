import { createHash, createHmac } from "node:crypto"

/*
 * The token of IAM access control of Amazon MSK: a GET request for `kafka-cluster:Connect`, signed in its query with
 * Signature Version 4 and encoded as base64url. Byte for byte what aws-msk-iam-sasl-signer-js 1.0.3 makes.
 * Sources: AWS IAM User Guide, "Create a signed AWS API request"; the signer's getMSKAuthToken.ts.
 */

export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Longest life of such a token, in seconds. */
export const lifeSeconds = 900

const service = "kafka-cluster"

const encoded = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text, "utf8").digest()
const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

/** Names in the order of their code points. */
const query = (parameters: Readonly<Record<string, string>>): string =>
  Object.keys(parameters)
    .toSorted()
    .map((name) => `${encoded(name)}=${encoded(parameters[name]!)}`)
    .join("&")

/** `20261130T010203Z`. */
const timestamp = (nowMillis: number): string =>
  new Date(nowMillis)
    .toISOString()
    .replace(/\.\d{3}Z$/u, "Z")
    .replaceAll(/[-:]/gu, "")

/** The token for a region, valid for `seconds` from `nowMillis`. `userAgent` says to AWS which program signed it. */
export const sign = (region: string, keys: AwsKeys, nowMillis: number, seconds: number, userAgent: string): string => {
  const host = `kafka.${region}.amazonaws.com`
  const time = timestamp(nowMillis)
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  const signed = {
    Action: "kafka-cluster:Connect",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${keys.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(seconds),
    ...(keys.sessionToken === undefined ? {} : { "X-Amz-Security-Token": keys.sessionToken }),
    "X-Amz-SignedHeaders": "host"
  }
  const request = ["GET", "/", query(signed), `host:${host}`, "", "host", sha256("")].join("\n")
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n")
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    (parent, part) => hmac(parent, part),
    `AWS4${keys.secretAccessKey}`
  )
  const all = query({ ...signed, "X-Amz-Signature": hmac(key, text).toString("hex"), "User-Agent": userAgent })
  return Buffer.from(`https://${host}/?${all}`, "utf8").toString("base64url")
}
