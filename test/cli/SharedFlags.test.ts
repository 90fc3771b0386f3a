import { assert, describe, it } from "@effect/vitest"
import { parseListenAddress } from "../../src/cli/SharedFlags.ts"

describe("the address of --listen", () => {
  it.each([
    ["127.0.0.1:9090", { host: "127.0.0.1", port: 9090 }],
    [":9090", { host: undefined, port: 9090 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    // $(POD_IP) in brackets, of either family.
    ["[10.1.2.3]:9090", { host: "10.1.2.3", port: 9090 }],
    ["[::1]:65535", { host: "::1", port: 65_535 }]
  ])("is read from %s", (text, address) => {
    assert.deepStrictEqual(parseListenAddress(text), address)
  })

  it.each(["9090", "", ":", "127.0.0.1", ":65536", "::1:9090", "a b:1", "http://localhost:9090", ":-1", ":12x"])(
    "is refused as %j",
    (text) => {
      assert.isUndefined(parseListenAddress(text))
    }
  )
})
