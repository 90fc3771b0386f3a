import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "vitest"
import { FaultProxy, internalError } from "./FaultProxy.ts"

/** What a proxy before `store` makes of these requests. */
const seen = async (
  requests: ReadonlyArray<readonly [method: string, path: string, body?: string]>,
  store: RequestListener = (request, response) => request.on("end", () => response.end()).resume()
) => {
  const server = createServer(store)
  await once(server.listen(0, "127.0.0.1"), "listening")
  await using proxy = await FaultProxy.before(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  for (const [method, path, body] of requests) {
    const answer = await fetch(`${proxy.endpoint}${path}`, { method, ...(body === undefined ? {} : { body }) })
    await answer.arrayBuffer()
  }
  server.close()
  return proxy.passed.map(({ act, object }) => `${act} ${object}`)
}

const multipart = (json: string, content: string) =>
  `--b\r\ncontent-type: application/json\r\n\r\n${json}\r\n--b\r\ncontent-type: text/plain\r\n\r\n${content}\r\n--b--\r\n`

const uploads = "/upload/storage/v1/b/bucket/o"

describe("A request to an object store", () => {
  it("is about its path to S3 and Azure", async () => {
    assert.deepStrictEqual(
      await seen([
        ["PUT", "/bucket/a%2Fb?x-id=PutObject", "content"],
        ["GET", "/bucket?list-type=2&prefix=a"],
        ["HEAD", "/bucket/a"],
        ["DELETE", "/bucket/a"]
      ]),
      ["write /bucket/a/b", "read /bucket", "look /bucket/a", "remove /bucket/a"]
    )
  })

  it("names Google's object in the path, the query, the body, or by a session", async () => {
    const json = JSON.stringify({ name: "sets/a" })
    assert.deepStrictEqual(
      await seen(
        [
          ["GET", "/storage/v1/b/bucket/o/sets%2Fa?fields=name"],
          ["GET", "/storage/v1/b/bucket/o/sets%2Fa?alt=media"],
          ["GET", "/storage/v1/b/bucket/o?prefix=sets"],
          ["DELETE", "/storage/v1/b/bucket/o/sets%2Fa"],
          ["POST", `${uploads}?uploadType=media&name=sets%2Fa`, "content"],
          ["POST", `${uploads}?uploadType=multipart`, multipart(json, "content")],
          ["POST", `${uploads}?uploadType=multipart`, multipart(json, "content ".repeat(100_000))],
          ["POST", `${uploads}?uploadType=resumable`, json],
          ["PUT", `${uploads}?uploadType=resumable&upload_id=7`, "content"]
        ],
        (request, response) => {
          request.on("end", () => response.end()).resume()
          if (request.url?.endsWith("resumable")) response.setHeader("location", `http://store${uploads}?upload_id=7`)
        }
      ),
      [
        "look /bucket/sets/a",
        "read /bucket/sets/a",
        "read /bucket/",
        "remove /bucket/sets/a",
        ...Array.from({ length: 5 }, () => "write /bucket/sets/a")
      ]
    )
  })

  it("reaches the store as it was sent, but for one bit of the object's content", async () => {
    const arrived: Array<string> = []
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        arrived.push(Buffer.concat(chunks).toString("latin1"))
        response.end()
      })
    })
    await once(server.listen(0, "127.0.0.1"), "listening")
    await using proxy = await FaultProxy.before(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    proxy.disturb({ _tag: "FlipUpload", atByte: 1 }, { act: "write", object: /\/sets\/a$/u, nth: 2 })
    proxy.disturb(internalError, { object: /\/sets\/b$/u })
    const body = multipart('{"name":"sets/a"}', "content")
    const post = (text: string) =>
      fetch(`${proxy.endpoint}${uploads}?uploadType=multipart`, { method: "POST", body: text })
    assert.strictEqual((await post(body)).status, 200)
    assert.strictEqual((await post(multipart('{"name":"sets/b"}', "content"))).status, 500)
    assert.strictEqual((await post(body)).status, 200)
    server.close()
    assert.deepStrictEqual(arrived, [body, body.replace("content\r\n--b--", "c\u007fntent\r\n--b--")])
  })
})
