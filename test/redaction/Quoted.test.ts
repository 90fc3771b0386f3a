import { describe, expect, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Quoted from "../../src/redaction/Quoted.ts"

const hex = (text: string) => Buffer.from(text).toString("hex")
const base64 = (text: string) => Buffer.from(text).toString("base64")
const form = (text: string) => new URLSearchParams({ a: text }).toString().slice(2)

/** Ways in which a request carries a secret, and a server echoes it. */
const ways: Readonly<Record<string, (secret: string) => string>> = {
  plainly: (secret) => secret,
  "percent-encoded": encodeURIComponent,
  "percent-encoded in small letters": (secret) => hex(secret).replaceAll(/../gu, "%$&"),
  "form-encoded": form,
  "in the header Authorization": (secret) => base64(`client:${secret}`),
  "in the header Authorization, form-encoded first": (secret) => base64(`kafka%20backup:${encodeURIComponent(secret)}`),
  "in Base64 for addresses": (secret) => Buffer.from(`c:${secret}`).toString("base64url"),
  "in Base64 with line breaks": (secret) => base64(`client:${secret}`).replaceAll(/.{5}/gu, "$&\n"),
  "in the message of SASL PLAIN": (secret) => base64(`\0user\0${secret}`),
  "in the message of SASL OAUTHBEARER": (secret) => base64(`n,,\x01auth=Bearer ${secret}\x01\x01`),
  "in Base64 behind a percent sign": (secret) => encodeURIComponent(base64(`client:${secret}`)),
  "as JSON": (secret) => JSON.stringify({ secret }),
  "as JSON in JSON": (secret) => JSON.stringify(JSON.stringify({ secret })),
  "as JSON of small characters": (secret) =>
    [...Array(secret.length).keys()].map((at) => `\\u${secret.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  "as XML": (secret) => secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&#34;"),
  "in hexadecimal digits": hex
}

/** Long enough that no text says it by chance, of whole characters. */
const Secret = Schema.String.check(Schema.isMinLength(6), Schema.isPattern(/^\P{Cs}+$/u))

describe("a text of a server that quotes a secret", () => {
  for (const [how, encode] of Object.entries(ways)) {
    it.prop(`is recognised: ${how}`, { secret: Secret, before: Schema.String }, ({ before, secret }) => {
      for (const text of [encode(secret), `${before}: ${encode(secret)} `, `secret was "${encode(secret)}" here`]) {
        expect(Quoted.quotes(text, ["", secret])).toBe(true)
        expect(Quoted.without(text, [secret])).toBe(Quoted.leftOut)
      }
    })
  }

  it("is no text of another meaning: what servers say without the secret is kept", () => {
    for (const text of [
      "invalid_client: client kafka%2Dbackup is disabled (request 5fa2b9c0d1e2f3a4, c29tZXRoaW5n)",
      "Basic Y2xpZW50MTpvdGhlcg==",
      ""
    ]) {
      expect(Quoted.without(text, ["plainsecret", "s3cret+/&", ""])).toBe(text)
    }
  })

  it("is looked through up to a length, and nothing behind it is handed on", () => {
    const text = `${"a".repeat(Quoted.longestText)}plainsecret`
    expect(Quoted.without(text, ["plainsecret"])).not.toContain("plain")
  })

  it.prop("takes a moment, whatever the text is", { text: Schema.String }, ({ text }) => {
    const start = performance.now()
    Quoted.quotes(base64(base64(text.repeat(400))).slice(0, 100_000), ["a secret that is not there"])
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
