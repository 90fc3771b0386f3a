import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"
import { type Answer, answering, type Arrived } from "./scriptedS3.ts"

/**
 * A server on loopback that gives the scripted answers in turn and remembers what was asked. The first request that
 * `isOpening` knows, the listing with which a store is opened, is answered by `opening`.
 */
export const scriptedServer = (
  answers: ReadonlyArray<Answer>,
  isOpening: (request: Arrived) => boolean,
  opening: Answer
) =>
  Effect.gen(function* () {
    const arrived: Array<Arrived> = []
    const pending = [...answers]
    let opened = false
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? "/", "http://store")
      const chunks: Array<Buffer> = []
      const one = (method: string) => ({
        method,
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks)
      })
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer)
      } catch {
        return void arrived.push(one("ABORTED"))
      }
      const whole = one(request.method ?? "")
      if (!opened && isOpening(whole)) {
        opened = true
        return opening(response, whole)
      }
      arrived.push(whole)
      const answer = pending.shift() ?? answering(500, {}, "the script is over")
      answer(response, whole)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrived }
  })

/** A server that takes uploads so slowly that they stay in the middle, and says how many broke off there. */
export const slow = (isOpening: (url: URL) => boolean, opening: { readonly type: string; readonly body: string }) =>
  Effect.gen(function* () {
    const state = { begun: 0, brokenOff: 0 }
    const server = createServer((request, response) => {
      if (isOpening(new URL(request.url ?? "/", "http://store"))) {
        response.setHeader("content-type", opening.type)
        return void response.end(opening.body)
      }
      state.begun++
      request.on("data", () => {
        request.pause()
        setTimeout(() => request.resume(), 20)
      })
      request.on("error", () => state.brokenOff++)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state }
  })
