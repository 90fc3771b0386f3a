import { assert, describe, it } from "@effect/vitest"
import * as ListenAddress from "../../src/cli/ListenAddress.ts"

describe("ListenAddress.parse", () => {
  it.each([
    ["127.0.0.1:9090", { host: "127.0.0.1", port: 9090 }],
    [":9090", { host: undefined, port: 9090 }],
    ["localhost:0", { host: "localhost", port: 0 }],
    // What $(POD_IP) gives in brackets, whichever family it is.
    ["[10.1.2.3]:9090", { host: "10.1.2.3", port: 9090 }],
    ["[::1]:65535", { host: "::1", port: 65_535 }]
  ])("reads %s", (text, address) => {
    assert.deepStrictEqual(ListenAddress.parse(text), address)
  })

  it.each(["9090", "", ":", "127.0.0.1", ":65536", "::1:9090", "a b:1", "http://localhost:9090", ":-1", ":12x"])(
    "refuses %j",
    (text) => {
      assert.isUndefined(ListenAddress.parse(text))
    }
  )
})
