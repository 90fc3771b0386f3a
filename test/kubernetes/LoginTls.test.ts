import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { request } from "undici"
import * as Login from "../../src/kubernetes/http/Login.ts"
import { issued } from "../certificates/issued.ts"

describe("The certificate of an API server", () => {
  it.live("is trusted by the intermediate authority that has issued it alone, as kubectl does", () =>
    Effect.gen(function* () {
      const { certificate, intermediate, key } = yield* issued("IP:127.0.0.1")
      const server = createServer({ cert: certificate, key }, (_, response) => void response.end("ok"))
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => void server.close())
      )
      const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(() =>
          Login.dispatcher({ server: address, headers: {}, tls: { ca: intermediate }, proxy: undefined })
        ),
        (open) => Effect.promise(() => open.destroy())
      )
      const answer = yield* Effect.promise(() => request(address, { dispatcher }))
      assert.strictEqual(yield* Effect.promise(() => answer.body.text()), "ok")
    })
  )
})
