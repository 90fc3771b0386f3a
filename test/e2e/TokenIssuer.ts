import { execFileSync } from "node:child_process"
import { createSign, generateKeyPairSync } from "node:crypto"
import { readFileSync } from "node:fs"
import https from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url")

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })

/** An OAuth 2 server over TLS with one client: tokens are JWTs, signed with RS256. */
export class TokenIssuer {
  readonly issuer = "https://sso.example.com"
  readonly audience = "kafka"
  readonly subject = "kafka-backup-client"
  readonly keys = [{ ...publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" }]
  readonly client = { id: "kafka-backup", secret: "recognisable-client-secret" }
  /** Of tokens that the endpoint gives. */
  lifeSeconds = 300
  /** How many it gave. */
  given = 0
  readonly #server: https.Server
  /** Its own authority. */
  readonly certificate: string

  private constructor(folder: string) {
    const subject = ["-subj", "/CN=sso", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    const [key, cert] = [join(folder, "sso.key"), join(folder, "sso.crt")]
    const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert]
    execFileSync("openssl", ["req", "-x509", ...made, ...subject], { stdio: "ignore" })
    this.certificate = readFileSync(cert, "utf8")
    this.#server = https.createServer({ key: readFileSync(key), cert: this.certificate }, (request, response) => {
      const basic = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString()
      const isClient = basic === `${this.client.id}:${this.client.secret}`
      if (isClient) this.given++
      response.writeHead(isClient ? 200 : 401, { "content-type": "application/json" })
      response.end(
        JSON.stringify(
          isClient
            ? { access_token: this.token(), token_type: "Bearer", expires_in: this.lifeSeconds }
            : { error: "invalid_client", error_description: "client authentication failed" }
        )
      )
    })
  }

  static async start(folder: string): Promise<TokenIssuer> {
    const issuer = new TokenIssuer(folder)
    await new Promise<void>((resolve) => issuer.#server.listen(0, "127.0.0.1", resolve))
    return issuer
  }

  get endpoint(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`
  }

  /** A token that is signed rightly, whatever else is wrong with it. */
  token(claims: { readonly aud?: string; readonly lifeSeconds?: number } = {}): string {
    const now = Math.floor(Date.now() / 1000)
    const { aud = this.audience, lifeSeconds = this.lifeSeconds } = claims
    const times = { iat: Math.min(now, now + lifeSeconds) - 60, exp: now + lifeSeconds }
    const body = `${encoded({ alg: "RS256", typ: "JWT", kid: "one" })}.${encoded({ iss: this.issuer, sub: this.subject, aud, ...times })}`
    return `${body}.${createSign("RSA-SHA256").update(body).sign(privateKey).toString("base64url")}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
