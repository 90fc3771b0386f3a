import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Queue, Stream } from "effect"
import { TestConsole } from "effect/testing"
import * as Retry from "../../src/kubernetes/http/Retry.ts"
import * as HttpKubernetes from "../../src/kubernetes/HttpKubernetes.ts"
import { leases } from "../../src/kubernetes/Kind.ts"
import { type Delta, KubernetesApi } from "../../src/kubernetes/KubernetesApi.ts"
import type { Lease } from "../../src/kubernetes/Objects.ts"
import {
  type Answer,
  type Arrived,
  end,
  eventLine,
  fakeApiServer,
  json,
  lease,
  listOf,
  refusal,
  reset,
  statusOf,
  watchOf
} from "./fakeApiServer.ts"

/** Nothing here takes as long as in a cluster. */
const timings = { firstDelayMillis: 5, mostDelayMillis: 40, requestMillis: 5_000, idleMillis: 5_000 }

const shown = (delta: Delta<Lease>): string => {
  if (delta._tag !== "Snapshot") return `${delta._tag} ${delta.object.metadata.name}`
  const others = (delta.others ?? []).map(({ name }) => `(${name})`)
  return ["Snapshot", ...others, ...delta.items.map(({ metadata }) => metadata.name)].join(" ")
}

const added = (name: string, version: string) => eventLine("ADDED", lease(name, version))
const bookmark = (version: string) =>
  eventLine("BOOKMARK", { kind: "Lease", apiVersion: "x", metadata: { resourceVersion: version } })

/** Answers lists with the one script and watches with the other, each in turn; the last one again and again. */
const scripted = (lists: ReadonlyArray<Answer>, watches: ReadonlyArray<Answer>) => {
  const [listing, watching] = [[...lists], [...watches]]
  return ({ query }: Arrived): Answer => {
    const script = query.get("watch") === "true" ? watching : listing
    return (script.length > 1 ? script.shift() : script[0])!
  }
}

/** A watch of leases before that server: `next` waits for the next delta, `asked` are the requests in short. */
const watching = (route: (request: Arrived) => Answer, changed: HttpKubernetes.Options["timings"] = {}) =>
  Effect.gen(function* () {
    const server = yield* fakeApiServer(route)
    const source = { _tag: "File", path: server.kubeconfig } as const
    const context = yield* Layer.build(HttpKubernetes.layer({ source, timings: { ...timings, ...changed } }))
    const api = yield* Effect.provide(KubernetesApi, context)
    const deltas = yield* Queue.unbounded<string>()
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(api.watch(leases, { namespace: "ns" }), (delta) => Queue.offer(deltas, shown(delta)))
    )
    const asked = () =>
      server.arrived.map(({ query }) =>
        query.get("watch") === "true" ? `watch from ${query.get("resourceVersion") ?? "nothing"}` : "list"
      )
    return { ...server, api, fiber, asked, next: Queue.take(deltas).pipe(Effect.timeout("20 seconds")) }
  })

const quiet = watchOf([])
const list = (version: string, ...names: ReadonlyArray<string>) => json(listOf(version, names))

describe("a watch over HTTP", () => {
  it.live("delivers a snapshot and then every change, and requests bookmarks and a timeout of minutes", () =>
    Effect.gen(function* () {
      const events = watchOf([
        added("b", "6"),
        eventLine("MODIFIED", lease("a", "7")),
        eventLine("DELETED", lease("b", "8"))
      ])
      const { arrived, asked, next } = yield* watching(scripted([list("5", "a")], [events]))
      assert.deepStrictEqual(yield* Effect.all([next, next, next, next]), [
        "Snapshot a",
        "Upsert b",
        "Upsert a",
        "Delete b"
      ])
      assert.deepStrictEqual(asked(), ["list", "watch from 5"])
      const { query } = arrived[1]!
      assert.strictEqual(query.get("allowWatchBookmarks"), "true")
      assert.isAtLeast(Number(query.get("timeoutSeconds")), 290)
      assert.isAtMost(Number(query.get("timeoutSeconds")), 590)
    })
  )

  it.live.each<readonly [string, (response: Parameters<Answer>[0]) => void]>([
    ["is cut", reset],
    ["is closed by the server", end]
  ])("goes on after the last version when its connection %s, and misses nothing", ([, cut]) =>
    Effect.gen(function* () {
      const { asked, next } = yield* watching(
        scripted([list("5")], [watchOf([added("a", "6")], cut), watchOf([added("b", "7")], cut), quiet])
      )
      assert.deepStrictEqual(yield* Effect.all([next, next, next]), ["Snapshot", "Upsert a", "Upsert b"])
      while (asked().length < 4) yield* Effect.sleep(5)
      assert.deepStrictEqual(asked(), ["list", "watch from 5", "watch from 6", "watch from 7"])
    })
  )

  it.live("ignores half an event", () =>
    Effect.gen(function* () {
      const half = added("b", "7").slice(0, 40)
      const { asked, next } = yield* watching(
        scripted([list("5")], [watchOf([added("a", "6"), half], reset), watchOf([added("b", "7")])])
      )
      assert.deepStrictEqual(yield* Effect.all([next, next, next]), ["Snapshot", "Upsert a", "Upsert b"])
      assert.deepStrictEqual(asked(), ["list", "watch from 5", "watch from 6"])
    })
  )

  it.live("joins events that arrive in pieces, also within a character", () =>
    Effect.gen(function* () {
      const line = eventLine("ADDED", { ...lease("a", "6"), spec: { holderIdentity: "Größe ✓" } })
      const bytes = Buffer.from(line)
      const inPieces: Answer = (response) => {
        response.writeHead(200)
        const send = (at: number): void => {
          if (at >= bytes.length) return
          response.write(bytes.subarray(at, at + 7))
          setTimeout(send, 1, at + 7)
        }
        send(0)
      }
      const server = yield* fakeApiServer(scripted([list("5")], [inPieces]))
      const context = yield* Layer.build(HttpKubernetes.layer({ source: { _tag: "File", path: server.kubeconfig } }))
      const api = yield* Effect.provide(KubernetesApi, context)
      const deltas = yield* Stream.runCollect(Stream.take(api.watch(leases, { namespace: "ns" }), 2))
      const [, upsert] = deltas
      assert.strictEqual(upsert?._tag === "Upsert" ? upsert.object.spec?.holderIdentity : undefined, "Größe ✓")
    })
  )

  it.live("delivers a long list page by page, and at its end the names of all objects", () =>
    Effect.gen(function* () {
      const pages = [
        json(listOf("5", ["a", "b"], "here")),
        // Pages of the list that could not be finished are void.
        refusal(410, "Expired"),
        json(listOf("9", ["b"], "there")),
        json(listOf("9", ["c"], "last")),
        json(listOf("9", ["d"]))
      ]
      const { asked, next } = yield* watching(scripted(pages, [quiet]))
      const deltas = yield* Effect.all([next, next, next, next, next])
      assert.deepStrictEqual(deltas, ["Upsert a", "Upsert b", "Upsert b", "Upsert c", "Snapshot (b) (c) d"])
      while (asked().length < 6) yield* Effect.sleep(5)
      assert.strictEqual(asked().at(-1), "watch from 9")
    })
  )

  it.live("reconnects when its connection falls silent", () =>
    Effect.gen(function* () {
      const { asked, next, state } = yield* watching(
        scripted([list("5")], [watchOf([added("a", "6")]), watchOf([added("b", "7")])]),
        { idleMillis: 400 }
      )
      assert.deepStrictEqual(yield* Effect.all([next, next, next]), ["Snapshot", "Upsert a", "Upsert b"])
      assert.deepStrictEqual(asked().slice(0, 3), ["list", "watch from 5", "watch from 6"])
      while (state.aborted === 0) yield* Effect.sleep(5)
    })
  )

  it.live("keeps a connection with only bookmarks, and continues from the last one", () =>
    Effect.gen(function* () {
      const beats = 30
      const beating: Answer = (response) => {
        response.writeHead(200)
        const beat = (n: number): void => {
          if (n > beats) return reset(response)
          response.write(bookmark(String(100 + n)))
          setTimeout(beat, 50, n + 1)
        }
        beat(1)
      }
      const { asked, next } = yield* watching(scripted([list("5")], [beating, watchOf([added("a", "200")])]), {
        idleMillis: 1_000
      })
      assert.deepStrictEqual(yield* Effect.all([next, next]), ["Snapshot", "Upsert a"])
      assert.deepStrictEqual(asked(), ["list", "watch from 5", `watch from ${100 + beats}`])
    })
  )

  it.live.each<readonly [string, Answer]>([
    ["says 410 in an event", watchOf([eventLine("ERROR", statusOf(410, "Expired"))])],
    ["says 410 as its answer", refusal(410, "Expired")],
    ["does not know the kind any more", (response) => void response.writeHead(404).end("404 page not found\n")],
    ["says another error in an event", watchOf([eventLine("ERROR", statusOf(500, "InternalError"))])],
    ["sends what is no JSON", watchOf(['{"type":"ADDED","object":{"meta\n'])],
    ["sends what is no event", watchOf(['{"kind":"Lease"}\n'])]
  ])("lists again when the server %s", ([, lost]) =>
    Effect.gen(function* () {
      const { asked, next } = yield* watching(scripted([list("5", "a"), list("9", "b")], [lost, quiet]))
      assert.deepStrictEqual(yield* Effect.all([next, next]), ["Snapshot a", "Snapshot b"])
      while (asked().length < 4) yield* Effect.sleep(5)
      assert.deepStrictEqual(asked(), ["list", "watch from 5", "list", "watch from 9"])
    })
  )

  it.live.each<readonly [string, Answer]>([
    ["the CRD is not there", (response) => void response.writeHead(404).end("404 page not found\n")],
    ["a right is missing", refusal(403, "Forbidden")]
  ])("waits while %s, says so once, and says when that is over", ([, missing]) =>
    Effect.gen(function* () {
      const { next, asked } = yield* watching(scripted([missing, missing, missing, missing, list("5", "a")], [quiet]))
      assert.strictEqual(yield* next, "Snapshot a")
      while (asked().length < 6) yield* Effect.sleep(5)
      const lines = () => TestConsole.logLines.pipe(Effect.map((all) => all.map(String).join("\n")))
      while (!(yield* lines()).includes("works again")) yield* Effect.sleep(5)
      assert.lengthOf((yield* lines()).match(/watching leases in ns fails/gu) ?? [], 1)
    }).pipe(Effect.provide(TestConsole.layer))
  )

  it.live("survives a server that is gone for a while", () =>
    Effect.gen(function* () {
      let isDown = false
      const { next } = yield* watching((request) => (response) => {
        if (isDown) return reset(response)
        const from = Number(request.query.get("resourceVersion") ?? "0")
        const answer = request.query.get("watch")
          ? watchOf([added(`after-${from}`, String(from + 1))], (response) => {
              isDown = from === 6
              reset(response)
            })
          : list("5")
        answer(response)
      })
      assert.deepStrictEqual(yield* Effect.all([next, next, next]), ["Snapshot", "Upsert after-5", "Upsert after-6"])
      yield* Effect.sleep(100)
      isDown = false
      assert.strictEqual(yield* next, "Upsert after-7")
    })
  )

  it.live("slows the server down while its consumer is busy, and loses no event", () =>
    Effect.gen(function* () {
      const many = 20_000
      const padding = "x".repeat(1_000)
      let sent = 0
      const flood: Answer = (response) => {
        response.writeHead(200)
        const pour = (): void => {
          while (sent < many) {
            sent++
            const event = { ...lease(`l-${sent}`, String(5 + sent)), padding }
            if (!response.write(eventLine("ADDED", event))) return void response.once("drain", pour)
          }
        }
        pour()
      }
      const server = yield* fakeApiServer(scripted([list("5")], [flood, quiet]))
      const context = yield* Layer.build(
        HttpKubernetes.layer({ source: { _tag: "File", path: server.kubeconfig }, timings })
      )
      const api = yield* Effect.provide(KubernetesApi, context)
      const seen: Array<string> = []
      yield* api.watch(leases, { namespace: "ns" }).pipe(
        Stream.take(many + 1),
        Stream.runForEach((delta) =>
          Effect.gen(function* () {
            seen.push(shown(delta))
            if (seen.length !== 2) return
            let before = -1
            while (before !== sent) {
              before = sent
              yield* Effect.sleep(200)
            }
            assert.isBelow(sent, many / 2)
          })
        )
      )
      assert.deepStrictEqual(
        seen.slice(1),
        Array.from({ length: many }, (_, n) => `Upsert l-${n + 1}`)
      )
    })
  )

  it.live("closes its connection when it is interrupted, also before the server has answered", () =>
    Effect.gen(function* () {
      const silent: Answer = () => {}
      const { arrived, fiber, state } = yield* watching(scripted([list("5")], [silent]))
      while (arrived.length < 2) yield* Effect.sleep(5)
      yield* Fiber.interrupt(fiber)
      while (state.aborted === 0) yield* Effect.sleep(5)
      assert.lengthOf(arrived, 2)
    })
  )

  it.live(
    "counts it as an outage when the server takes it and closes it at once, again and again, and says so once",
    () =>
      Effect.gen(function* () {
        const { asked } = yield* watching(scripted([list("5")], [watchOf([], end)]))
        while (asked().length < 12) yield* Effect.sleep(5)
        const lines = (yield* TestConsole.logLines).map(String).join("\n")
        assert.lengthOf(lines.match(/watching leases in ns fails: the server has closed the connection/gu) ?? [], 1)
        assert.lengthOf(lines.match(/works again/gu) ?? [], 1)
      }).pipe(Effect.provide(TestConsole.layer))
  )

  it("waits twice as long after every failure, up to a limit, with random jitter", () => {
    const delays = (random: number) => [1, 2, 3, 7, 1_000].map((n) => Retry.delayMillis(n, random, 500, 30_000))
    assert.deepStrictEqual(delays(0), [250, 500, 1_000, 15_000, 15_000])
    assert.deepStrictEqual(delays(0.9999999), [500, 1_000, 2_000, 30_000, 30_000])
    assert.strictEqual(Retry.delayMillis(0, 0, 500, 30_000), 250)
  })
}, 20_000)
