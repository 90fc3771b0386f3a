import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { deflateSync } from "node:zlib"
import * as RunSpec from "../../src/identity/RunSpec.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import { fullSpec } from "../resource/manifests.ts"

const slot = "2026-11-24T07:00:00Z"
const metadata = { name: "nightly", namespace: "kafka", uid: "8f7c", generation: 3 }

const aBackup = (spec: Record<string, unknown> = fullSpec(), more: Record<string, unknown> = {}) =>
  Result.getOrThrow(
    ManifestParser.fromServer({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { ...metadata, ...more },
      spec
    })
  )

const encoded = (runSpec: RunSpec.RunSpec) => Result.getOrThrow(RunSpec.encode(runSpec))
const thawed = (text: string) => Result.getOrThrow(RunSpec.decode(text))
const packed = (content: string) => `kafka-backup-run-1:${deflateSync(content).toString("base64")}`
const refusal = (text: string) => Result.getOrThrow(Result.flip(RunSpec.decode(text))).message

const Name = Schema.String.check(Schema.isPattern(/^[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?$/))
const Topics = Schema.NonEmptyArray(Schema.String.check(Schema.isPattern(/^[a-zA-Z0-9._-]{1,40}\*?$/)))
const Token = Schema.String.check(Schema.isPattern(/^[^\ud800-\udfff]{1,100}$/u))

describe("RunSpec", () => {
  it("gives back every field of the spec, the identity, slot and trigger", () => {
    const runSpec = { backup: aBackup(), slot, trigger: "release 1.2, $(date) ☂" }
    assert.deepStrictEqual(thawed(encoded(runSpec)), runSpec)
  })

  it.prop(
    "gives back whatever name, topics and trigger there are",
    [Name, Topics, Schema.optional(Token)],
    ([name, topics, trigger]) => {
      const usable = topics.filter((topic) => !/^\.{1,2}$/.test(topic))
      const spec = { ...fullSpec(), topics: [...new Set(["orders", ...usable])].slice(0, 100) }
      const runSpec = { backup: aBackup(spec, { name }), slot, ...(trigger === undefined ? {} : { trigger }) }
      assert.deepStrictEqual(thawed(encoded(runSpec)), runSpec)
    }
  )

  it("is a text in which Kubernetes expands nothing", () => {
    const spec = { ...fullSpec(), sourceClusterId: "$(HOSTNAME) $$ ${x}" }
    assert.match(encoded({ backup: aBackup(spec), slot, trigger: "$(X)" }), /^[A-Za-z0-9+/=:-]+$/)
  })

  it("leaves out of the resource what a run does not use, and what others wrote there", () => {
    const backup = aBackup(fullSpec(), {
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "x".repeat(100_000) },
      labels: { a: "b" },
      resourceVersion: "17",
      finalizers: ["f"],
      managedFields: [{ manager: "kubectl" }]
    })
    const found = thawed(encoded({ backup: { ...backup, status: {} }, slot })).backup
    assert.deepStrictEqual(found.metadata, metadata)
    assert.notProperty(found, "status")
  })

  it("refuses a resource that a pod's environment cannot hold, and names what to shorten", () => {
    let state = 1
    const letter = () => {
      state = (state * 48_271) % 2_147_483_647
      return "abcdefghijklmnopqrstuvwxyz0123456789"[state % 36]
    }
    const topics = Array.from({ length: 1000 }, () => Array.from({ length: 240 }, letter).join(""))
    const error = Result.getOrThrow(Result.flip(RunSpec.encode({ backup: aBackup({ ...fullSpec(), topics }), slot })))
    assert.isAbove(error.length, RunSpec.maxLength)
    assert.match(error.message, /takes \d{6} bytes.* at most 98304 fit/)
    assert.match(error.advice, /shorten spec\.topics, .*wildcard/)
  })

  it("says what is wrong with a text that is none", () => {
    const backup = { apiVersion: "kafka.oso.sh/v1alpha1", kind: "KafkaBackup", metadata, spec: fullSpec() }
    const { topics: _topics, ...without } = fullSpec()
    assert.match(refusal(""), /does not begin with kafka-backup-run-1:/)
    assert.match(refusal(encoded({ backup: aBackup(), slot }).slice(0, -20)), /damaged or cut off/)
    assert.match(refusal(packed("[]")), /not that of a run spec/)
    assert.match(refusal(packed(JSON.stringify({ backup, slot: "2026-11-24T07:00:00.000Z" }))), /its slot/)
    assert.match(refusal(packed(JSON.stringify({ backup, slot, trigger: "" }))), /its trigger/)
    assert.match(refusal(packed(JSON.stringify({ backup: { ...backup, spec: without }, slot }))), /spec\.topics/)
    assert.match(refusal(packed(" ".repeat(10_000_000))), /damaged or cut off/)
  })

  it("drops fields of a newer version, as from the API server", () => {
    const backup = { apiVersion: "kafka.oso.sh/v1alpha1", kind: "KafkaBackup", metadata, spec: fullSpec() }
    const newer = { backup: { ...backup, spec: { ...fullSpec(), later: 1 } }, slot, more: true }
    assert.deepStrictEqual(thawed(packed(JSON.stringify(newer))), { backup: aBackup(), slot })
  })

  it.prop("fails, and never throws, on any text", [Schema.String, Schema.Json], ([text, json]) => {
    for (const garbage of [text, `kafka-backup-run-1:${text}`, packed(text), packed(JSON.stringify(json))]) {
      assert.isTrue(Result.isFailure(RunSpec.decode(garbage)))
    }
  })

  it("is believed whole or not at all, wherever it is cut", () => {
    const runSpec = { backup: aBackup(), slot }
    const text = encoded(runSpec)
    for (let length = 0; length < text.length; length++) {
      const found = RunSpec.decode(text.slice(0, length))
      // The last characters may be padding.
      if (Result.isSuccess(found)) assert.deepStrictEqual(found.success, runSpec)
    }
    assert.isTrue(Result.isFailure(RunSpec.decode(text.slice(0, -8))))
  })
})
