import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse } from "yaml"
import * as Crd from "../../src/resource/Crd.ts"
import { inspect } from "../../src/resource/Inspection.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as Problem from "../../src/resource/Problem.ts"
import type { StructuralSchema } from "../../src/resource/StructuralSchema.ts"
import * as Next from "../../src/status/Next.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { type BadManifest, badManifests } from "../resource/badManifests.ts"
import { goodManifests } from "../resource/goodManifests.ts"
import { changed, fullSpec, manifest, put } from "../resource/manifests.ts"
import { backupSamples } from "../resource/samples.ts"
import * as Facts from "../status/facts.ts"
import * as Refusals from "./refusals.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const crdFile = `${root}crds/kafkabackup.yaml`

/** Where the full sample and the tests' manifests live. */
const namespace = "kafka-backup"

/** On the namespace that these tests made: what is in another one is somebody's, and they delete what they find. */
const madeForTests = "kafka.oso.sh/made-for-tests"

/** Anything of the API, as JSON. */
interface Json {
  readonly [key: string]: any
}

/**
 * Mistakes that no rule of the definition can see: they take a calendar, or the table of time zones. The operator
 * reports them.
 */
const forTheOperator = new Set([
  "a range that runs backwards",
  "a date that no month has",
  "a step beyond the field",
  "an unknown zone",
  "a drill on a date that no month has",
  "a drill in an unknown zone"
])

/** The problems that the project's own check finds in a bad manifest. */
const ownWords = ({ manifest }: BadManifest): string => {
  const result = ManifestParser.fromJson(manifest)
  return Result.isFailure(result) ? (result.failure.problems[0]?.message ?? "") : ""
}

const ruleMessages = Refusals.ruleMessages(Crd.crd())

/** Refusals outside of the spec, by kubectl itself or by the API server for every kind. */
const frame: Readonly<Record<string, RegExp>> = {
  nothing: /no objects passed to apply/,
  "a list of resources": /invalid object to validate/,
  "kind List": /no objects passed to apply/,
  "another kind": /no matches for kind "KafkaTopic"/,
  "no kind": /kind not set/,
  "another version": /no matches for kind "KafkaBackup" in version "kafka.oso.sh\/v1"/,
  "no metadata": /resource name may not be empty/,
  "no name": /resource name may not be empty/,
  "a number as name": /cannot unmarshal number .*metadata\.name/,
  "a name with capitals": /metadata\.name: Invalid value: .*RFC 1123 subdomain/,
  "a boolean annotation": /cannot unmarshal bool .*metadata\.annotations/,
  "labels as a list": /cannot unmarshal array .*metadata\.labels/,
  "no spec": /spec: Required value/,
  "spec as text": /\.spec: expected map/,
  "a misspelt section": /\.sepc: field not declared in schema/,
  "topics outside of spec": /\.topics: field not declared in schema/
}

/** A second message that the API server cannot hold back, by mistake: it follows from the first. */
const consequences: Readonly<Record<string, ReadonlyArray<string>>> = {
  "a negative quantity": ["requests.cpu must not exceed limits.cpu"]
}

const inFrame = badManifests.filter(({ mistake }) => mistake in frame)
const inSpec = badManifests.filter((row) => !inFrame.includes(row))
/** Values of a wrong type that we answer by a rule. The API server looks at types first, and at no rule then. */
const ofWrongType = new Set(["a number", "a number of days"])

const isRule = (row: BadManifest) =>
  !ofWrongType.has(row.mistake) &&
  (ruleMessages.has(ownWords(row)) || ruleMessages.has(`${row.field} ${ownWords(row)}`))

describeWith("apiserver", "the CustomResourceDefinition on an API server", ({ apiserver }) => {
  const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(apiserver, args)
  const apply = (json: unknown, ...args: ReadonlyArray<string>) =>
    Kubectl.run(
      apiserver,
      ["apply", "--server-side", `--namespace=${namespace}`, ...args, "-f", "-"],
      JSON.stringify(json)
    )
  const get = async (name: string): Promise<Json> =>
    JSON.parse(await kubectl("get", "kafkabackup", name, `--namespace=${namespace}`, "-o", "json"))

  let api: Kubectl.Proxy
  const openApi = () => `${api.address}/openapi/v3/apis/kafka.oso.sh/v1alpha1`

  beforeAll(async () => {
    await kubectl("apply", "--server-side", "--force-conflicts", "-f", crdFile)
    // A definition has no conditions at all in its first moments, which kubectl wait takes for an error.
    while ((await Kubectl.run(apiserver, ["get", "kafkabackups"])).code !== 0)
      await new Promise((resolve) => setTimeout(resolve, 200))
    const there = await Kubectl.run(apiserver, ["get", "namespace", namespace, "-o", "json"])
    if (there.code === 0 && JSON.parse(there.stdout).metadata.labels?.[madeForTests] === undefined) {
      throw new Error(`namespace ${namespace} of this cluster is not these tests': they would delete its KafkaBackups`)
    }
    const metadata = { name: namespace, labels: { [madeForTests]: "true" } }
    const { code, stderr } = await apply({ apiVersion: "v1", kind: "Namespace", metadata })
    assert.strictEqual(code, 0, stderr)
    api = await Kubectl.proxy(apiserver)
    // The schema reaches clients a moment after the definition is established; without it `kubectl explain` knows
    // nothing.
    while (!(await fetch(openApi())).ok) await new Promise((resolve) => setTimeout(resolve, 200))
  })

  afterAll(async () => {
    if (api === undefined) return
    await Kubectl.run(apiserver, ["delete", "kafkabackups", "--all", `--namespace=${namespace}`, "--wait=false"])
    await api.stop()
  })

  /** Asks the API server to take `body`, strictly and without keeping it. */
  const post = async (body: unknown): Promise<{ readonly status: number; readonly answer: Json }> => {
    const place = `/apis/kafka.oso.sh/v1alpha1/namespaces/${namespace}/kafkabackups`
    const response = await fetch(`${api.address}${place}?dryRun=All&fieldValidation=Strict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    return { status: response.status, answer: (await response.json()) as Json }
  }

  describe("is accepted", () => {
    it("without a complaint among its conditions", async () => {
      const crd: Json = JSON.parse(await kubectl("get", "-f", crdFile, "-o", "json"))
      const conditions = Object.fromEntries(
        crd["status"].conditions.map(({ status, type }: Json) => [type, status])
      ) as Record<string, string>
      assert.strictEqual(conditions["Established"], "True")
      assert.strictEqual(conditions["NamesAccepted"], "True")
      assert.notProperty(conditions, "NonStructuralSchema")
      assert.notProperty(conditions, "KubernetesAPIApprovalPolicyConformant")
      assert.deepStrictEqual(
        Object.keys(conditions).filter((type) => conditions[type] !== "True" && type !== "Terminating"),
        []
      )
    })

    it("as written: nothing is pruned from the schema, and applying it again changes nothing", async () => {
      const crd: Json = JSON.parse(await kubectl("get", "-f", crdFile, "-o", "json"))
      const written = parse(readFileSync(crdFile, "utf8"))
      assert.deepStrictEqual(crd["spec"].versions[0].schema, written.spec.versions[0].schema)
      const generation = crd["metadata"].generation
      await kubectl("apply", "--server-side", "-f", crdFile)
      const again: Json = JSON.parse(await kubectl("get", "-f", crdFile, "-o", "json"))
      assert.strictEqual(again["metadata"].generation, generation)
    })

    it("by plain `kubectl apply` too, which keeps a copy in an annotation", async () => {
      await kubectl("apply", "--dry-run=server", "-f", crdFile)
    })
  })

  describe("the samples", () => {
    it.each(backupSamples)(
      "$name applies as it is, and gets the defaults that we would give",
      async ({ file, text }) => {
        const sample = parse(text)
        const args = ["--validate=strict", `--namespace=${namespace}`, "-f", file]
        const stored: Json = JSON.parse(await kubectl("apply", "--server-side", "-o", "json", ...args))
        assert.deepStrictEqual(stored["spec"], inspect(Crd.spec(), sample.spec, "spec").completed)
        assert.deepStrictEqual(
          Result.getOrThrow(ManifestParser.fromServer(stored)).spec,
          Result.getOrThrow(ManifestParser.parse(text)).spec
        )
      }
    )

    it("are found under every name that was promised", async () => {
      for (const word of ["kafkabackup", "kafkabackups", "kb", "kafka-backup"]) {
        assert.include(await kubectl("get", word, `--namespace=${namespace}`), "simple-backup", word)
      }
    })
  })

  describe("a manifest with a mistake", () => {
    it("is in the table often enough, and most by our own rules", () => {
      assert.isAtLeast(inSpec.length, 120)
      assert.isAtLeast(inSpec.filter(isRule).length, 80)
      const mistakes = badManifests.map(({ mistake }) => mistake)
      for (const mistake of [...forTheOperator, ...ofWrongType, ...Object.keys(frame)])
        assert.include(mistakes, mistake)
    })

    it.each(inSpec.filter((row) => !forTheOperator.has(row.mistake) && isRule(row)))(
      "is refused in our words: $mistake in $field",
      async (row) => {
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
      }
    )

    it.each(inSpec.filter((row) => !forTheOperator.has(row.mistake) && !isRule(row)))(
      "is refused in the API server's words: $mistake in $field",
      async (row) => {
        const { answer, status } = await post(row.manifest)
        assert.include([400, 422], status, JSON.stringify(answer))
        const words = ofWrongType.has(row.mistake) ? /must be of type string/u : Refusals.serversWords(ownWords(row))
        assert.match(answer["message"], words, ownWords(row))
        assert.include(answer["message"], Refusals.serversPath(row.field))
      }
    )

    it.each(inFrame)("is refused around the spec: $mistake", async ({ manifest, mistake }) => {
      const { code, stderr } = await apply(manifest, "--dry-run=server")
      assert.strictEqual(code, 1, stderr)
      assert.match(stderr, frame[mistake]!)
    })

    it.each(badManifests.filter(({ mistake }) => forTheOperator.has(mistake)))(
      "is for the operator alone to find: $mistake",
      async (row) => {
        const { answer, status } = await post(put(row.manifest, ["metadata", "name"], "calendar"))
        assert.strictEqual(status, 201, answer["message"])
        assert.isTrue(Result.isFailure(ManifestParser.fromServer(row.manifest)))
      }
    )

    it("without anything in its spec names the three blocks that a backup needs, with what to write", async () => {
      const { answer, status } = await post(manifest({}))
      assert.strictEqual(status, 422)
      const causes: ReadonlyArray<Json> = answer["details"].causes
      assert.sameMembers(
        causes.map(({ field }) => field),
        ["spec.kafkaCluster", "spec.storage", "spec.topics"]
      )
      for (const { message } of causes) assert.match(message, /^Required value: a backup needs /)
    })

    it("shows its reader the field and the message, and nothing else", async () => {
      const { code, stderr } = await apply(changed(["storage.s3.endpoint", "minio:9000"]), "--dry-run=server")
      assert.strictEqual(code, 1)
      assert.match(
        stderr,
        /"production-backup" is invalid: spec\.storage\.s3\.endpoint: Invalid value: .*must start with/
      )
      assert.lengthOf(stderr.trim().split("\n"), 1)
    })
  })

  describe("a manifest that only looks odd", () => {
    it.each(goodManifests)("is accepted: $oddity in $path", async ({ manifest }) => {
      const { answer, status } = await post(put(manifest, ["metadata", "name"], "odd"))
      assert.strictEqual(status, 201, answer["message"])
    })
  })

  describe("an object at its bounds", () => {
    const node = (path: string): StructuralSchema =>
      path.split(".").reduce((tree: StructuralSchema, name) => (tree.items ?? tree).properties![name]!, Crd.spec())
    const letters = (path: string): string => "a".repeat(node(path).maxLength!)
    const most = (path: string): number => node(path).maximum ?? Number.MAX_SAFE_INTEGER
    const name253 = `${"a".repeat(63)}.`.repeat(3) + "a".repeat(61)
    const keys = (count: number, value: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name253}/${String(n).padStart(63, "k")}`, value]))
    const s3 = "storage.s3"
    const cluster = "kafkaCluster"
    /** A block that names a Secret, with the longest name and keys. */
    const secret = (path: string) =>
      Object.fromEntries(
        Object.keys(node(path).properties!)
          // The user name itself excludes a key for it.
          .filter((key) => key !== "mechanism" && key !== "usernameKey")
          .map((key) => [key, key === "name" ? name253 : letters(`${path}.${key}`)])
      )
    /** All such blocks of `path`. */
    const secrets = (path: string) =>
      Object.fromEntries(
        Object.keys(node(path).properties!)
          .filter((key) => key.endsWith("Secret"))
          .map((key) => [key, secret(`${path}.${key}`)])
      )

    const accepted = async (body: Json) => {
      assert.deepStrictEqual(
        Result.match(ManifestParser.fromJson(body), {
          onFailure: ({ problems }) => problems.map(Problem.format),
          onSuccess: () => []
        }),
        []
      )
      const { answer, status } = await post(body)
      assert.strictEqual(status, 201, String(answer["message"]).slice(0, 2_000))
    }

    it.each(["topics", "excludeTopics"])("is accepted: the longest list of the longest names in %s", async (field) => {
      const { items, maxItems } = node(field)
      const names = Array.from({ length: maxItems! }, (_, n) => String(n).padStart(items!.maxLength!, "t"))
      await accepted({ ...changed([field, names]), metadata: { name: "n".repeat(200), namespace } })
    })

    it("is accepted: every other text, number, list and map at its longest", async () => {
      const hosts = Array.from(
        { length: node(`${cluster}.bootstrapServers`).maxItems! },
        (_, n) => `${String(n).padStart(255, "k")}:65535`
      )
      const full = fullSpec()
      await accepted({
        ...manifest(),
        metadata: { name: "n".repeat(200), namespace },
        spec: {
          ...full,
          schedule: `${"00,".repeat(82)}00 * * * *`,
          startingDeadlineSeconds: most("startingDeadlineSeconds"),
          kafkaCluster: {
            ...full.kafkaCluster,
            bootstrapServers: hosts,
            tlsSecret: secret(`${cluster}.tlsSecret`),
            saslSecret: { ...secret(`${cluster}.saslSecret`), mechanism: "PLAIN" }
          },
          storage: {
            storageType: "s3",
            s3: {
              bucket: letters(`${s3}.bucket`),
              region: letters(`${s3}.region`),
              prefix: letters(`${s3}.prefix`),
              endpoint: "https://".padEnd(node(`${s3}.endpoint`).maxLength!, "h"),
              ...secrets(s3)
            },
            azure: {
              accountName: letters("storage.azure.accountName"),
              container: letters("storage.azure.container"),
              prefix: letters("storage.azure.prefix"),
              endpoint: "https://".padEnd(node("storage.azure.endpoint").maxLength!, "h"),
              servicePrincipalSecret: secret("storage.azure.servicePrincipalSecret")
            },
            gcs: {
              bucket: `${"b".repeat(63)}.`.repeat(3) + "b".repeat(30),
              prefix: letters("storage.gcs.prefix"),
              ...secrets("storage.gcs")
            },
            pvc: { claimName: name253, subPath: letters("storage.pvc.subPath") }
          },
          compressionLevel: 22,
          sourceClusterId: letters("sourceClusterId"),
          checkpointIntervalSecs: most("checkpointIntervalSecs"),
          retention: {
            backups: most("retention.backups"),
            maxAge: "999999d".repeat(2) + "99999h",
            keep: Object.fromEntries(
              ["hourly", "daily", "weekly", "monthly", "yearly"].map((period) => [
                period,
                most(`retention.keep.${period}`)
              ])
            )
          },
          rateLimit: {
            bytesPerSecond: most("rateLimit.bytesPerSecond"),
            recordsPerSecond: most("rateLimit.recordsPerSecond")
          },
          circuitBreaker: {
            enabled: true,
            failureThreshold: most("circuitBreaker.failureThreshold"),
            resetTimeoutSecs: most("circuitBreaker.resetTimeoutSecs")
          },
          resources: { limits: keys(node("resources.limits").maxProperties!, "9007199254740991") },
          job: {
            backoffLimit: most("job.backoffLimit"),
            activeDeadlineSeconds: most("job.activeDeadlineSeconds"),
            startDeadlineSeconds: most("job.startDeadlineSeconds"),
            ttlSecondsAfterFinished: most("job.ttlSecondsAfterFinished")
          },
          podTemplate: {
            ...full.podTemplate,
            annotations: keys(node("podTemplate.annotations").maxProperties!, "v".repeat(16_384)),
            labels: keys(node("podTemplate.labels").maxProperties!, "v".repeat(63)),
            nodeSelector: keys(node("podTemplate.nodeSelector").maxProperties!, "v".repeat(63)),
            tolerations: Array.from({ length: node("podTemplate.tolerations").maxItems! }, () => ({
              key: `${name253}/${"k".repeat(63)}`,
              operator: "Equal",
              value: letters("podTemplate.tolerations.value"),
              effect: "NoExecute",
              tolerationSeconds: Number.MAX_SAFE_INTEGER
            })),
            env: Array.from({ length: node("podTemplate.env").maxItems! }, (_, n) => ({
              name: `AWS_${n}_`.padEnd(letters("podTemplate.env.name").length, "A"),
              value: letters("podTemplate.env.value")
            })),
            hostAliases: Array.from({ length: node("podTemplate.hostAliases").maxItems! }, () => ({
              ip: "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
              hostnames: Array(node("podTemplate.hostAliases.hostnames").maxItems!).fill(name253)
            })),
            serviceAccountName: name253,
            priorityClassName: name253,
            imagePullSecrets: Array.from({ length: node("podTemplate.imagePullSecrets").maxItems! }, () => ({
              name: name253
            }))
          }
        }
      })
    })
  })

  describe("kubectl explain", () => {
    const flat = (text: string) => text.replaceAll(/\s+/g, " ")

    /** All fields below a node, in the order and depth that kubectl prints them. */
    const fields = (tree: StructuralSchema, depth = 1): ReadonlyArray<string> =>
      Object.entries(tree.properties ?? tree.items?.properties ?? {})
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, child]) => [`${"  ".repeat(depth)}${name}`, ...fields(child, depth + 1)])

    it("prints every field of the spec", async () => {
      const printed = await kubectl("explain", "kafkabackup.spec", "--recursive")
      const lines = printed.split("\n").flatMap((line) => /^( {2,}[A-Za-z]\w*)\t/.exec(line)?.[1] ?? [])
      assert.deepStrictEqual(lines, fields(Crd.spec()))
    })

    it.each(["kafkabackup.spec.storage.s3", "kafkabackup.spec.kafkaCluster", "kafkabackup.spec", "kafkabackup.status"])(
      "%s says what each field means",
      async (place) => {
        const printed = flat(await kubectl("explain", place))
        const [, section = "", ...path] = place.split(".")
        const tree = path.reduce(
          (node, name) => node.properties![name]!,
          section === "spec" ? Crd.spec() : Crd.status()
        )
        for (const [name, { description }] of Object.entries(tree.properties!)) {
          assert.include(printed, flat(description!), name)
        }
      }
    )

    it("has a description for every field, as published to clients", async () => {
      const response = await fetch(openApi())
      const document = (await response.json()) as Json
      const published: Json = document["components"].schemas["sh.oso.kafka.v1alpha1.KafkaBackup"].properties
      const bare: Array<string> = []
      const visit = (node: Json, path: string): void => {
        if (!((node["description"] ?? "") as string)) bare.push(path)
        for (const [name, child] of Object.entries(node["properties"] ?? {})) visit(child as Json, `${path}.${name}`)
        if (node["items"]) visit(node["items"], `${path}[]`)
      }
      visit(published["spec"], "spec")
      visit(published["status"], "status")
      assert.deepStrictEqual(bare, [])
    })
  })

  describe("the status", () => {
    const aBackup = (name: string, more: Json = {}) => ({
      ...manifest(),
      metadata: { name, namespace },
      ...more
    })
    const status = {
      phase: "Completed",
      lastBackupTime: new Date(Date.now() - 5 * 60_000).toISOString().replace(/\.\d+Z$/, "Z"),
      lastBackupRecords: 1234,
      lastBackupSize: 1_073_741_824,
      lastBackupSizeText: "1.07 GB",
      nextScheduledTime: "2124-12-01T13:00:00Z"
    }
    const patchStatus = (name: string, body: Json) =>
      kubectl(
        "patch",
        "kafkabackup",
        name,
        `--namespace=${namespace}`,
        "--subresource=status",
        "--type=merge",
        `--patch=${JSON.stringify(body)}`
      )

    it("in a plain apply is ignored", async () => {
      const { code, stderr } = await apply(aBackup("with-status", { status: { phase: "Failed" } }))
      assert.strictEqual(code, 0, stderr)
      assert.notProperty(await get("with-status"), "status")
    })

    it("is written through its subresource, which leaves the spec and its generation as they are", async () => {
      await apply(aBackup("isolated"))
      await patchStatus("isolated", { status, spec: { suspend: true, compression: "none" } })
      const stored = await get("isolated")
      assert.strictEqual(stored["status"].phase, "Completed")
      assert.deepStrictEqual(
        [stored["spec"].suspend, stored["spec"].compression, stored["metadata"].generation],
        [false, "zstd", 1]
      )
      await apply(aBackup("isolated", { status: { phase: "Failed" } }))
      assert.deepStrictEqual((await get("isolated"))["status"], status)
    })

    it("is taken and kept as the operator makes it, when much has happened", async () => {
      const busy = Next.next(
        {},
        Facts.hourly({
          active: Facts.running("14:00"),
          ended: [
            Facts.succeeded("12:00", { notes: ["a gap"] }),
            Facts.failed("13:00", { message: "x".repeat(40_000) })
          ],
          skipped: [Facts.overlapping("11:00")],
          maintenance: [Facts.pruned()],
          catalogue: Facts.catalogue("12:00", "10:00"),
          refusedTrigger: "too long",
          memory: {
            observedSchedule: "0 * * * * in UTC",
            sinceMillis: Facts.at("06:30"),
            lastSlotMillis: Facts.at("14:00"),
            skippedSlots: 1,
            handledTrigger: "1",
            pendingTrigger: { token: "2", firstSeenMillis: Facts.at("14:01") }
          }
        }),
        Facts.at("14:02")
      )
      await apply(aBackup("busy"))
      await patchStatus("busy", { status: busy })
      assert.deepStrictEqual((await get("busy"))["status"], busy)
    })

    it("shows in the columns of `kubectl get`", async () => {
      await apply(aBackup("columns"))
      await patchStatus("columns", {
        status: {
          ...status,
          lastBackupDuration: "1m30s",
          nextText: "2124-12-01T13:00:00Z",
          storedSizeText: "7.5 GB",
          location: "s3://backups/hourly",
          conditions: [
            {
              type: "Ready",
              status: "True",
              reason: "BackupScheduled",
              message: "All is well",
              lastTransitionTime: "2024-12-01T12:00:00Z"
            },
            {
              type: "SetsIntact",
              status: "False",
              reason: "BackupsDamaged",
              message: "1 backup is known to be damaged.",
              lastTransitionTime: "2024-12-01T12:00:00Z"
            },
            {
              type: "Restorable",
              status: "Unknown",
              reason: "DrillOverdue",
              message: "No drill has passed.",
              lastTransitionTime: "2024-12-01T12:00:00Z"
            }
          ]
        }
      })
      const table = async (...args: ReadonlyArray<string>) => {
        const printed = await kubectl("get", "kafkabackups", "columns", `--namespace=${namespace}`, ...args)
        return printed
          .trim()
          .split("\n")
          .map((line) => line.trim().split(/\s{2,}/))
      }
      const [titles, row] = await table()
      assert.deepStrictEqual(titles, [
        "NAME",
        "SCHEDULE",
        "PHASE",
        "READY",
        "INTACT",
        "LAST SUCCESS",
        "RECORDS",
        "SIZE",
        "NEXT",
        "AGE"
      ])
      assert.deepStrictEqual(row?.slice(0, 5), ["columns", "0 * * * *", "Completed", "True", "False"])
      assert.match(row?.[5] ?? "", /^\d+m\d*s?$/)
      assert.deepStrictEqual(row?.slice(6, 9), ["1234", "1.07 GB", "2124-12-01T13:00:00Z"])
      const [wideTitles, wideRow] = await table("-o", "wide")
      assert.deepStrictEqual(wideTitles?.slice(10), [
        "SUSPENDED",
        "DURATION",
        "RESTORABLE",
        "STORED",
        "LOCATION",
        "MESSAGE"
      ])
      assert.deepStrictEqual(wideRow?.slice(10), [
        "false",
        "1m30s",
        "Unknown",
        "7.5 GB",
        "s3://backups/hourly",
        "All is well"
      ])
    })
  })
})
