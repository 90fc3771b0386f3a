import { readFileSync } from "node:fs"
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { Effect } from "effect"
import type { Certificate } from "../../scripts/services/CloudStores.ts"

/** One request to an identity service, its form decoded. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly form: URLSearchParams
}

/** Status and JSON body of an answer. */
export type Answered = readonly [status: number, body: object]

/** An identity service on loopback that answers by `answer` and remembers what it was asked. */
export const identityServer = (answer: (asked: Asked, address: string) => Answered, tls?: Certificate) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    let address = ""
    const handler = async (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const one = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        form: new URLSearchParams(Buffer.concat(chunks).toString())
      }
      asked.push(one)
      const [status, body] = answer(one, address)
      response.writeHead(status, { "content-type": "application/json", "metadata-flavor": "Google" })
      response.end(JSON.stringify(body))
    }
    const server =
      tls === undefined
        ? createPlainServer(handler)
        : createServer({ cert: readFileSync(tls.certPem), key: readFileSync(tls.keyPem) }, handler)
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    address = `${tls === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { address, asked, tokenRequests: () => asked.filter(({ method }) => method === "POST") }
  })

/** This process trusts the certificate too, as NODE_EXTRA_CA_CERTS does it for a process that starts. */
export const trust = ({ certPem }: Certificate): void =>
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(certPem, "utf8")])

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")

/** An access token as Microsoft Entra writes them, for the storage service; signed by nobody. */
export const storageToken = (): string => {
  const now = Math.floor(Date.now() / 1000)
  const tenant = "11111111-1111-1111-1111-111111111111"
  const claims = {
    aud: "https://storage.azure.com",
    iss: `https://sts.windows.net/${tenant}/`,
    iat: now - 60,
    nbf: now - 60,
    exp: now + 3600,
    oid: "22222222-2222-2222-2222-222222222222",
    tid: tenant
  }
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${part({ signed: "by nobody" })}`
}

/**
 * Microsoft Entra's token endpoint: gives tokens to whom `isKnown` knows, and says AADSTS7000215 to everybody else.
 */
export const entra = (isKnown: (form: URLSearchParams) => boolean, tls: Certificate, expiresInSeconds = 3600) =>
  identityServer(({ form, path }, address) => {
    const tenant = path.split("/")[1] ?? ""
    if (path.includes("/.well-known/openid-configuration")) {
      return [
        200,
        {
          issuer: `${address}/${tenant}/v2.0`,
          authorization_endpoint: `${address}/${tenant}/oauth2/v2.0/authorize`,
          token_endpoint: `${address}/${tenant}/oauth2/v2.0/token`,
          jwks_uri: `${address}/${tenant}/discovery/v2.0/keys`
        }
      ]
    }
    if (!isKnown(form)) {
      const description = "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2"
      return [401, { error: "invalid_client", error_description: description, error_codes: [7000215] }]
    }
    return [200, { token_type: "Bearer", expires_in: expiresInSeconds, access_token: storageToken() }]
  }, tls)
