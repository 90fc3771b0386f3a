import tls from "node:tls"
import { assert, describe, it } from "vitest"
import * as Certificates from "../../src/certificates/Certificates.ts"

const [first, second] = tls.rootCertificates as readonly [string, string]

const count = (pem: string): number | string => {
  const read = Certificates.read("ca.crt", pem)
  return typeof read === "string" ? read : read.length
}

describe("a PEM file of certificates", () => {
  it("returns every certificate, whatever text is between them", () => {
    assert.strictEqual(count(`${first}\n${second}`), 2)
    assert.strictEqual(count(` 0 s:CN = a\r\n${first.replaceAll("\n", "\r\n")}\r\n 1 s:CN = b\n${second}\ntrailing`), 2)
  })

  it("is refused if one of them is damaged or truncated, and never read without it", () => {
    assert.strictEqual(count(""), "ca.crt holds no PEM certificate")
    assert.strictEqual(count("hello"), "ca.crt holds no PEM certificate")
    assert.strictEqual(count(first + second.replace("MII", "MIX")), "certificate 2 of ca.crt is damaged")
    const two = `${first}\n${second}`
    const [begins, ends] = [first.length + "-----BEGIN CERTIFICATE-----".length, two.length - 1]
    for (let length = begins + 1; length < ends; length += 7) {
      assert.strictEqual(count(two.slice(0, length)), "a certificate of ca.crt is cut off", `${length} characters`)
    }
  })

  it("is trusted besides the default authorities", () => {
    assert.includeMembers([...Certificates.publicAuthorities()], [...tls.rootCertificates])
  })
})
