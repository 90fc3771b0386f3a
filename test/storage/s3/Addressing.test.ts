import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as S3ObjectStore from "../../../src/storage/S3ObjectStore.ts"
import type { S3Target } from "../../../src/storage/StorageTarget.ts"
import { emptyListing, scriptedS3 } from "../scriptedS3.ts"

/** The variables of the process, for as long as the scope is open. */
const proxied = (address: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { HTTP_PROXY, NO_PROXY, no_proxy } = process.env
      process.env["HTTP_PROXY"] = address
      delete process.env["NO_PROXY"]
      delete process.env["no_proxy"]
      return { HTTP_PROXY, NO_PROXY, no_proxy }
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of Object.entries(before)) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

/** Host and path of the first request. The server plays the proxy, for names that no name server knows. */
const asked = (settings: Partial<S3Target>) =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const { target } = yield* scriptedS3([], (response, request) => {
      seen.push(`${request.headers.host}${request.path}`)
      emptyListing(response, request)
    })
    yield* proxied(target.endpoint ?? "")
    yield* S3ObjectStore.open({ ...target, endpoint: "http://store.test", ...settings })
    return seen[0]?.replace(/\/$/u, "")
  }).pipe(Effect.scoped)

describe("S3ObjectStore.addressingStyle", () => {
  it.live("puts the bucket into the path of an endpoint, unless the resource asks for a virtual host", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* asked({}), "store.test/kafka-backups")
      assert.strictEqual(yield* asked({ addressingStyle: "auto" }), "store.test/kafka-backups")
      assert.strictEqual(yield* asked({ addressingStyle: "path" }), "store.test/kafka-backups")
      assert.strictEqual(yield* asked({ addressingStyle: "virtual" }), "kafka-backups.store.test")
    })
  )
})
