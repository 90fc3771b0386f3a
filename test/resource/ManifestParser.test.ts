import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as Crd from "../../src/resource/Crd.ts"
import { inspect } from "../../src/resource/Inspection.ts"
import { KafkaBackupSpec } from "../../src/resource/KafkaBackupSpec.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as Problem from "../../src/resource/Problem.ts"
import { badManifests } from "./badManifests.ts"
import { goodManifests } from "./goodManifests.ts"
import { changed, fullSpec, manifest, type Path, put } from "./manifests.ts"
import { backupSamples } from "./samples.ts"

const problemsOf = (result: Result.Result<unknown, { readonly problems: ReadonlyArray<Problem.Problem> }>) =>
  Result.isFailure(result) ? result.failure.problems : []
const lines = (text: string) => problemsOf(ManifestParser.parse(text)).map(Problem.format)

describe("the samples", () => {
  it("are all seven of the documentation, one for Google Cloud, one with a drill, one for Strimzi, one for MSK", () =>
    assert.lengthOf(backupSamples, 11))

  it.each(backupSamples)("$name is a valid manifest", ({ text }) => {
    assert.deepStrictEqual(problemsOf(ManifestParser.parse(text)), [])
  })
})

describe("a manifest with a mistake", () => {
  it.each(badManifests)("$mistake: $field is blamed", ({ field, manifest, says }) => {
    const problems = problemsOf(ManifestParser.fromJson(manifest))
    const blamed = problems.filter((problem) => problem.field === field && problem.message.includes(says))
    assert.strictEqual(blamed.length, 1, problems.map(Problem.format).join("\n") || "accepted")
    assert.strictEqual(problems.length, 1, problems.map(Problem.format).join("\n"))
  })

  it("in a value is refused by the schema itself as well, wherever only the calendar does not decide", () => {
    const beyondSchema =
      /IANA database|never matches|write 22-23|step of|not a field here|did you mean (backups|nodeAffinity)|belongs to/
    const accepted = badManifests.filter(
      ({ field, manifest, says }) =>
        field.startsWith("spec.") && !beyondSchema.test(says) && Result.isSuccess(decodes((manifest as any).spec))
    )
    assert.deepStrictEqual(
      accepted.map(({ mistake }) => mistake),
      []
    )
  })
})

describe("a manifest that only looks odd", () => {
  it.each(goodManifests)("$oddity in $path is accepted", ({ manifest, path, reads }) => {
    const parsed = ManifestParser.fromJson(manifest)
    assert.deepStrictEqual(problemsOf(parsed).map(Problem.format), [])
    const spec: unknown = Result.getOrThrow(parsed).spec
    const read = path
      .split(/[.[\]]+/)
      .filter((key) => key !== "")
      .reduce<any>((value, key) => value[key], spec)
    assert.deepStrictEqual(read, reads)
  })
})

const decodes = Schema.decodeUnknownResult(KafkaBackupSpec)

describe("a manifest with many mistakes", () => {
  it("is reported with all of them at once, between fields too", () => {
    const problems = problemsOf(
      ManifestParser.fromJson(
        put(
          changed(
            ["kafkaCluster.bootstrapServers", ["kafka"]],
            ["kafkaCluster.saslSecret", undefined],
            ["topics", []],
            ["storage.azure.useWorkloadIdentity", true],
            ["storage.s3", undefined],
            ["compression", "none"],
            ["retention.backups", 0],
            ["schedule", "0 0 30 2 *"],
            ["tpyo", 1]
          ),
          ["metadata", "name"],
          "Upper"
        )
      )
    )
    assert.deepStrictEqual(problems.map(({ field }) => field).sort(), [
      "metadata.name",
      "spec.compressionLevel",
      "spec.kafkaCluster.bootstrapServers[0]",
      "spec.kafkaCluster.saslSecret",
      "spec.retention.backups",
      "spec.schedule",
      "spec.storage.azure",
      "spec.storage.s3",
      "spec.topics",
      "spec.tpyo"
    ])
  })

  it("gets a message of at most fifty lines, and all problems as data", () => {
    const result = ManifestParser.fromJson(changed(["topics", Array.from({ length: 9000 }, (_, n) => `a topic ${n}`)]))
    assert.lengthOf(problemsOf(result), 9000)
    const message = Result.isFailure(result) ? result.failure.message.split("\n") : []
    assert.lengthOf(message, 51)
    assert.strictEqual(message.at(-1), "… and 8950 more")
  })

  it("does not report what only follows from another mistake", () => {
    assert.deepStrictEqual(
      problemsOf(ManifestParser.fromJson(changed(["kafkaCluster.securityProtocol", "SASL-SSL"]))).map(
        ({ field }) => field
      ),
      ["spec.kafkaCluster.securityProtocol"]
    )
    assert.deepStrictEqual(
      problemsOf(ManifestParser.fromJson(changed(["compression", 7], ["compressionLevel", 22]))).map(
        ({ field }) => field
      ),
      ["spec.compression"]
    )
  })
})

describe("what a problem shows", () => {
  const shown = (path: string, value: unknown) => problemsOf(ManifestParser.fromJson(changed([path, value])))[0]!

  it("is the value, on one line, at most 80 characters and with nothing that moves the cursor", () => {
    assert.strictEqual(shown("topics[0]", "a\nINFO\u001b[2J\u202e").value, '"a\\u{a}INFO\\u{1b}[2J\\u{202e}"')
    assert.strictEqual(shown("storage.s3.region", "x y".repeat(20)).value, `"${"x y".repeat(20)}"`)
    assert.strictEqual(Array.from(shown("storage.s3.prefix", "/".repeat(300)).value!).length, 83)
  })

  it.each([
    ["kafkaCluster.bootstrapServers[0]", "SASL_SSL://user:hunter2@kafka:9092"],
    ["storage.s3.endpoint", "https://user:hunter2@minio:9000"],
    ["storage.s3.endpoint", "https://minio:9000/?sv=1&sig=hunter2"],
    ["storage.azure.accountName", "AccountKey=hunter2"],
    ["storage.s3.credentialsSecret.name", "hunter2/+HUNTER2"],
    ["kafkaCluster.saslSecret.usernameKey", "hunter2 hunter2"],
    ["podTemplate.imagePullSecrets[0].name", "Hunter2 hunter2"],
    ["kafkaCluster.saslSecret.password", "hunter2"],
    ["sourceClusterId", "password: hunter2\n"]
  ])("is never a secret: %s", (path, value) => {
    const problem = shown(path, value)
    assert.notInclude(Problem.format(problem).toLowerCase(), "hunter2")
  })
})

describe("a manifest's text", () => {
  const minimal = backupSamples.find(({ name }) => name === "01-simple.yaml")!.text

  it("may be JSON", () => assert.isTrue(Result.isSuccess(ManifestParser.parse(JSON.stringify(manifest())))))

  it("may begin and end with a document mark", () =>
    assert.isTrue(Result.isSuccess(ManifestParser.parse(`---\n${minimal}\n---\n`))))

  it("that is no YAML is answered with line and column, and without its content", () => {
    const [line] = lines(`${minimal}    password: hunter2\n  - broken: [\n`)
    assert.match(line!, /^line \d+, column \d+: not valid YAML/)
    assert.notInclude(line!, "hunter2")
    for (const broken of [
      "a: b\n  hunter2: c",
      "'hunter2",
      "@hunter2",
      "a: %hunter2\n\thunter2",
      "&hunter2 *hunter2",
      "a: `hunter2"
    ]) {
      assert.notInclude(lines(broken).join("\n"), "hunter2", broken)
    }
  })

  it("that names a field twice is refused where it does", () => {
    assert.match(lines(`${minimal}kind: KafkaBackup\n`)[0]!, /^line 16, column 1: .*unique/)
  })

  it("that holds several documents is refused", () =>
    assert.match(lines(`${minimal}---\n${minimal}`)[0]!, /holds 2 documents/))

  it("that holds nothing is refused", () => {
    assert.match(lines("")[0]!, /text is empty/)
    assert.match(lines("# only a comment\n---\n")[0]!, /text is empty/)
  })

  it("that expands aliases without end is refused", () => {
    const bomb = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for (let n = 1; n < 9; n++)
      bomb.push(
        `${"abcdefghi"[n]}: &${"abcdefghi"[n]} [${Array(10)
          .fill(`*${"abcdefghi"[n - 1]}`)
          .join(",")}]`
      )
    assert.match(lines(bomb.join("\n"))[0]!, /aliases/)
  })

  // Without the bound, the first of them takes the parser gigabytes, and the last minutes.
  it.each([
    ["brackets", "[".repeat(2_900_000)],
    ["braces", "{".repeat(2_900_000)],
    ["lists in one line", "- ".repeat(1_400_000)],
    ["keys without values", "? ".repeat(1_400_000)],
    ["blocks", Array.from({ length: 1_700 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("")]
  ])("that nests %s without end is refused before it is parsed", (_, text) =>
    assert.match(lines(`${minimal}${text}`)[0]!, /^the manifest is nested too deep: at most 100 blocks/)
  )

  it("that holds hundreds of thousands of entries is refused before it is parsed", () =>
    assert.match(lines(`${minimal}x: [${"a,".repeat(1_400_000)}]`)[0]!, /^the manifest has too many entries/))

  it("may hold both lists of topics at their longest, each name on its own line", () => {
    const names = (letter: string) =>
      Array.from({ length: 10_000 }, (_, n) => String(n).padStart(100, letter)).map((name) => `    - "${name}"\n`)
    const long = `${minimal}  excludeTopics:\n${names("x").join("")}`.replace(
      / {2}topics:\n( {4}- .*\n)+/,
      `  topics:\n${names("t").join("")}`
    )
    assert.lengthOf(Result.getOrThrow(ManifestParser.parse(long)).spec.topics, 10_000)
  })

  it("of more than three megabytes is refused", () =>
    assert.match(lines(`${minimal}#${" ".repeat(3 * 1024 * 1024)}`)[0]!, /too long/))
})

describe("what the API server adds", () => {
  const stored = (status: unknown) => ({
    ...manifest(),
    metadata: {
      name: "production-backup",
      namespace: "kafka-backup",
      uid: "7c1b",
      generation: 3,
      resourceVersion: "881",
      creationTimestamp: null,
      managedFields: [{ manager: "kubectl" }],
      selfLink: "/old",
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" }
    },
    status
  })

  it("is accepted, and what we use of it kept", () => {
    const backup = Result.getOrThrow(
      ManifestParser.fromJson(stored({ phase: "Completed", lastBackupTime: "2024-12-01T12:00:00Z", later: 1 }))
    )
    assert.strictEqual(backup.metadata.uid, "7c1b")
    assert.strictEqual(backup.metadata.generation, 3)
    assert.notProperty(backup.metadata, "managedFields")
    assert.strictEqual(backup.status?.phase, "Completed")
    assert.strictEqual(backup.status?.lastBackupTime?.epochMilliseconds, Date.UTC(2024, 11, 1, 12))
  })

  it("may be an unreadable status: it counts as none", () => {
    for (const status of [{ phase: "Sleeping" }, "gone", 7, null, { lastBackupTime: "yesterday" }]) {
      assert.isUndefined(Result.getOrThrow(ManifestParser.fromJson(stored(status))).status)
    }
  })

  it("may be fields of a newer definition: they are dropped, while a user's are refused", () => {
    const newer = changed(["storage.s3.accelerate", true], ["encryption", { enabled: false }])
    assert.deepStrictEqual(
      Result.getOrThrow(ManifestParser.fromServer({ ...newer, later: {} })).spec,
      Result.getOrThrow(ManifestParser.fromJson(manifest())).spec
    )
    assert.lengthOf(problemsOf(ManifestParser.fromJson(newer)), 2)
    assert.lengthOf(problemsOf(ManifestParser.fromServer(changed(["topics", []], ["later", 1]))), 1)
  })

  it("reads null as absent, and so do we: defaults are filled in, and what is required is missed", () => {
    const backup = Result.getOrThrow(
      ManifestParser.fromJson(
        changed(
          ["job", null],
          ["kafkaCluster.tlsSecret.caKey", null],
          ["retention", null],
          ["podTemplate.labels.app", null]
        )
      )
    )
    assert.notProperty(backup.spec, "retention")
    assert.deepStrictEqual(backup.spec.podTemplate?.labels, {})
    assert.deepStrictEqual(
      problemsOf(ManifestParser.fromJson(changed(["storage", null]))).map(({ field }) => field),
      ["spec.storage"]
    )
    assert.strictEqual(backup.spec.job.backoffLimit, 3)
    assert.strictEqual(backup.spec.kafkaCluster.tlsSecret?.caKey, "ca.crt")
  })
})

describe("the inspection and the schema", () => {
  const leaves = (value: unknown, path: Path = []): ReadonlyArray<Path> => [
    ...(path.length > 0 ? [path] : []),
    ...(typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, item]) =>
          leaves(item, [...path, Array.isArray(value) ? Number(key) : key])
        )
      : [])
  ]
  const places = leaves(fullSpec())
  const values: ReadonlyArray<unknown> = [
    undefined,
    "",
    "x",
    "kafka:9092",
    "s3",
    "azure",
    "none",
    "lz4",
    "PLAINTEXT",
    "SSL",
    "Exists",
    "*",
    "0 0 * * *",
    "@daily",
    "a/b",
    "a//b",
    "/",
    "A",
    "é",
    "🎉",
    "\n",
    "500m",
    "1e3",
    "-1",
    0,
    1,
    -1,
    13,
    23,
    101,
    3601,
    0.5,
    2 ** 53,
    Number.NaN,
    true,
    false,
    [],
    {},
    ["a"],
    [1],
    { a: "b" },
    { name: "x" },
    "a".repeat(64),
    "a".repeat(300),
    "x".repeat(3000)
  ]
  const Place = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: places.length - 1 }))
  const Value = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: values.length - 1 }))

  const agree = (spec: unknown) => {
    const inspection = inspect(Crd.spec(), spec, "spec")
    const decoded = decodes(spec, { onExcessProperty: "error" })
    assert.strictEqual(
      inspection.problems.length === 0,
      Result.isSuccess(decoded),
      `${inspection.problems.map(Problem.format).join("\n")} / ${Result.isFailure(decoded) ? decoded.failure.message : "decodes"}`
    )
    if (Result.isSuccess(decoded)) {
      assert.deepStrictEqual(Result.getOrThrow(decodes(inspection.completed)), decoded.success)
    }
  }

  it("agree on every place with every odd value", () => {
    for (const place of places) for (const value of values) agree(put(fullSpec(), place, value))
  })

  it.prop(
    "agree when three places are odd at once",
    [Place, Value, Place, Value, Place, Value],
    ([p, v, q, w, r, x]) => {
      const odd = [
        [p, v],
        [q, w],
        [r, x]
      ].reduce<unknown>((spec, [place, value]) => {
        try {
          return put(spec, places[place!]!, values[value!])
        } catch {
          return spec
        }
      }, fullSpec())
      agree(odd)
    }
  )
})
