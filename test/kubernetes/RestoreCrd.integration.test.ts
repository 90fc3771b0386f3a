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
import type { BadManifest } from "../resource/badManifests.ts"
import { badRestores, sharedMistakes } from "../resource/badRestores.ts"
import { changed, manifest } from "../resource/restoreManifests.ts"
import { restoreSamples } from "../resource/samples.ts"
import * as Refusals from "./refusals.ts"

const crdFile = fileURLToPath(new URL("../../crds/kafkarestore.yaml", import.meta.url))

/** Where the tests' manifests live. */
const namespace = "kafka-restore"

/** On the namespace that these tests made: what is in another one is somebody's, and they delete what they find. */
const madeForTests = "kafka.oso.sh/made-for-tests"

/** Anything of the API, as JSON. */
interface Json {
  readonly [key: string]: any
}

/** The problems that the project's own check finds in a bad manifest. */
const ownWords = ({ manifest }: BadManifest): string => {
  const result = KafkaRestore.fromJson(manifest)
  return Result.isFailure(result) ? (result.failure.problems[0]?.message ?? "") : ""
}

/** Refusals outside of the spec, by kubectl itself or by the API server for every kind. */
const frame: Readonly<Record<string, RegExp>> = {
  nothing: /no objects passed to apply/,
  "a list of resources": /invalid object to validate/,
  "kind List": /no objects passed to apply/,
  "the kind of backups": /\.spec\.\w+: field not declared in schema/,
  "no kind": /kind not set/,
  "another version": /no matches for kind "KafkaRestore" in version "kafka.oso.sh\/v1"/,
  "no metadata": /resource name may not be empty/,
  "no name": /resource name may not be empty/,
  "a number as name": /cannot unmarshal number .*metadata\.name/,
  "a name with capitals": /metadata\.name: Invalid value: .*RFC 1123 subdomain/,
  "no spec": /spec: Required value/,
  "spec as text": /\.spec: expected map/,
  "a misspelt section": /\.sepc: field not declared in schema/,
  "the backup outside of spec": /\.backupId: field not declared in schema/
}

/** A second message that the API server cannot hold back, by mistake: it follows from the first. */
const consequences: Readonly<Record<string, ReadonlyArray<string>>> = {
  "a negative quantity": ["requests.cpu must not exceed limits.cpu"]
}

const ruleMessages = Refusals.ruleMessages(RestoreCrd.crd())
/** Values of another type: the API server says so in its own words, and then leaves the rules of the field out. */
const ofAnotherType = new Set(["a hold as a number"])
const isRule = (row: BadManifest) =>
  !ofAnotherType.has(row.mistake) &&
  (ruleMessages.has(ownWords(row)) || ruleMessages.has(`${row.field} ${ownWords(row)}`))
const inFrame = badRestores.filter(({ mistake }) => mistake in frame)
const inSpec = [...badRestores.filter((row) => !inFrame.includes(row)), ...sharedMistakes]

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
    const there = await Kubectl.run(apiserver, ["get", "namespace", namespace, "-o", "json"])
    if (there.code === 0 && JSON.parse(there.stdout).metadata.labels?.[madeForTests] === undefined) {
      throw new Error(`namespace ${namespace} of this cluster is not these tests': they would delete its KafkaRestores`)
    }
    const metadata = { name: namespace, labels: { [madeForTests]: "true" } }
    await Kubectl.succeed(
      apiserver,
      ["apply", "--server-side", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata })
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
        assert.deepStrictEqual(stored["spec"], inspect(RestoreCrd.spec(), parse(text).spec, "spec").completed)
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

  describe("a manifest with a mistake", () => {
    const post = (body: unknown) => request("POST", `${place}?dryRun=All&fieldValidation=Strict`, body)

    it("is in the table often enough, and most by our own rules", () => {
      assert.isAtLeast(badRestores.length, 60)
      assert.isAtLeast(inSpec.filter(isRule).length, 100)
      const mistakes = inFrame.map(({ mistake }) => mistake)
      assert.sameMembers(mistakes, Object.keys(frame))
    })

    it.each(inSpec.filter(isRule))("is refused in our words: $mistake in $field", async (row) => {
      const { answer, status } = await post(row.manifest)
      assert.strictEqual(status, 422, JSON.stringify(answer))
      const causes: ReadonlyArray<Json> = answer["details"].causes
      const blamed = causes.filter(({ message }) => message.includes(ownWords(row)))
      assert.lengthOf(blamed, 1, answer["message"])
      // A rule at the root has no field to blame.
      if (row.field !== "metadata.name") assert.strictEqual(blamed[0]!["field"], row.field)
      const others = causes.filter((cause) => cause !== blamed[0])
      const expected = consequences[row.mistake] ?? []
      assert.lengthOf(others, expected.length, answer["message"])
      for (const [index, text] of expected.entries()) assert.include(others[index]!["message"], text)
    })

    it.each(inSpec.filter((row) => !isRule(row)))(
      "is refused in the API server's words: $mistake in $field",
      async (row) => {
        const { answer, status } = await post(row.manifest)
        assert.include([400, 422], status, JSON.stringify(answer))
        assert.match(answer["message"], Refusals.serversWords(ownWords(row)), ownWords(row))
        assert.include(answer["message"], Refusals.serversPath(row.field))
      }
    )

    it.each(inFrame)("is refused around the spec: $mistake", async ({ manifest: given, mistake }) => {
      const args = ["apply", "--server-side", "--dry-run=server", "-f", "-"]
      const { code, stderr } = await Kubectl.run(apiserver, args, JSON.stringify(given))
      assert.strictEqual(code, 1, stderr)
      assert.match(stderr, frame[mistake]!)
    })

    it("without anything in its spec names what a restore needs, with what to write", async () => {
      const { answer, status } = await post(manifest({}))
      assert.strictEqual(status, 422)
      const causes: ReadonlyArray<Json> = answer["details"].causes
      assert.sameMembers(
        causes.map(({ field }) => field),
        ["spec.backupId", "spec.storage", "spec.targetCluster"]
      )
      for (const { message } of causes) assert.match(message, /^Required value: a restore needs /)
    })
  })

  describe("a restore at its bounds", () => {
    const long = (letter: string) => (n: number) => String(n).padStart(249, letter)
    const names = (letter: string) => Array.from({ length: 10_000 }, (_, n) => long(letter)(n))
    const entries = Array.from({ length: 1000 }, (_, n) => [long("a")(n), long("b")(n)] as const)

    it.each([
      ["topics", names("t")],
      ["excludeTopics", names("t")],
      ["topicMapping", Object.fromEntries(entries)]
    ])("is accepted: the longest names, and as many as there may be, in %s", async (field, value) => {
      const body = { ...changed([field, value]), metadata: { name: "n".repeat(200), namespace } }
      assert.isTrue(Result.isSuccess(KafkaRestore.fromJson(body)))
      const { answer, status } = await request("POST", `${place}?dryRun=All&fieldValidation=Strict`, body)
      assert.strictEqual(status, 201, String(answer["message"]).slice(0, 2_000))
    })
  })

  describe("kubectl", () => {
    const flat = (text: string) => text.replaceAll(/\s+/g, " ")

    it.each(["kafkarestore.spec", "kafkarestore.spec.job", "kafkarestore.status", "kafkarestore.status.progress"])(
      "explain %s says what each field means",
      async (field) => {
        const printed = flat(await kubectl("explain", field))
        const [, section, ...path] = field.split(".")
        const tree = path.reduce(
          (node, name) => node.properties![name]!,
          section === "spec" ? RestoreCrd.spec() : RestoreCrd.status()
        )
        for (const [name, { description }] of Object.entries(tree.properties!)) {
          assert.include(printed, flat(description!), name)
        }
      }
    )

    it("explain names the cluster and the pod as those of a restore", async () => {
      for (const field of ["targetCluster", "podTemplate", "resources", "job"]) {
        const printed = flat(await kubectl("explain", `kafkarestore.spec.${field}`))
        assert.notMatch(printed, /to back up|runs (a|the) backup|one backup/, field)
      }
    })

    it("get shows the restore at a glance", async () => {
      const name = "glance"
      assert.strictEqual((await create(name, manifest())).status, 201)
      const at = "2026-03-01T02:00:00Z"
      const status = {
        phase: "Running",
        resolved: { backupId: "shop-20260301-020000" },
        progress: { percent: 42, records: 12_345, partitionsDone: 1, partitionsTotal: 3, updatedTime: at },
        restoredRecords: 12_345,
        conditions: [
          { type: "Ready", status: "False", reason: "Restoring", message: "12,345 records.", lastTransitionTime: at },
          { type: "Verified", status: "Unknown", reason: "Restoring", message: "Not yet.", lastTransitionTime: at }
        ]
      }
      const written = await patch(`${name}/status`, { status })
      assert.strictEqual(written.status, 200, written.answer["message"])
      const get = (...args: ReadonlyArray<string>) =>
        kubectl("get", "kr", name, `--namespace=${namespace}`, ...args).then((text) =>
          text.split("\n").map((line) => line.trim().split(/ {2,}/))
        )
      const [titles, row] = await get()
      assert.deepStrictEqual(titles, ["NAME", "PHASE", "BACKUP", "PROGRESS", "RECORDS", "VERIFIED", "AGE"])
      assert.deepStrictEqual(row!.slice(0, 6), [name, "Running", "shop-20260301-020000", "42", "12345", "Unknown"])
      const [, wide] = await get("-o", "wide")
      assert.deepStrictEqual(wide!.slice(-2), ["false", "12,345 records."])
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
