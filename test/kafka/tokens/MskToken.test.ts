import { describe, expect, it } from "@effect/vitest"
import golden from "../../golden/msk/tokens.json" with { type: "json" }
import * as MskToken from "../../../src/kafka/tokens/MskToken.ts"

describe("the token of Amazon MSK", () => {
  it("is byte for byte that of AWS's own signer, whatever region, keys, time and life", () => {
    expect(golden.cases).toHaveLength(40)
    for (const { keys, nowMillis, region, seconds, token } of golden.cases) {
      expect(MskToken.sign(region, keys, nowMillis, seconds, golden.userAgent)).toBe(token)
    }
  })

  it("is another one for other keys, and holds no secret key", () => {
    const [{ keys, nowMillis, region }] = golden.cases as [(typeof golden.cases)[number]]
    const token = (secretAccessKey: string) =>
      MskToken.sign(region, { ...keys, secretAccessKey }, nowMillis, 900, "kafka-backup")
    expect(token("one")).not.toBe(token("another one"))
    expect(Buffer.from(token("the secret"), "base64url").toString()).not.toContain("the secret")
  })
})
