import { generateKeyPairSync } from "node:crypto"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { getCACertificates, setDefaultCACertificates } from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as AzureObjectStore from "../../src/storage/AzureObjectStore.ts"
import * as GcsObjectStore from "../../src/storage/GcsObjectStore.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import { issued } from "../certificates/issued.ts"
import { httpBackends } from "./httpBackends.ts"
import type { Answer } from "./scriptedS3.ts"

/*
 * A cluster whose only way out is a proxy: the names of the stores are unknown to every name server, and only the proxy
 * leads there.
 */

const outside = "only-proxy.test"

const listening = (server: net.Server) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.sync(() => void server.close())
    ),
    () => (server.address() as net.AddressInfo).port
  )

/** Forwards plain requests, and tunnels with CONNECT, to `port` on loopback, whatever host was asked for. */
const proxy = (port: () => number) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const open = new Set<net.Socket>()
    const server = http.createServer((request, response) => {
      const { host, pathname, search } = new URL(request.url ?? "")
      asked.push(`${request.method} ${host}`)
      const { headers, method = "GET" } = request
      const onward = http.request({ port: port(), path: pathname + search, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(response)
      })
      request.pipe(onward)
    })
    server.on("connect", (request: http.IncomingMessage, socket: net.Socket) => {
      asked.push(`CONNECT ${request.url}`)
      const onward = net.connect(port(), "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
        onward.pipe(socket)
        socket.pipe(onward)
      })
      for (const each of [socket, onward]) {
        open.add(each)
        each.on("error", () => undefined)
      }
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => open.forEach((socket) => socket.destroy())))
    return { address: `http://127.0.0.1:${yield* listening(server)}`, asked }
  })

/** The variables of the process, for as long as the scope is open. */
const environment = (variables: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  )

const serving = (answer: Answer) => (request: http.IncomingMessage, response: http.ServerResponse) =>
  answer(response, {
    method: request.method ?? "",
    path: "",
    query: new URLSearchParams(),
    headers: {},
    body: Buffer.alloc(0)
  })

const s3 = (endpoint: string, pem?: string) =>
  S3ObjectStore.open({
    _tag: "S3",
    bucket: "backups",
    region: "eu-central-1",
    endpoint,
    ...(pem === undefined ? {} : { authorities: { pem, origin: { secret: "ca", key: "ca.crt" } } }),
    credentials: {
      accessKeyId: Redacted.make("id"),
      secretAccessKey: Redacted.make("key"),
      origin: { secret: "s3", keys: ["accessKey", "secretKey"] }
    }
  })
const azure = (endpoint: string) =>
  AzureObjectStore.open({
    _tag: "Azure",
    accountName: "backups",
    container: "backups",
    endpoint: `${endpoint}/backups`,
    credentials: {
      _tag: "AccountKey",
      accountKey: Redacted.make(Buffer.alloc(64, 9).toString("base64")),
      origin: { secret: "azure", keys: ["AZURE_STORAGE_KEY"] }
    }
  })
const gcs = (address: string) =>
  GcsObjectStore.open({ _tag: "Gcs", bucket: "backups" }, undefined, { STORAGE_EMULATOR_HOST: address })

const stores = { s3, azure, gcs }

describe("Every store behind a proxy", () => {
  for (const [name, open] of Object.entries(stores) as ReadonlyArray<[keyof typeof stores, typeof azure]>) {
    const page = httpBackends[name].page([])

    it.live(`is reached through HTTP_PROXY without TLS: ${name}`, () =>
      Effect.gen(function* () {
        const port = yield* listening(http.createServer(serving(page)))
        const { address, asked } = yield* proxy(() => port)
        yield* environment({ HTTP_PROXY: address, HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "elsewhere.test" })
        yield* open(`http://${name}.${outside}:9000`)
        assert.deepStrictEqual(asked, [`GET ${name}.${outside}:9000`])
      })
    )

    it.live(`is reached through HTTPS_PROXY with TLS, by an intermediate authority alone: ${name}`, () =>
      Effect.gen(function* () {
        const { certificate, intermediate, key } = yield* issued(`DNS:*.${outside}`)
        const port = yield* listening(https.createServer({ cert: certificate, key }, serving(page)))
        const { address, asked } = yield* proxy(() => port)
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            const before = getCACertificates("default")
            setDefaultCACertificates([...before, intermediate])
            return before
          }),
          (before) => Effect.sync(() => setDefaultCACertificates(before))
        )
        yield* environment({ HTTP_PROXY: "http://127.0.0.1:9", HTTPS_PROXY: address, NO_PROXY: "elsewhere.test" })
        yield* open(`https://${name}.${outside}`)
        assert.deepStrictEqual(asked, [`CONNECT ${name}.${outside}:443`])
      })
    )

    it.live(`is reached directly where NO_PROXY names its domain: ${name}`, () =>
      Effect.gen(function* () {
        const { address, asked } = yield* proxy(() => 9)
        yield* environment({
          HTTP_PROXY: address,
          HTTPS_PROXY: address,
          NO_PROXY: `elsewhere.test,.${"x".repeat(64)}.test`
        })
        const error = yield* Effect.flip(open(`http://${name}.${"x".repeat(64)}.test`))
        assert.strictEqual(error.reason._tag, "StoreUnavailable")
        assert.include(error.message, "no such host")
        assert.deepStrictEqual(asked, [])
      })
    )
  }
})

describe("An S3 endpoint with a private authority", () => {
  it.live("is trusted where caSecret holds only the intermediate authority that has issued its certificate", () =>
    Effect.gen(function* () {
      const { certificate, intermediate, key, root } = yield* issued("IP:127.0.0.1")
      const stranger = yield* issued("IP:127.0.0.1")
      for (const cert of [certificate, certificate + intermediate, certificate + intermediate + root]) {
        const port = yield* listening(https.createServer({ cert, key }, serving(httpBackends.s3.page([]))))
        yield* s3(`https://127.0.0.1:${port}`, intermediate)
        const error = yield* Effect.flip(s3(`https://127.0.0.1:${port}`, stranger.intermediate))
        assert.strictEqual(error.reason._tag, "Misconfigured")
      }
    })
  )
})

describe("The token of a Google service account", () => {
  it.live("is asked for through the same proxy", () =>
    Effect.gen(function* () {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const port = yield* listening(
        http.createServer((request, response) => {
          response.setHeader("content-type", "application/json")
          const isToken = request.method === "POST"
          request
            .resume()
            .on("end", () => void response.end(JSON.stringify(isToken ? { access_token: "t", expires_in: 3600 } : {})))
        })
      )
      const { address, asked } = yield* proxy(() => port)
      yield* environment({ HTTP_PROXY: address, HTTPS_PROXY: address })
      const keyFile = JSON.stringify({
        type: "service_account",
        client_email: "backup@project.iam.gserviceaccount.com",
        private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
        token_uri: `http://token.${outside}/token`
      })
      yield* GcsObjectStore.open(
        {
          _tag: "Gcs",
          bucket: "backups",
          credentials: { keyFile: Redacted.make(keyFile), origin: { secret: "gcs", keys: ["key.json"] } }
        },
        undefined,
        { STORAGE_EMULATOR_HOST: `http://gcs.${outside}` }
      )
      assert.deepStrictEqual(asked, [`POST token.${outside}`, `GET gcs.${outside}`])
    })
  )
})
