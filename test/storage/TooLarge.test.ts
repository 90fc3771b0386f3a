import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Preflight from "../../src/worker/Preflight.ts"
import * as KnownObjectStore from "../../src/storage/KnownObjectStore.ts"
import { InMemoryObjectStores } from "../../src/storage/InMemoryObjectStore.ts"
import { type HttpBackend, httpBackends } from "./httpBackends.ts"
import { key } from "./httpFaults.ts"

const MiB = 1024 * 1024
const owner = { uid: "uid-1", namespace: "kafka", name: "nightly" }

/** What nginx answers to a request beyond `client_max_body_size`: at its head, before the body was read. */
const nginx = ({ isOpening, page, says }: HttpBackend) =>
  Effect.gen(function* () {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://store")
      const whole = { method: "", path: "", query: url.searchParams, headers: {}, body: Buffer.alloc(0) }
      if (isOpening(whole)) return page([])(response, whole)
      if (Number(request.headers["content-length"] ?? 0) <= MiB) {
        return void request.resume().on("end", () => says.stored(response, whole))
      }
      response.writeHead(413, { "content-type": "text/html", connection: "close" })
      response.end(
        "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
      )
      request.resume()
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

describe("A proxy in front of a store that limits the size of requests", () => {
  for (const [name, backend] of Object.entries(httpBackends)) {
    it.live(`is named with the size that it refused, in mid-run too: ${name}`, () =>
      Effect.gen(function* () {
        const address = yield* nginx(backend)
        const store = KnownObjectStore.make(yield* backend.open(address))
        yield* store.put(key("small"), [Buffer.alloc(1000)])
        const bytes = 3 * MiB + 5
        const error = yield* Effect.flip(store.put(key("large"), [Buffer.alloc(bytes)]))
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.include(error.message, `the endpoint ${address}`)
        assert.include(error.message, `refused an object of ${bytes} bytes (HTTP 413)`)
        assert.include(error.message, name === "webDav" ? "413" : "413 Request Entity Too Large")
        assert.include(error.advice, "raise the body limit of the proxy")
        assert.notMatch(error.message, /XML|\$response|<html/u)
      })
    )
  }
})

describe("check", () => {
  it.live("uploads an object as large as a segment once, says so meanwhile, and leaves nothing", () =>
    Effect.gen(function* () {
      const { store } = yield* (yield* InMemoryObjectStores).named("large")
      const begun: Array<string> = []
      let largest = 0
      const watched: typeof store = {
        ...store,
        put: (k, pieces, options) => {
          largest = Math.max(
            largest,
            pieces.reduce((sum, piece) => sum + piece.byteLength, 0)
          )
          return store.put(k, pieces, options)
        }
      }
      const results = yield* Preflight.checkStorage(watched, owner, 4 * MiB, (check) => begun.push(check))
      assert.isTrue(results.every(({ exit }) => exit._tag === "Success"))
      assert.strictEqual(begun.at(-1), "takes an object of 4 MiB, as large as a segment")
      assert.strictEqual(largest, 4 * MiB)
      const left = yield* (yield* InMemoryObjectStores).named("large")
      assert.strictEqual((yield* left.keys).length, 0)
    }).pipe(Effect.provide(InMemoryObjectStores.layer))
  )
})
