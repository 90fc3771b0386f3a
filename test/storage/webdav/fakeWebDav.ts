import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect } from "effect"

interface Stored {
  readonly bytes: Buffer
  readonly etag: string
  readonly modified: string
}

const say = (response: ServerResponse, status: number, code: string) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ code, message: `${code}, says the server` }))
}

/** Orders by UTF-8 bytes. */
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

/**
 * Names of at most `limit` entries after `after`, folders gathered where a delimiter is asked for, and where to go on.
 */
const listed = (objects: ReadonlyMap<string, Stored>, query: URLSearchParams) => {
  const prefix = query.get("prefix") ?? ""
  const after = query.get("after") ?? ""
  const limit = Math.min(Number(query.get("limit") ?? 100), 100)
  const entries = new Set<string>()
  for (const name of objects.keys()) {
    if (!name.startsWith(prefix)) continue
    const slash = query.has("folders") ? name.indexOf("/", prefix.length) : -1
    entries.add(slash === -1 ? name : name.slice(0, slash + 1))
  }
  const sorted = [...entries].sort(byBytes).filter((entry) => after === "" || byBytes(entry, after) > 0)
  const page = sorted.slice(0, limit)
  return {
    objects: page.flatMap((name) => {
      const object = objects.get(name)
      return object === undefined
        ? []
        : [{ name, size: object.bytes.byteLength, etag: object.etag, modified: object.modified }]
    }),
    folders: page.filter((name) => name.endsWith("/")),
    ...(sorted.length > page.length ? { next: page.at(-1) } : {})
  }
}

const bodyOf = async (request: IncomingMessage) => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/**
 * A store over HTTP that speaks no cloud's language: PUT (If-None-Match, its SHA-256 checked), GET (Range, If-Match),
 * HEAD, DELETE, and a paged listing at `/?list`. Collections that were not made answer 404 with the code
 * NoSuchCollection.
 */
export const fakeWebDav = (collection: string) =>
  Effect.gen(function* () {
    const objects = new Map<string, Stored>()
    let writes = 0
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? "/", "http://store")
      const [, first = "", ...rest] = url.pathname.split("/").map(decodeURIComponent)
      const name = rest.join("/")
      if (request.headers.authorization !== "Bearer good-token") return say(response, 401, "UnknownToken")
      if (first !== collection) return say(response, 404, "NoSuchCollection")
      if (url.searchParams.has("list")) {
        response.writeHead(200, { "content-type": "application/json" })
        return void response.end(JSON.stringify(listed(objects, url.searchParams)))
      }
      const found = objects.get(name)
      if (request.method === "PUT") {
        const bytes = await bodyOf(request).catch(() => undefined)
        if (bytes === undefined) return
        const digest = createHash("sha256").update(bytes).digest("base64")
        if (request.headers["digest"] !== `sha-256=${digest}`) return say(response, 400, "DigestMismatch")
        // Nothing below gives way: check and write are one step.
        if (request.headers["if-none-match"] === "*" && objects.has(name)) return say(response, 412, "Exists")
        const stored = { bytes, etag: `"${++writes}"`, modified: new Date().toUTCString() }
        objects.set(name, stored)
        response.writeHead(201, { etag: stored.etag, "last-modified": stored.modified })
        return void response.end()
      }
      if (found === undefined) return say(response, 404, "NoSuchObject")
      if (request.method === "DELETE") {
        objects.delete(name)
        response.writeHead(204)
        return void response.end()
      }
      const match = request.headers["if-match"]
      if (match !== undefined && match !== found.etag) return say(response, 412, "Changed")
      const from = Number(/bytes=(\d+)-/u.exec(request.headers.range ?? "")?.[1] ?? 0)
      response.writeHead(from === 0 ? 200 : 206, {
        etag: found.etag,
        "last-modified": found.modified,
        "content-length": String(found.bytes.byteLength - from)
      })
      response.end(request.method === "HEAD" ? undefined : found.bytes.subarray(from))
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  })
