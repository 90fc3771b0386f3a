import { assert, describe, it } from "@effect/vitest"
import * as Address from "../../../src/storage/cloud/Address.ts"

describe("The address of a store", () => {
  it("names a host that ends with a dot without it for TLS, and no other host", () => {
    assert.deepStrictEqual(Address.serverName("https://minio.storage.svc.:9000/x"), { servername: "minio.storage.svc" })
    for (const endpoint of ["https://minio.storage.svc:9000", "https://[fd00::1]:9000", undefined]) {
      assert.deepStrictEqual(Address.serverName(endpoint), {})
    }
  })

  it.each([
    "http://169.254.169.254",
    "http://169.254.169.254.",
    "http://[::ffff:169.254.169.254]",
    "http://metadata.google.internal",
    "http://metadata.google.internal."
  ])("is never that of a metadata service: %s", (endpoint) =>
    assert.include(Address.endpointRefusal(endpoint), "metadata addresses are not allowed")
  )
})
