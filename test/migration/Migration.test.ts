import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { parse, stringify } from "yaml"
import * as Migration from "../../src/migration/Migration.ts"

const backup = (spec: object, metadata: object = { name: "orders" }) =>
  stringify({ apiVersion: "kafka.oso.sh/v1alpha1", kind: "KafkaBackup", metadata, spec })
const restore = (spec: object, status?: object) =>
  stringify({ apiVersion: "kafka.oso.sh/v1alpha1", kind: "KafkaRestore", metadata: { name: "back" }, spec, status })
const once = (spec: object, status: object) => stringify({ ...parse(backup(spec)), status })

const all = (text: string) => Result.getOrThrow(Migration.convert(text))
const one = (text: string): Migration.Migrated => {
  const [only, ...others] = all(text)
  assert.deepStrictEqual(others, [])
  return only!
}
const specOf = ({ yaml }: Migration.Migrated) => (parse(yaml!) as { spec: Record<string, any> }).spec
const decisions = ({ notes }: Migration.Migrated) =>
  notes.filter(({ isDecision }) => isDecision).map(({ field }) => field)
const noted = ({ notes }: Migration.Migrated) => notes.filter(({ isDecision }) => !isDecision).map(({ field }) => field)

const cluster = { bootstrapServers: ["kafka:9092"] }
const s3 = {
  storageType: "s3",
  s3: { bucket: "backups", region: "eu-west-1", credentialsSecret: { name: "aws" } }
}
/** With a schedule: it goes on, so that nothing has to be said of what it did before. */
const plain = { schedule: "0 2 * * *", kafkaCluster: cluster, topics: ["orders"], storage: s3 }
const { schedule: _schedule, ...single } = plain

/** Ten aliases of ten aliases, and so on: a few lines that stand for millions of values. */
const aliases = Array.from({ length: 9 }, (_, level) =>
  level === 0
    ? "a0: &a0 [x]"
    : `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(", ")}]`
).join("\n")

describe("a KafkaBackup of the other operator", () => {
  it("is written out where its defaults are other ones: keys of Secrets, the type of storage", () => {
    const migrated = one(backup(plain))
    assert.deepStrictEqual(migrated.problems, [])
    assert.deepStrictEqual(migrated.notes, [])
    assert.deepStrictEqual(specOf(migrated)["storage"], {
      storageType: "s3",
      s3: {
        bucket: "backups",
        region: "eu-west-1",
        credentialsSecret: {
          name: "aws",
          accessKeyKey: "AWS_ACCESS_KEY_ID",
          secretKeyKey: "AWS_SECRET_ACCESS_KEY"
        }
      }
    })
    for (const [pathStyle, addressingStyle] of [
      [true, "path"],
      [false, "virtual"]
    ] as const) {
      const { storage } = specOf(one(backup({ ...plain, storage: { ...s3, s3: { ...s3.s3, pathStyle } } })))
      assert.strictEqual(storage["s3"]["addressingStyle"], addressingStyle)
    }
    const gcs = { gcs: { bucket: "backups", credentialsSecret: { name: "g" } }, storageType: "gcs" }
    assert.deepStrictEqual(specOf(one(backup({ ...plain, storage: gcs })))["storage"]["gcs"]["credentialsSecret"], {
      name: "g",
      key: "SERVICE_ACCOUNT_JSON"
    })
    const claim = one(backup({ ...plain, storage: { pvc: { claimName: "c", create: { enabled: true } } } }))
    assert.deepStrictEqual(specOf(claim)["storage"], { storageType: "pvc", pvc: { claimName: "c" } })
    assert.deepStrictEqual(noted(claim), ["spec.storage.pvc.claimName", "spec.storage.pvc.create"])
  })

  it("keeps its authorities in a Secret of their own", () => {
    const kafkaCluster = { ...cluster, securityProtocol: "SSL", caSecret: { name: "ca", caKey: "root.crt" } }
    const migrated = one(backup({ ...plain, kafkaCluster }))
    assert.deepStrictEqual(migrated.problems, [])
    assert.deepStrictEqual(specOf(migrated)["kafkaCluster"]["caSecret"], { name: "ca", key: "root.crt" })
  })

  it("keeps its limits, its checkpoints and its retention under the names that they have here", () => {
    const migrated = one(
      backup({
        ...plain,
        checkpoint: { enabled: true, intervalSecs: 60 },
        rateLimiting: { bytesPerSec: 1_000_000, recordsPerSec: 0, maxConcurrentPartitions: 4 },
        circuitBreaker: { enabled: true, failureThreshold: 3, resetTimeoutSecs: 90, operationTimeoutMs: 30_000 },
        retention: { enabled: true, keepLast: 7, maxAgeDays: 30 },
        suspend: true
      })
    )
    assert.deepStrictEqual(migrated.problems, [])
    assert.deepInclude(specOf(migrated), {
      checkpointIntervalSecs: 60,
      rateLimit: { bytesPerSecond: 1_000_000 },
      circuitBreaker: { enabled: true, failureThreshold: 3, resetTimeoutSecs: 90 },
      retention: { backups: 7, maxAge: "30d" },
      suspend: true
    })
    assert.deepStrictEqual(noted(migrated), ["spec.retention.maxAgeDays"])
  })

  it("removes nothing that it did not remove before", () => {
    const off = one(backup({ ...plain, retention: { keepLast: 1 } }))
    assert.notProperty(specOf(off), "retention")
    assert.deepStrictEqual(noted(off), ["spec.retention.enabled"])
    const dry = one(backup({ ...plain, retention: { enabled: true, keepLast: 1, dryRun: true } }))
    assert.notProperty(specOf(dry), "retention")
    assert.deepStrictEqual(decisions(dry), ["spec.retention.dryRun"])
  })

  it.each([
    ["0 2 * * *", "0 2 * * *", []],
    ["0 30 2 * * *", "30 2 * * *", []],
    ["0 0 2 * * SUN *", "0 2 * * SUN", []],
    ["30 0 2 * * *", "0 2 * * *", ["spec.schedule"]],
    ["0 0 2 1 1 * 2027", "0 2 1 1 *", ["spec.schedule"]],
    ["0 2 * * 1", "0 2 * * 1", ["spec.schedule"]],
    ["0 0 2 1 * MON", "0 2 1 * MON", ["spec.schedule"]],
    ["0 0 2 ? * MON", "0 2 * * MON", []]
  ] as const)("runs by the schedule %s as %s", (before, after, toDecide) => {
    const migrated = one(backup({ ...plain, schedule: before }))
    assert.strictEqual(specOf(migrated)["schedule"], after)
    assert.deepStrictEqual(decisions(migrated), [...toDecide])
  })

  it("loses the level that the API server wrote into it where its codec has none", () => {
    const migrated = one(backup({ ...plain, compression: "none", compressionLevel: 3 }))
    assert.deepStrictEqual(migrated.problems, [])
    assert.notProperty(specOf(migrated), "compressionLevel")
    assert.strictEqual(
      specOf(one(backup({ ...plain, compression: "zstd", compressionLevel: 9 })))["compressionLevel"],
      9
    )
  })

  it("needs a decision where it ran without end, and where it has a field that nobody knows", () => {
    const migrated = one(backup({ ...plain, continuous: true, stopAtCurrentOffsets: false, retries: 3 }))
    assert.deepStrictEqual(decisions(migrated), ["spec.continuous", "spec.retries"])
    assert.deepStrictEqual(specOf(migrated)["incremental"], { enabled: true })
    assert.deepStrictEqual(one(backup({ ...plain, onMissingTopic: "fail" })).notes, [])
    assert.deepStrictEqual(decisions(one(backup({ ...plain, onMissingTopic: "warn" }))), ["spec.onMissingTopic"])
  })

  it("is told of what has no counterpart only where it is set to something else than usual", () => {
    const usual = { segmentMaxBytes: 134_217_728, pollIntervalMs: 100, consumerGroupSnapshot: false }
    assert.deepStrictEqual(one(backup({ ...plain, ...usual })).notes, [])
    const other = { segmentMaxBytes: 1_000_000, metrics: { port: 9090 } }
    assert.deepStrictEqual(noted(one(backup({ ...plain, ...other }))), ["spec.segmentMaxBytes", "spec.metrics"])
  })

  it("gives its problems as they are, with what this operator would say", () => {
    const migrated = one(backup({ ...plain, kafkaCluster: { bootstrapServers: ["http://kafka:9092"] } }))
    assert.deepStrictEqual(
      migrated.problems.map(({ field }) => field),
      ["spec.kafkaCluster.bootstrapServers[0]"]
    )
  })

  it("leaves behind what belongs to the object of the cluster", () => {
    const metadata = {
      name: "orders",
      namespace: "shop",
      uid: "u",
      resourceVersion: "7",
      labels: { team: "a" },
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" }
    }
    const { metadata: kept, status } = parse(one(backup(plain, metadata)).yaml!) as Record<string, unknown>
    assert.deepStrictEqual(kept, { name: "orders", namespace: "shop", labels: { team: "a" } })
    assert.isUndefined(status)
  })
})

describe("a KafkaRestore of the other operator", () => {
  it("names its backup, its cluster and its time as they are named here", () => {
    const migrated = one(
      restore({
        backupRef: { name: "orders", backupId: "orders-20260301-020000", storage: s3 },
        kafkaCluster: cluster,
        topics: [],
        topicMapping: { orders: "orders-old" },
        pitr: { endTimestamp: 1_772_000_000_000, startTimestamp: 1_771_000_000_000 },
        createTopics: true,
        defaultReplicationFactor: 1,
        rollback: { snapshotBeforeRestore: false },
        produceAcks: -1
      })
    )
    assert.deepStrictEqual(migrated.problems, [])
    assert.deepStrictEqual(noted(migrated), ["status.phase"])
    assert.deepInclude(specOf(migrated), {
      backupId: "orders-20260301-020000",
      targetCluster: cluster,
      topicMapping: { orders: "orders-old" },
      pitr: { timestampMillis: 1_772_000_000_000, start: "2026-02-13T16:26:40.000Z" },
      createTopics: true,
      defaultReplicationFactor: 1,
      rollback: { enabled: false }
    })
    assert.notProperty(specOf(migrated), "backupRef")
    assert.notProperty(specOf(migrated), "topics")
  })

  it("restores the newest backup of a KafkaBackup that it names alone", () => {
    const migrated = one(restore({ backupRef: { name: "orders" }, kafkaCluster: cluster }))
    assert.deepStrictEqual(migrated.problems, [])
    assert.deepStrictEqual(specOf(migrated)["backupRef"], { name: "orders" })
    assert.strictEqual(specOf(migrated)["createTopics"], false)
  })

  it("needs a decision where it would do something else with records or offsets", () => {
    const migrated = one(
      restore({
        backupRef: { name: "orders", namespace: "shop" },
        kafkaCluster: cluster,
        purgeTopics: true,
        repartitioning: { orders: { targetPartitions: 6 } },
        offsetReset: { enabled: true, consumerGroups: ["g"], strategy: "manual" }
      })
    )
    assert.sameMembers(decisions(migrated), [
      "spec.backupRef.namespace",
      "spec.purgeTopics",
      "spec.repartitioning",
      "spec.offsetReset.strategy"
    ])
  })
})

describe("a KafkaRestore of its newer versions", () => {
  const spec = { backupRef: { name: "orders" }, kafkaCluster: cluster }

  it("has nothing to decide in what their API server writes into each: headers, their check", () => {
    const defaults = { includeOriginalOffsetHeader: true, stripOffsetHeaders: false, headerPreflight: "auto" }
    const migrated = one(restore({ ...spec, ...defaults }))
    assert.deepStrictEqual(decisions(migrated), [])
    assert.deepStrictEqual(noted(migrated), ["status.phase"])
    assert.deepStrictEqual(migrated.problems, [])
    assert.isTrue(specOf(migrated)["includeOriginalOffsetHeader"])
    const other = one(restore({ ...spec, stripOffsetHeaders: true, headerPreflight: "skip" }))
    assert.deepStrictEqual(decisions(other), [])
    assert.deepStrictEqual(noted(other), ["status.phase", "spec.stripOffsetHeaders", "spec.headerPreflight"])
  })

  it("needs a decision where it set the groups of the backup, and where a mapping is none", () => {
    const groups = one(restore({ ...spec, autoConsumerGroups: true }))
    assert.deepStrictEqual(decisions(groups), ["spec.autoConsumerGroups"])
    assert.notProperty(specOf(groups), "offsetReset")
    assert.deepStrictEqual(decisions(one(restore({ ...spec, autoConsumerGroups: false }))), [])
    for (const wrong of [5, "0:1", [1], true]) {
      assert.deepStrictEqual(decisions(one(restore({ ...spec, partitionMapping: wrong }))), ["spec.partitionMapping"])
      assert.deepStrictEqual(
        one(restore({ ...spec, topicMapping: wrong })).problems.map(({ field }) => field),
        ["spec.topicMapping"]
      )
    }
    assert.deepStrictEqual(decisions(one(restore({ ...spec, partitionMapping: {}, repartitioning: {} }))), [])
  })
})

describe("what did its work once", () => {
  const toProduction = {
    backupRef: { name: "orders" },
    kafkaCluster: cluster,
    offsetReset: { enabled: true, strategy: "auto", consumerGroups: ["billing"] }
  }

  it.each(["Completed", "RolledBack"])("does not do it again: a restore that was %s is left out, in words", (phase) => {
    const migrated = one(restore(toProduction, { phase }))
    assert.isUndefined(migrated.yaml)
    assert.deepStrictEqual(migrated.problems, [])
    const [note, ...others] = migrated.notes
    assert.deepStrictEqual(others, [])
    assert.deepInclude(note, { field: "status.phase", isDecision: false })
    assert.match(note!.message, /left out, since here it would restore records and set consumer groups again/)
  })

  it.each(["Failed", "Running", "Validating", 5])("needs a decision where a restore was %s", (phase) => {
    const migrated = one(restore(toProduction, { phase }))
    assert.isString(migrated.yaml)
    assert.deepStrictEqual(decisions(migrated), ["status.phase"])
  })

  it.each([undefined, {}, { phase: "Pending" }])(
    "is said of a restore that does not say that it ended: %j",
    (status) => {
      const migrated = one(restore(toProduction, status))
      assert.isString(migrated.yaml)
      assert.deepStrictEqual(decisions(migrated), [])
      assert.deepStrictEqual(noted(migrated), ["status.phase"])
    }
  )

  it("is a backup without schedule too, unless it is suspended or runs on", () => {
    const complete = { phase: "Completed" }
    assert.isUndefined(one(once(single, complete)).yaml)
    assert.deepStrictEqual(decisions(one(once(single, { phase: "Failed" }))), ["status.phase"])
    assert.deepStrictEqual(one(once({ ...single, suspend: true }, complete)).notes, [])
    assert.isString(one(once({ ...single, continuous: true }, complete)).yaml)
    assert.deepStrictEqual(one(once(plain, complete)).notes, [])
  })

  it("is not begun by an annotation: those of the operators' group are left out, in words", () => {
    const annotations = { "kafka.oso.sh/trigger-backup": "5", "kafka.oso.sh/retry": "1", team: "a" }
    const migrated = one(backup(plain, { name: "orders", annotations }))
    assert.deepStrictEqual((parse(migrated.yaml!) as any).metadata.annotations, { team: "a" })
    assert.deepStrictEqual(noted(migrated), [
      "metadata.annotations[kafka.oso.sh/trigger-backup]",
      "metadata.annotations[kafka.oso.sh/retry]"
    ])
    assert.deepStrictEqual(
      one(backup(plain, { name: "orders", annotations: 5 })).problems.map(({ field }) => field),
      ["metadata.annotations"]
    )
  })
})

describe("what is converted", () => {
  it("is every document, and every item of what kubectl prints", () => {
    const list = stringify({ apiVersion: "v1", kind: "List", items: [parse(backup(plain)), parse(restore({}))] })
    assert.deepStrictEqual(
      all(`${list}---\n${backup(plain, { name: "other" })}`).map(({ what }) => what),
      ["KafkaBackup orders", "KafkaRestore back", "KafkaBackup other"]
    )
  })

  it("is no other kind: it is named, and nothing is written for it", () => {
    const migrated = one("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
    assert.isUndefined(migrated.yaml)
    assert.deepStrictEqual(decisions(migrated), ["kind"])
  })

  it.each([
    ["", /empty/],
    ["---\n---\nnull\n", /empty/],
    ["a: 1\n---\nb: [", /^line 3, column 5: not valid YAML: .+/],
    [aliases, /^uses more YAML aliases than a manifest needs: write the values out$/],
    [`a: 1\n---\n${aliases}`, /^uses more YAML aliases/]
  ] as const)("is a manifest: %j is not", (text, why) => {
    const answer = Result.match(Migration.convert(text), {
      onFailure: (problems) => problems.join("\n"),
      onSuccess: () => "converted"
    })
    assert.match(answer, why)
  })

  it("survives blocks of any wrong shape", () => {
    for (const wrong of [null, 1, "text", [], [{}], true, { a: 1 }]) {
      for (const text of [backup(wrong as object), restore(wrong as object)]) assert.strictEqual(all(text).length, 1)
      for (const field of [
        "kafkaCluster",
        "storage",
        "topics",
        "retention",
        "checkpoint",
        "rateLimiting",
        "schedule"
      ]) {
        const migrated = one(backup({ ...plain, [field]: wrong }))
        assert.isString(migrated.yaml, `${field} ${JSON.stringify(wrong)}`)
      }
      for (const field of ["backupRef", "pitr", "offsetReset", "rollback", "topicMapping", "partitionMapping"]) {
        assert.isString(one(restore({ [field]: wrong })).yaml)
      }
    }
  })
})
