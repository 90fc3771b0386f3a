import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse } from "yaml"
import { inspect } from "../../src/resource/Inspection.ts"
import * as OffsetCrds from "../../src/resource/OffsetCrds.ts"
import * as OffsetResource from "../../src/resource/OffsetResource.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import type { BadManifest } from "../resource/badManifests.ts"
import { badOffsets, fullSpecs, type Kind, offsetManifest } from "../resource/badOffsets.ts"
import { offsetSamples } from "../resource/samples.ts"
import * as Refusals from "./refusals.ts"

/** Where the tests' manifests live. */
const namespace = "kafka-offsets"

/** Anything of the API, as JSON. */
interface Json {
  readonly [key: string]: any
}

const kinds: ReadonlyArray<Kind> = ["KafkaOffsetReset", "KafkaOffsetRollback"]

/** What the project's own check says first about a bad manifest. */
const ownWords = (kind: Kind, { manifest }: BadManifest): string => {
  const result = OffsetResource.fromServer(kind, manifest)
  const refused = Result.isFailure(result) ? result : OffsetResource.parse(JSON.stringify(manifest), [kind])
  return Result.isFailure(refused) ? (refused.failure.problems[0]?.message ?? "") : ""
}

describeWith("apiserver", "the definitions about offsets on an API server", ({ apiserver }) => {
  let api: Kubectl.Proxy
  const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(apiserver, args)
  const request = async (method: string, path: string, body: unknown, type = "application/json") => {
    const response = await fetch(`${api.address}${path}`, {
      method,
      headers: { "content-type": type },
      body: JSON.stringify(body)
    })
    return { status: response.status, answer: (await response.json()) as Json }
  }
  const place = (kind: Kind) => `/apis/kafka.oso.sh/v1alpha1/namespaces/${namespace}/${OffsetCrds.plurals[kind]}`

  beforeAll(async () => {
    for (const kind of kinds) {
      const file = fileURLToPath(new URL(`../../crds/${kind.toLowerCase()}.yaml`, import.meta.url))
      await kubectl("apply", "--server-side", "--force-conflicts", "-f", file)
      // A definition has no conditions at all in its first moments, which kubectl wait takes for an error.
      while ((await Kubectl.run(apiserver, ["get", OffsetCrds.plurals[kind]])).code !== 0)
        await new Promise((resolve) => setTimeout(resolve, 200))
    }
    const made = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } })
    await Kubectl.succeed(apiserver, ["apply", "--server-side", "-f", "-"], made)
    api = await Kubectl.proxy(apiserver)
  })

  afterAll(async () => {
    if (api === undefined) return
    for (const kind of kinds) {
      const args = ["delete", OffsetCrds.plurals[kind], "--all", `--namespace=${namespace}`, "--wait=false"]
      await Kubectl.run(apiserver, args)
    }
    await api.stop()
  })

  it.each(offsetSamples)("$name applies as it is, and gets the defaults that we would give", async ({ file, text }) => {
    const args = ["--validate=strict", `--namespace=${namespace}`, "-f", file]
    const stored: Json = JSON.parse(await kubectl("apply", "--server-side", "-o", "json", ...args))
    const { kind, spec } = parse(text) as { readonly kind: Kind; readonly spec: unknown }
    assert.deepStrictEqual(stored["spec"], inspect(OffsetCrds.specs[kind](), spec, "spec").completed)
  })

  describe.each(kinds)("%s", (kind) => {
    const ruleMessages = Refusals.ruleMessages(OffsetCrds.crds[kind]())
    const post = (body: unknown) => request("POST", `${place(kind)}?dryRun=All&fieldValidation=Strict`, body)

    it("has no complaint among its conditions", async () => {
      const crd: Json = JSON.parse(
        await kubectl("get", "crd", `${OffsetCrds.plurals[kind]}.kafka.oso.sh`, "-o", "json")
      )
      const faults = (crd["status"].conditions as ReadonlyArray<Json>).filter(
        ({ status, type }) => status !== "True" && type !== "Terminating"
      )
      assert.deepStrictEqual(faults, [])
    })

    it.each(badOffsets[kind])("is refused with a mistake: $mistake in $field", async (row) => {
      const { answer, status } = await post(row.manifest)
      const own = ownWords(kind, row)
      if (!ruleMessages.has(own)) {
        assert.include([400, 422], status, JSON.stringify(answer))
        assert.match(answer["message"], Refusals.serversWords(own), own)
        assert.include(answer["message"], Refusals.serversPath(row.field))
        return
      }
      assert.strictEqual(status, 422, JSON.stringify(answer))
      const causes: ReadonlyArray<Json> = answer["details"].causes
      assert.lengthOf(causes, 1, answer["message"])
      assert.include(causes[0]!["message"], own)
      assert.strictEqual(causes[0]!["field"], row.field)
    })

    it("may be edited until a pod may have changed something, and is not changed from then on", async () => {
      const name = "edited"
      const spec = fullSpecs[kind]()
      const created = await request("POST", place(kind), {
        ...offsetManifest(kind, spec),
        metadata: { name, namespace }
      })
      assert.strictEqual(created.status, 201, created.answer["message"])
      const patch = (path: string, body: unknown) =>
        request("PATCH", `${place(kind)}/${name}${path}`, body, "application/merge-patch+json")
      assert.strictEqual((await patch("", { spec: { topics: ["invoices"] } })).status, 200)
      const at = "2026-03-01T02:00:00Z"
      assert.strictEqual((await patch("/status", { status: { phase: "Running", startedWriting: at } })).status, 200)
      const { answer, status } = await patch("", { spec: { topics: ["orders"] } })
      assert.strictEqual(status, 422)
      assert.include(answer["message"], OffsetCrds.immutable.message)
      // Annotations start another attempt.
      assert.strictEqual((await patch("", { metadata: { annotations: { "kafka.oso.sh/retry": "1" } } })).status, 200)
    })

    it("is found under its short name, with its columns", async () => {
      const shortName = OffsetCrds.crds[kind]().spec.names.shortNames[0]!
      const printed = await kubectl("get", shortName, "edited", `--namespace=${namespace}`)
      const [titles = ""] = printed.split("\n")
      const second = kind === "KafkaOffsetReset" ? "STRATEGY" : "OPERATION"
      assert.deepStrictEqual(titles.trim().split(/ {2,}/), [
        "NAME",
        "PHASE",
        second,
        "RESET",
        "SKIPPED",
        "SNAPSHOT",
        "AGE"
      ])
    })
  })
})
