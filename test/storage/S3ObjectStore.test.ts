import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import tls from "node:tls"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import * as GuardedObjectStore from "../../src/storage/GuardedObjectStore.ts"
import type { ObjectKey } from "../../src/storage/ObjectStore.ts"
import * as S3ObjectStore from "../../src/storage/S3ObjectStore.ts"
import { type Answer, answering, breaking, refusing, scriptedS3, stalling } from "./scriptedS3.ts"
import { temporaryVolume } from "./temporaryVolume.ts"

const key = (text: string) => text as ObjectKey
const bytes = (text: string) => new TextEncoder().encode(text)
const sha256 = (content: Uint8Array) => createHash("sha256").update(content).digest()
const content = bytes("the content of a manifest")
const stored = answering(200, { etag: '"e1"' })
const methods = (arrived: ReadonlyArray<{ readonly method: string }>) => arrived.map(({ method }) => method)

/** A store whose server gives these answers in turn. */
const against = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { target, arrived } = yield* scriptedS3(answers)
    return { store: yield* S3ObjectStore.open(target), arrived }
  })

describe("S3ObjectStore.put", () => {
  it.live("lets the server check the content: its SHA-256 stands in the checksum header and in the signature", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(stored, stored)
      const info = yield* store.put(key("set/manifest.json"), [content.subarray(0, 5), content.subarray(5)], {
        ifAbsent: true
      })
      assert.strictEqual(info.fingerprint, "e1")
      yield* store.put(key("set/manifest.json"), [content], { sha256: sha256(content).toString("hex") })
      for (const { headers, body, path } of arrived) {
        assert.strictEqual(path, "/kafka-backups/team/set/manifest.json")
        assert.isTrue(body.equals(content))
        assert.strictEqual(headers["content-length"], String(content.byteLength))
        assert.strictEqual(headers["x-amz-checksum-sha256"], sha256(content).toString("base64"))
        assert.strictEqual(headers["x-amz-content-sha256"], sha256(content).toString("hex"))
        assert.match(headers.authorization ?? "", /SignedHeaders=[^,]*x-amz-content-sha256/u)
        assert.isUndefined(headers["expect"])
        assert.isUndefined(headers["content-encoding"])
      }
      assert.strictEqual(arrived[0]?.headers["if-none-match"], "*")
      assert.isUndefined(arrived[1]?.headers["if-none-match"])
    })
  )

  it.live("takes a create whose answer was lost for done when the stored checksum is its own", () =>
    Effect.gen(function* () {
      const head = {
        etag: '"e1"',
        "content-length": String(content.byteLength),
        "x-amz-checksum-sha256": sha256(content).toString("base64")
      }
      const { store, arrived } = yield* against(breaking, refusing(412, "PreconditionFailed"), answering(200, head))
      const info = yield* store.put(key("lock"), [content], { ifAbsent: true })
      const hex = sha256(content).toString("hex")
      assert.deepStrictEqual(info, { key: key("lock"), size: content.byteLength, fingerprint: "e1", sha256: hex })
      assert.deepStrictEqual(methods(arrived), ["PUT", "PUT", "HEAD"])
    })
  )

  it.live("compares the content itself where the store keeps no checksum", () =>
    Effect.gen(function* () {
      const length = { "content-length": String(content.byteLength), etag: '"e1"' }
      const { store, arrived } = yield* against(
        breaking,
        refusing(412, "PreconditionFailed"),
        answering(200, length),
        answering(200, length, Buffer.from(content))
      )
      assert.strictEqual((yield* store.put(key("lock"), [content], { ifAbsent: true })).fingerprint, "e1")
      assert.deepStrictEqual(methods(arrived), ["PUT", "PUT", "HEAD", "GET"])
    })
  )

  it.live(
    "says ObjectExists after a lost answer when the object is another writer's, of other or of the same size, or gone again",
    () =>
      Effect.gen(function* () {
        const other = Buffer.from(content).fill("x")
        const length = { "content-length": String(other.byteLength), etag: '"e1"' }
        for (const rest of [
          [answering(200, { ...length, "content-length": "7" })],
          [answering(200, { ...length, "x-amz-checksum-sha256": sha256(other).toString("base64") })],
          [answering(200, length), answering(200, length, other)],
          [answering(404)]
        ]) {
          const { store } = yield* against(breaking, refusing(412, "PreconditionFailed"), ...rest)
          const error = yield* Effect.flip(store.put(key("lock"), [content], { ifAbsent: true }))
          assert.strictEqual(error.reason._tag, "ObjectExists")
        }
      })
  )

  it.live("says ObjectExists at once when the very first request meets an object, whatever it holds", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(refusing(412, "PreconditionFailed"))
      const error = yield* Effect.flip(store.put(key("lock"), [content], { ifAbsent: true }))
      assert.strictEqual(error.reason._tag, "ObjectExists")
      assert.deepStrictEqual(methods(arrived), ["PUT"])
    })
  )

  it.live("can be sent anew, with everything in it, after conflicts, throttling and server errors", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(
        refusing(409, "ConditionalRequestConflict"),
        refusing(503, "SlowDown"),
        refusing(500, "InternalError"),
        stored
      )
      const pieces = Array.from({ length: 50 }, (_, i) => new Uint8Array(10_000).fill(i))
      yield* GuardedObjectStore.make(store, GuardedObjectStore.bounded).put(key("segment"), pieces, { ifAbsent: true })
      assert.strictEqual(arrived.length, 4)
      for (const { body } of arrived) assert.isTrue(body.equals(Buffer.concat(pieces)))
    })
  )

  it.live("tries once more when the server received other bytes, then says ContentMismatch", () =>
    Effect.gen(function* () {
      const bad = refusing(400, "BadDigest")
      const { store, arrived } = yield* against(bad, stored, bad, bad)
      yield* store.put(key("a"), [content])
      const error = yield* Effect.flip(store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.strictEqual(arrived.length, 4)
    })
  )

  it.live("gives up the connection when it is interrupted, waiting for an answer or in the middle of the upload", () =>
    Effect.gen(function* () {
      let closed = 0
      const waiting: Answer = (response) => void response.on("close", () => closed++)
      const { store, arrived } = yield* against(waiting)
      const first = yield* Effect.forkChild(store.put(key("a"), [content]))
      while (arrived.length === 0) yield* Effect.sleep(1)
      yield* Fiber.interrupt(first)
      while (closed === 0) yield* Effect.sleep(1)
      const piece = new Uint8Array(1024 * 1024)
      const large = Array.from({ length: 512 }, () => piece)
      const second = yield* Effect.forkChild(store.put(key("large"), large, { sha256: "0".repeat(64) }))
      yield* Effect.sleep(100)
      yield* Fiber.interrupt(second)
      while (arrived.length === 1) yield* Effect.sleep(1)
      assert.strictEqual(arrived[1]?.method, "ABORTED")
    })
  )

  it.live("signs anew with the server's clock when its own is wrong", () =>
    Effect.gen(function* () {
      const serverDate = new Date(Date.now() + 3 * 3_600_000)
      const skewed = refusing(403, "RequestTimeTooSkewed", {
        headers: { date: serverDate.toUTCString() },
        xml: `<ServerTime>${serverDate.toISOString()}</ServerTime>`
      })
      const { store, arrived } = yield* against(skewed, stored, skewed, skewed)
      yield* store.put(key("a"), [content])
      assert.notStrictEqual(
        arrived[0]?.headers["x-amz-date"]?.slice(0, 11),
        arrived[1]?.headers["x-amz-date"]?.slice(0, 11)
      )
      const error = yield* Effect.flip(store.put(key("a"), [content]))
      assert.strictEqual(error.reason._tag, "Misconfigured")
      assert.include(error.advice, "clock")
    })
  )
})

describe("S3ObjectStore.read", () => {
  const large = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
  const whole = { "content-length": String(large.byteLength), etag: '"e1"' }

  /** Announces everything, sends so much, and breaks. */
  const cut =
    (from: number, until: number): Answer =>
    (response) => {
      response.writeHead(from === 0 ? 200 : 206, { etag: '"e1"', "content-length": String(large.byteLength - from) })
      response.write(large.subarray(from, until), () => response.destroy())
    }
  const rest: Answer = (response, request) => {
    const from = Number(/bytes=(\d+)-/u.exec(request.headers.range ?? "")?.[1])
    response.writeHead(206, { etag: '"e1"', "content-length": String(large.byteLength - from) })
    response.end(large.subarray(from))
  }

  it.live("goes on where a connection broke, on the same content only", () =>
    Effect.gen(function* () {
      const { store, arrived } = yield* against(cut(0, 100_000), rest)
      const pieces = yield* Stream.runCollect(store.read(key("segment")))
      assert.isTrue(large.equals(Buffer.concat(pieces)))
      assert.match(arrived[1]?.headers.range ?? "", /^bytes=\d+-$/u)
      assert.strictEqual(arrived[1]?.headers["if-match"], '"e1"')
    })
  )

  it.live("fails, and never ends early, when every connection breaks", () =>
    Effect.gen(function* () {
      // Six answers without a byte of progress: the first and five resumptions.
      const { store } = yield* against(...Array.from({ length: 6 }, () => cut(0, 0)))
      const error = yield* Effect.flip(Stream.runDrain(store.read(key("segment"))))
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
      assert.isTrue(error.isRetryable)
      assert.include(error.message, `0 of ${large.byteLength} bytes`)
    })
  )

  it.live("fails when the object was replaced in the middle", () =>
    Effect.gen(function* () {
      const { store } = yield* against(cut(0, 100_000), refusing(412, "PreconditionFailed"))
      const error = yield* Effect.flip(Stream.runDrain(store.read(key("segment"))))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
    })
  )

  it.live("fails when the store ignores the range and begins anew", () =>
    Effect.gen(function* () {
      const { store } = yield* against(cut(0, 100_000), answering(200, whole, large))
      const error = yield* Effect.flip(Stream.runDrain(store.read(key("segment"))))
      assert.strictEqual(error.reason._tag, "ContentMismatch")
    })
  )

  it.live("resumes after a stalled body", () =>
    Effect.gen(function* () {
      const stall: Answer = (response) => {
        response.writeHead(200, whole)
        response.write(large.subarray(0, 1000))
      }
      const { target, arrived } = yield* scriptedS3([stall, rest])
      const store = yield* S3ObjectStore.open(target, { connect: 1_000, idle: 300, answer: 5_000 })
      assert.isTrue(large.equals(yield* store.get(key("segment"))))
      assert.strictEqual(arrived[1]?.headers.range, "bytes=1000-")
    })
  )
})

describe("S3ObjectStore.list", () => {
  const page = (xml: string) =>
    answering(200, { "content-type": "application/xml" }, `<ListBucketResult>${xml}</ListBucketResult>`)
  const object = (name: string) => `<Contents><Key>${name}</Key><Size>1</Size><ETag>"e"</ETag></Contents>`

  it.live("follows the pages, decodes keys, and leaves out the markers of consoles", () =>
    Effect.gen(function* () {
      const more =
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>t 1</NextContinuationToken>"
      const { store, arrived } = yield* against(
        page(more + object("team/") + object("team/a+b") + object("team/c/")),
        page("<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>" + object("team/c%2Bd"))
      )
      const infos = yield* Stream.runCollect(store.list(""))
      assert.deepStrictEqual(infos, [
        { key: key("a b"), size: 1, fingerprint: "e" },
        { key: key("c+d"), size: 1, fingerprint: "e" }
      ])
      assert.strictEqual(arrived[0]?.query.get("prefix"), "team/")
      assert.strictEqual(arrived[1]?.query.get("continuation-token"), "t 1")
    })
  )

  it.live("fails rather than ending early when more is announced without a way to it", () =>
    Effect.gen(function* () {
      const { store } = yield* against(page("<IsTruncated>true</IsTruncated>" + object("team/a")))
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(store.list("")))).reason._tag, "Misconfigured")
    })
  )

  it.live("fails rather than listing out of order, or the same page for ever", () =>
    Effect.gen(function* () {
      const again = page(
        "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>" + object("team/a")
      )
      for (const answers of [[page(object("team/b") + object("team/a"))], [again, again]]) {
        const { store } = yield* against(...answers)
        assert.strictEqual((yield* Effect.flip(Stream.runDrain(store.list("")))).reason._tag, "Misconfigured")
      }
    })
  )
})

describe("S3ObjectStore.open", () => {
  const opened = (opening: Answer) =>
    Effect.gen(function* () {
      const { target } = yield* scriptedS3([], opening)
      return yield* Effect.flip(S3ObjectStore.open(target, { connect: 1_000, idle: 1_000, answer: 200 }))
    })

  it.live("names the right region when the store tells it", () =>
    Effect.gen(function* () {
      const redirect = yield* opened(
        refusing(301, "PermanentRedirect", { headers: { "x-amz-bucket-region": "us-west-2" } })
      )
      assert.strictEqual(redirect.reason._tag, "Misconfigured")
      assert.strictEqual(redirect.advice, "set the region to us-west-2")
      const malformed = yield* opened(
        refusing(400, "AuthorizationHeaderMalformed", { xml: "<Region>us-west-2</Region>" })
      )
      assert.strictEqual(malformed.advice, "set the region to us-west-2")
    })
  )

  it.live("says which permission and which Secret to look at, and repeats no credential that the server quotes", () =>
    Effect.gen(function* () {
      const quoting = {
        message: "key AKIDEXAMPLE12345 with wJalrXUtnFEMI-secret may not",
        xml: "<AWSAccessKeyId>AKIDEXAMPLE12345</AWSAccessKeyId>"
      }
      const denied = yield* opened(refusing(403, "AccessDenied", quoting))
      assert.strictEqual(denied.reason._tag, "StorageAuthorizationFailed")
      assert.include(denied.advice, "s3:ListBucket")
      assert.include(denied.advice, "Secret s3-credentials, keys accessKey and secretKey")
      const unknown = yield* opened(refusing(403, "InvalidAccessKeyId", quoting))
      for (const error of [denied, unknown]) {
        for (const shown of [error.message, error.advice, error.stack, JSON.stringify(error)]) {
          assert.notInclude(shown, "AKIDEXAMPLE12345")
          assert.notInclude(shown, "wJalrXUtnFEMI-secret")
        }
      }
    })
  )

  it.live("gives up on a store that never answers", () =>
    Effect.gen(function* () {
      const error = yield* opened(stalling)
      assert.strictEqual(error.operation, "open")
      assert.strictEqual(error.reason._tag, "StoreUnavailable")
    })
  )

  it.live("says when the endpoint's certificate is not trusted, and when the endpoint does not speak TLS", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryVolume
      const [keyFile, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")]
      const self = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
      assert.strictEqual(spawnSync("openssl", ["req", ...self, "-keyout", keyFile, "-out", certificate]).status, 0)
      const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificate) }, (_, response) => {
        response.end()
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.sync(() => server.close())
      )
      const { target } = yield* scriptedS3([])
      for (const [port, advice] of [
        [(server.address() as AddressInfo).port, "set spec.storage.s3.caSecret"],
        [new URL(target.endpoint!).port, "write http:// in endpoint"]
      ] as const) {
        const error = yield* Effect.flip(S3ObjectStore.open({ ...target, endpoint: `https://127.0.0.1:${port}` }))
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.include(error.advice, advice)
      }
    })
  )

  it.live("says which part of the Secret of authorities cannot be used, and shows nothing of it", () =>
    Effect.gen(function* () {
      const { target, arrived } = yield* scriptedS3([], breaking)
      const [begin, end] = ["-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"]
      const good = tls.rootCertificates[0]!
      for (const [pem, says] of [
        ["nonsense", "ca.pem holds no PEM certificate"],
        [`${begin}\r\nnonsense\r\n${end}\r\n`, "certificate 1 of ca.pem is damaged"],
        [`${good}\n${begin}\nnonsense\n${end}\n`, "certificate 2 of ca.pem is damaged"],
        [`${good}\n${begin}\nnonsense`, "a certificate of ca.pem is cut off"]
      ] as const) {
        const authorities = { pem, origin: { secret: "store-ca", key: "ca.pem" } }
        const error = yield* Effect.flip(
          S3ObjectStore.open({ ...target, endpoint: "https://127.0.0.1:9", authorities })
        )
        assert.strictEqual(error.reason._tag, "Misconfigured")
        assert.include(error.message, `Secret store-ca: ${says}`)
        assert.include(error.advice, "Secret store-ca, key ca.pem (spec.storage.s3.caSecret)")
        assert.notInclude(`${error.message} ${error.advice}`, "nonsense")
      }
      assert.isEmpty(arrived)
    })
  )

  it.live("refuses targets that cannot be, before any request", () =>
    Effect.gen(function* () {
      const { target } = yield* scriptedS3([], breaking)
      for (const wrong of [
        { bucket: "victim/evil" },
        { bucket: "arn:aws:s3:::b" },
        { bucket: "bucket?x=" },
        { bucket: "Upper" },
        { bucket: "10.0.0.1" },
        { bucket: "ab" },
        { prefix: "../other" },
        { prefix: "a/../../b" },
        { prefix: "a//b" },
        { prefix: "a\nb" },
        { prefix: "x".repeat(2000) },
        { endpoint: "http://169.254.169.254/" },
        { endpoint: "file:///etc" },
        { endpoint: "http://user:pw@host" },
        { endpoint: "host:9000" },
        { endpoint: "http://[fd00:ec2::254]/" },
        { endpoint: "http://[::ffff:169.254.169.254]/" },
        { endpoint: "http://h/?a=b" },
        { region: "" }
      ]) {
        const error = yield* Effect.flip(S3ObjectStore.open({ ...target, ...wrong }))
        assert.strictEqual(error.reason._tag, "Misconfigured", JSON.stringify(wrong))
        assert.notInclude(error.message, "pw@")
      }
    })
  )
})

describe("S3ObjectStore.head and delete", () => {
  it.live(
    "head tells a missing bucket and refused credentials from a missing object, although HEAD answers carry no code",
    () =>
      Effect.gen(function* () {
        const bare = (status: number) => answering(status)
        for (const [status, answer, tag] of [
          [404, refusing(404, "NoSuchKey"), "ObjectNotFound"],
          [404, refusing(404, "NoSuchBucket"), "TargetMissing"],
          [404, refusing(404, "XAdminUserNotFound"), "StorageAuthenticationFailed"],
          [403, refusing(403, "ExpiredToken"), "StorageAuthenticationFailed"],
          [404, answering(304), "ObjectNotFound"]
        ] as const) {
          const { store } = yield* against(bare(status), answer)
          assert.strictEqual((yield* Effect.flip(store.head(key("a")))).reason._tag, tag)
        }
      })
  )

  it.live("delete takes an absent object for deleted, but not an absent bucket", () =>
    Effect.gen(function* () {
      const { store } = yield* against(
        refusing(404, "NoSuchKey"),
        answering(204),
        refusing(404, "NoSuchBucket"),
        refusing(403, "AccessDenied")
      )
      yield* store.delete(key("a"))
      yield* store.delete(key("a"))
      assert.strictEqual((yield* Effect.flip(store.delete(key("a")))).reason._tag, "TargetMissing")
      const denied = yield* Effect.flip(store.delete(key("a")))
      assert.strictEqual(denied.reason._tag, "StorageAuthorizationFailed")
      assert.include(denied.advice, "s3:DeleteObject")
    })
  )
})
