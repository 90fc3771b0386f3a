import { Effect, Redacted } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import type { SecureContext } from "node:tls"
import * as Certificates from "../../certificates/Certificates.ts"
import type { ClientCredentials } from "../KafkaCredentials.ts"

/** What a server answered. */
export interface Answer {
  readonly status: number
  /** At most `longestBytes` of it. */
  readonly body: string
}

/** A token, with what stands around it, is a few kilobytes; nothing longer is read. */
export const longestBytes = 256 * 1024

/** The answer is too long to be one with a token. */
export class TooLong extends Error {
  constructor() {
    super(`the answer has more than ${longestBytes / 1024} KiB`)
    this.name = "TooLong"
  }
}

/** No complete answer within this time, in milliseconds. */
export class TimedOut extends Error {
  readonly millis: number
  constructor(millis: number) {
    super(`no answer within ${millis / 1000} s`)
    this.name = "TimedOut"
    this.millis = millis
  }
}

/**
 * Id and secret in Base64, form-encoded before they are joined (RFC 6749, section 2.3.1). Blanks are `%20`, never `+`.
 */
export const basic = ({ clientId, clientSecret }: Pick<ClientCredentials, "clientId" | "clientSecret">): string => {
  const [id, secret] = [Redacted.value(clientId), Redacted.value(clientSecret)].map(encodeURIComponent)
  return Buffer.from(`${id}:${secret}`).toString("base64")
}

/** Headers and body of the request for a token (RFC 6749, section 4.4.2). */
export const message = (client: ClientCredentials) => {
  const id = Redacted.value(client.clientId)
  const secret = Redacted.value(client.clientSecret)
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    ...(client.scope === undefined ? {} : { scope: client.scope }),
    ...(client.audience === undefined ? {} : { audience: client.audience }),
    ...(client.sentIn === "Body" ? { client_id: id, client_secret: secret } : {})
  }).toString()
  const headers = {
    accept: "application/json",
    "content-type": "application/x-www-form-urlencoded",
    "content-length": String(Buffer.byteLength(body)),
    ...(client.sentIn === "Header" ? { authorization: `Basic ${basic(client)}` } : {})
  }
  return { headers, body }
}

/**
 * Sends the request once, through the proxy that the environment names, and follows no redirect: the secret goes to the
 * server that the resource names and to no other. Fails with Node's error, `TimedOut` or `TooLong`.
 */
export const post = (
  client: ClientCredentials,
  trust: SecureContext | undefined,
  limitMillis: number
): Effect.Effect<Answer, Error> =>
  Effect.callback<Answer, Error>((resume) => {
    const fail = (error: Error) => resume(Effect.fail(error))
    const url = new URL(client.tokenEndpoint)
    const { body, headers } = message(client)
    const options = { proxyEnv: { ...process.env }, ...Certificates.anyIsTrusted }
    const agent =
      url.protocol === "https:"
        ? new https.Agent({ ...options, ...(trust === undefined ? {} : { secureContext: trust }) })
        : new http.Agent(options)
    const { request: send } = url.protocol === "https:" ? https : http
    const request = send(url, { method: "POST", agent, headers }, (response) => {
      const pieces: Array<Buffer> = []
      let bytes = 0
      response.on("data", (piece: Buffer) => {
        bytes += piece.length
        if (bytes > longestBytes) return void request.destroy(new TooLong())
        pieces.push(piece)
      })
      response.on("error", fail)
      response.on("end", () => {
        const text = Buffer.concat(pieces).toString("utf8")
        resume(Effect.succeed({ status: response.statusCode ?? 0, body: text }))
      })
    })
    request.on("error", fail)
    request.end(body)
    return Effect.sync(() => request.destroy())
  }).pipe(Effect.timeoutOrElse({ duration: limitMillis, orElse: () => Effect.fail(new TimedOut(limitMillis)) }))
