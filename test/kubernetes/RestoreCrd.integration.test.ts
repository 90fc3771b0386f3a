import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse } from "yaml"
import { inspect } from "../../src/resource/Inspection.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import * as RestoreCrd from "../../src/resource/RestoreCrd.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { changed, manifest } from "../resource/restoreManifests.ts"
import { restoreSamples } from "../resource/samples.ts"

const crdFile = fileURLToPath(new URL("../../crds/kafkarestore.yaml", import.meta.url))

/** Made by these tests, and nobody else's. */
const namespace = "kafka-restore-crd-test"

/** Anything of the API, as JSON. */
interface Json {
  readonly [key: string]: any
}

describeWith("apiserver", "the definition of KafkaRestore on an API server", ({ apiserver }) => {
  const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(apiserver, args)
  let api: Kubectl.Proxy
  const place = `/apis/kafka.oso.sh/v1alpha1/namespaces/${namespace}/kafkarestores`

  const request = async (method: string, path: string, body: unknown, type = "application/json") => {
    const response = await fetch(`${api.address}${path}`, {
      method,
      headers: { "content-type": type },
      body: JSON.stringify(body)
    })
    return { status: response.status, answer: (await response.json()) as Json }
  }
  const create = (name: string, body: Json) =>
    request("POST", `${place}?fieldValidation=Strict`, { ...body, metadata: { name, namespace } })
  const patch = (path: string, body: unknown) =>
    request("PATCH", `${place}/${path}`, body, "application/merge-patch+json")

  beforeAll(async () => {
    await kubectl("apply", "--server-side", "--force-conflicts", "-f", crdFile)
    // A definition has no conditions at all in its first moments, which kubectl wait takes for an error.
    while ((await Kubectl.run(apiserver, ["get", "kafkarestores"])).code !== 0)
      await new Promise((resolve) => setTimeout(resolve, 200))
    await Kubectl.succeed(
      apiserver,
      ["apply", "--server-side", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } })
    )
    api = await Kubectl.proxy(apiserver)
    await Kubectl.succeed(apiserver, ["delete", "kafkarestores", "--all", `--namespace=${namespace}`])
  })

  afterAll(async () => {
    if (api === undefined) return
    await Kubectl.run(apiserver, ["delete", "kafkarestores", "--all", `--namespace=${namespace}`, "--wait=false"])
    await api.stop()
  })

  describe("is accepted", () => {
    it("without a complaint among its conditions, and as written", async () => {
      const crd: Json = JSON.parse(await kubectl("get", "-f", crdFile, "-o", "json"))
      const faults = (crd["status"].conditions as ReadonlyArray<Json>).filter(
        ({ status, type }) => status !== "True" && type !== "Terminating"
      )
      assert.deepStrictEqual(faults, [])
      const written = parse(readFileSync(crdFile, "utf8"))
      assert.deepStrictEqual(crd["spec"].versions[0].schema, written.spec.versions[0].schema)
    })

    it("by plain `kubectl apply` too, which keeps a copy in an annotation", async () => {
      await kubectl("apply", "--dry-run=server", "-f", crdFile)
    })
  })

  describe("the samples", () => {
    it.each(restoreSamples)(
      "$name applies as it is, and gets the defaults that we would give",
      async ({ file, text }) => {
        const args = ["--validate=strict", `--namespace=${namespace}`, "-f", file]
        const stored: Json = JSON.parse(await kubectl("apply", "--server-side", "-o", "json", ...args))
        assert.deepStrictEqual(stored["spec"], inspect(RestoreCrd.spec, parse(text).spec, "spec").completed)
        assert.deepStrictEqual(
          Result.getOrThrow(KafkaRestore.fromServer(stored)).spec,
          Result.getOrThrow(KafkaRestore.parse(text)).spec
        )
      }
    )

    it("are found under every name that was promised", async () => {
      for (const word of ["kafkarestore", "kafkarestores", "kr", "kafka-backup"]) {
        assert.include(await kubectl("get", word, `--namespace=${namespace}`), "whole-set", word)
      }
    })
  })

  describe("a restore that has begun to write", () => {
    const began = async (name: string, body: Json) => {
      const made = await create(name, body)
      assert.strictEqual(made.status, 201, made.answer["message"])
      const free = await patch(name, { spec: { backupId: "another-20260301-020000" } })
      assert.strictEqual(free.status, 200, free.answer["message"])
      const written = await patch(`${name}/status`, { status: { startedWriting: "2026-03-01T02:00:00Z" } })
      assert.strictEqual(written.status, 200, written.answer["message"])
    }

    it("keeps its spec, and is told apart from what may still change", async () => {
      await began("small", manifest())
      for (const spec of [{ backupId: "third-20260301-020000" }, { dryRun: true }, { podTemplate: null }]) {
        const { answer, status } = await patch("small", { spec })
        assert.strictEqual(status, 422, JSON.stringify(answer))
        const [cause, ...others] = answer["details"].causes as ReadonlyArray<Json>
        assert.deepStrictEqual(others, [])
        assert.strictEqual(cause?.["field"], "spec")
        assert.strictEqual(cause?.["message"], `Forbidden: ${RestoreCrd.immutable.message}`)
      }
      const finalizer = await patch("small", { metadata: { finalizers: ["kafka.oso.sh/cleanup"], labels: { a: "b" } } })
      assert.strictEqual(finalizer.status, 200, finalizer.answer["message"])
      const reported = await patch("small/status", { status: { phase: "Completed", restoredRecords: 7 } })
      assert.strictEqual(reported.status, 200, reported.answer["message"])
      const gone = await patch("small", { metadata: { finalizers: null } })
      assert.strictEqual(gone.status, 200, gone.answer["message"])
    })

    it("is compared within the budget of the API server, with the longest lists of topics", async () => {
      const names = (letter: string) => Array.from({ length: 10_000 }, (_, n) => String(n).padStart(60, letter))
      await began("large", changed(["topics", names("t")], ["excludeTopics", names("x")]))
      const same = await patch("large/status", { status: { phase: "Running" } })
      assert.strictEqual(same.status, 200, same.answer["message"])
      const other = await patch("large", { spec: { excludeTopics: [...names("x").slice(1), "x"] } })
      assert.strictEqual(other.status, 422, JSON.stringify(other.answer).slice(0, 500))
      assert.include(other.answer["message"], RestoreCrd.immutable.message)
    })
  })
})
