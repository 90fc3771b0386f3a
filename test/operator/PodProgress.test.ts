import { createServer, type RequestListener } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { metricsPort } from "../../src/operator/jobs/JobSettings.ts"
import { PodProgress } from "../../src/operator/PodProgress.ts"

/** Addresses of this process alone: Linux answers on the whole of 127.0.0.0/8. */
const address = (last: number) => `127.${100 + (process.pid % 100)}.${process.pid % 251}.${last}`

/** A pod that answers so, at the port where runs serve their progress. */
const pod = (last: number, answer: RequestListener) =>
  Effect.gen(function* () {
    const server = createServer(answer)
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((done) => server.listen(metricsPort, address(last), done))),
      () => Effect.sync(() => (server.closeAllConnections(), server.close()))
    )
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "run" },
      status: { phase: "Running", podIP: address(last) }
    }
  })

const read = (of: Effect.Success<ReturnType<typeof pod>>) =>
  PodProgress.pipe(
    Effect.flatMap(({ read }) => read(of)),
    Effect.provide(PodProgress.http)
  )

const progress = JSON.stringify({
  step: "reading",
  partitions: 3,
  partitionsDone: 1,
  offsets: 100,
  records: 40,
  storedBytes: 4000,
  percent: 40
})

describe("the operator, asking a pod how far it is", () => {
  it.live("takes what a run serves", () =>
    Effect.gen(function* () {
      const facts = yield* read(yield* pod(1, (_, response) => void response.end(progress)))
      assert.deepInclude(Option.getOrThrow(facts), { records: 40, percent: 40, message: "reading" })
    })
  )

  it.live("follows no redirect to somebody else, who would be asked in its name", () =>
    Effect.gen(function* () {
      let asked = 0
      yield* pod(2, (_, response) => {
        asked++
        response.end(progress)
      })
      const location = `http://${address(2)}:${metricsPort}/progress`
      const poser = yield* pod(3, (_, response) => void response.writeHead(302, { location }).end())
      assert.isTrue(Option.isNone(yield* read(poser)))
      assert.strictEqual(asked, 0)
    })
  )

  it.live("reads no more than 64 KiB of an answer without end", () =>
    Effect.gen(function* () {
      let sent = 0
      const endless = yield* pod(4, (_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(" ".repeat(16_384))) sent += 16_384
        }
        response.on("drain", more)
        more()
      })
      assert.isTrue(Option.isNone(yield* read(endless)))
      // Buffers of the kernel take some megabytes; in the two seconds that it waits for an answer, far more would come.
      assert.isBelow(sent, 16 * 1024 * 1024)
    })
  )
})
