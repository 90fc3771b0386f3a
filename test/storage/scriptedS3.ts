import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, Redacted } from "effect"
import type { S3Target } from "../../src/storage/StorageTarget.ts"

/** One request as it arrived, its body complete. */
export interface Arrived {
  readonly method: string
  /** Path with the bucket, decoded, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
}

export type Answer = (response: ServerResponse, request: Arrived) => void

/** An answer with S3's XML error body. */
export const refusing =
  (
    status: number,
    code: string,
    extra: { readonly headers?: Record<string, string>; readonly message?: string; readonly xml?: string } = {}
  ): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/xml", ...extra.headers })
    response.end(
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${extra.message ?? code}</Message>${extra.xml ?? ""}</Error>`
    )
  }

export const answering =
  (status: number, headers: Record<string, string> = {}, body: string | Buffer = ""): Answer =>
  (response) => {
    response.writeHead(status, headers)
    response.end(body)
  }

/** The request was heard, the answer never comes: the connection breaks instead. */
export const breaking: Answer = (response) => response.destroy()

/** Nothing ever comes back. */
export const stalling: Answer = () => undefined

export const emptyListing = answering(
  200,
  { "content-type": "application/xml" },
  "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
)

/**
 * A server on loopback that gives the scripted answers in turn and remembers what was asked. The listing with which a
 * store is opened is answered by itself unless `opening` says otherwise.
 */
export const scriptedS3 = (answers: ReadonlyArray<Answer>, opening: Answer = emptyListing) =>
  Effect.gen(function* () {
    const arrived: Array<Arrived> = []
    const pending = [...answers]
    let opened = false
    const server = createServer(async (request, response) => {
      const chunks: Array<Buffer> = []
      try {
        for await (const chunk of request) chunks.push(chunk as Buffer)
      } catch {
        arrived.push({
          method: "ABORTED",
          path: request.url ?? "",
          query: new URLSearchParams(),
          headers: request.headers,
          body: Buffer.concat(chunks)
        })
        return
      }
      const url = new URL(request.url ?? "/", "http://store")
      const one = {
        method: request.method ?? "",
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks)
      }
      if (!opened && one.query.get("max-keys") === "1") {
        if (opening === emptyListing) opened = true
        return opening(response, one)
      }
      arrived.push(one)
      const answer = pending.shift() ?? answering(500, {}, "the script is over")
      answer(response, one)
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    const target: S3Target = {
      _tag: "S3",
      bucket: "kafka-backups",
      region: "eu-central-1",
      prefix: "team",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: {
        accessKeyId: Redacted.make("AKIDEXAMPLE12345"),
        secretAccessKey: Redacted.make("wJalrXUtnFEMI-secret"),
        origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] }
      }
    }
    return { target, arrived }
  })
