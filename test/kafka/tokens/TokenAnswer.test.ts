import { describe, expect, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import type { ClientCredentials } from "../../../src/kafka/KafkaCredentials.ts"
import * as Token from "../../../src/kafka/tokens/Token.ts"
import * as TokenAnswer from "../../../src/kafka/tokens/TokenAnswer.ts"

const secret = "zQ9~secret"

const client: ClientCredentials = {
  _tag: "ClientCredentials",
  tokenEndpoint: "https://sso.example.com/token",
  clientId: Redacted.make("id"),
  clientSecret: Redacted.make(secret),
  sentIn: "Header",
  origin: { secret: "kafka-client", keys: ["clientId", "clientSecret"] }
}

const names = ["access_token", "expires_in", "token_type", "error", "error_description"] as const

describe("the answer of a token endpoint", () => {
  it.prop(
    "is a usable token or a reason of one line without the secret, whatever the server says",
    {
      status: Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 599 })),
      text: Schema.String,
      values: Schema.Array(Schema.Union([Schema.String, Schema.Finite, Schema.Null, Schema.Literal(secret)])),
      isJson: Schema.Boolean
    },
    ({ isJson, status, text, values }) => {
      const fields = Object.fromEntries(names.map((name, index) => [name, values[index] ?? text]))
      for (const body of isJson ? [JSON.stringify(fields), JSON.stringify(values)] : [text, `${text}${secret}`]) {
        const found = TokenAnswer.read({ status, body }, client, 1_000)
        if ("_tag" in found) {
          expect(found.message).not.toMatch(/[\n\r\0]/u)
          expect(found.message + ("advice" in found ? found.advice : "")).not.toContain(secret)
        } else {
          expect(Redacted.value(found.value)).toMatch(/^[\x21-\x7e]+$/u)
          expect(Number.isFinite(found.expiryMillis ?? 0)).toBe(true)
        }
      }
    }
  )

  it.each([
    ["in the header", `Basic ${Buffer.from(`id:${encodeURIComponent(secret)}`).toString("base64")}`],
    [
      "cut short in the header",
      `Basic ${Buffer.from(`id:${encodeURIComponent(secret)}`)
        .toString("base64")
        .slice(0, 13)}`
    ],
    ["as it is", secret],
    ["form-encoded", new URLSearchParams({ client_secret: secret }).toString()],
    ["inside JSON, inside Base64", Buffer.from(JSON.stringify({ secret })).toString("base64")]
  ])("that echoes the secret %s is not quoted", (_how, echo) => {
    for (const name of ["error", "error_description"]) {
      const body = JSON.stringify({ error: "invalid_client", [name]: `secret was ${echo}` })
      const found = TokenAnswer.read({ status: 401, body }, client, 1_000)
      expect("_tag" in found && found.message).toContain("its text is left out because it quotes a secret")
      expect(JSON.stringify(found)).not.toContain(echo)
    }
  })

  it.prop(
    "is read once: what a token says of itself is text for people, or nothing",
    { payload: Schema.String },
    ({ payload }) => {
      for (const middle of [payload, Buffer.from(payload).toString("base64url")]) {
        const claims = Token.claims(Redacted.make(`a.${middle}.c`))
        expect(Token.described(claims, 0)).toBeTypeOf("string")
      }
    }
  )
})
