/*
 * Writes tokens.json beside it: tokens that AWS's own signer makes at fixed times with fixed keys. Written with version
 * 1.0.3 on 30 November 2026. To be run again to compare a newer signer, in an empty folder in which it is installed:
 *
 *   npm install aws-msk-iam-sasl-signer-js@1.0.3
 *   cp <repository>/test/golden/msk/regenerate.mjs . && node regenerate.mjs > <repository>/test/golden/msk/tokens.json
 */
import { createHash } from "node:crypto"
import { createRequire } from "node:module"

const require = createRequire(import.meta.url)
const { generateAuthTokenFromCredentialsProvider } = require("aws-msk-iam-sasl-signer-js")
const { version } = require("aws-msk-iam-sasl-signer-js/package.json")

const RealDate = Date
let nowMillis = 0
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [nowMillis] : args))
  }
  static now() {
    return nowMillis
  }
}

/** The same "random" bytes at every run. */
const bytes = (seed, count) => createHash("shake256", { outputLength: count }).update(seed).digest()

const regions = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"]
const cases = []
for (let index = 0; index < 40; index++) {
  const region = regions[index % regions.length]
  const keys = {
    accessKeyId: `EXAMPLE${bytes(`id${index}`, 8).toString("hex").toUpperCase()}`,
    secretAccessKey: bytes(`secret${index}`, 30).toString("base64"),
    ...(index % 2 === 0
      ? {}
      : { sessionToken: `${bytes(`session${index}`, 200 + index).toString("base64")}!'()*~ +&=ü` })
  }
  nowMillis = RealDate.UTC(2026, index % 12, 1 + (index % 28), index % 24, index, index, index)
  // Temporary keys that end sooner shorten the life of the token.
  const left = index % 4 === 3 ? 60 + index : undefined
  const expiration = left === undefined ? {} : { expiration: new RealDate(nowMillis + left * 1000) }
  const made = await generateAuthTokenFromCredentialsProvider({
    region,
    awsCredentialsProvider: async () => ({ ...keys, ...expiration })
  })
  cases.push({ region, keys, nowMillis, seconds: left ?? 900, token: made.token, expiryMillis: made.expiryTime })
}
console.log(JSON.stringify({ userAgent: `aws-msk-iam-sasl-signer-js/${version}`, cases }, null, 2))
