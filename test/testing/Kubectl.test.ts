import { assert, describe, it } from "@effect/vitest"
import * as Description from "../../src/testing/Description.ts"
import * as HumanDuration from "../../src/status/HumanDuration.ts"
import { kafkaBackup, KubernetesError, TestOperator } from "../../src/testing/index.ts"
import * as PrinterColumns from "../../src/testing/PrinterColumns.ts"

const start = () => TestOperator.start({ at: "2026-11-25T11:50:00Z" })

const refusal = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (failure: unknown) => failure
  )
  assert.instanceOf(error, KubernetesError)
  return error.message
}

describe("kubectl apply", () => {
  it("prints what it did, and removes fields of an earlier manifest", async () => {
    await using operator = await start()
    const { apply, get } = operator.kubectl
    const suspended = kafkaBackup({ name: "b", schedule: "@hourly", suspend: true, retention: { backups: 3 } })
    assert.strictEqual(await apply(suspended), "kafkabackup.kafka.oso.sh/b created")
    assert.strictEqual(await apply(suspended), "kafkabackup.kafka.oso.sh/b unchanged")
    assert.strictEqual(
      await apply(kafkaBackup({ name: "b", schedule: "@hourly" })),
      "kafkabackup.kafka.oso.sh/b configured"
    )
    const spec = (await get("b")).spec as Readonly<Record<string, unknown>>
    assert.deepStrictEqual([spec["suspend"], spec["retention"]], [false, undefined])
  })

  it("takes YAML of several documents, Secrets too, and keeps annotations of others", async () => {
    await using operator = await start()
    const manifest = `
apiVersion: v1
kind: Secret
metadata: {name: kafka-credentials}
stringData: {username: backup, password: secret}
---
apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata: {name: sasl}
spec:
  kafkaCluster:
    bootstrapServers: ["kafka:9092"]
    securityProtocol: SASL_PLAINTEXT
    saslSecret: {name: kafka-credentials, mechanism: PLAIN}
  topics: ["*"]
  storage: {storageType: pvc, pvc: {claimName: backups}}
`
    assert.strictEqual(
      await operator.kubectl.apply(manifest),
      "secret/kafka-credentials configured\nkafkabackup.kafka.oso.sh/sasl created"
    )
    await operator.kubectl.annotate("sasl", "team", "payments")
    await operator.kubectl.apply(manifest)
    assert.strictEqual((await operator.kubectl.get("sasl")).metadata.annotations?.["team"], "payments")
    await operator.kafka.createTopic("orders", { records: 1 })
    assert.strictEqual(
      (await operator.until("sasl", ({ phase }) => phase === "Completed" || phase === "Failed")).phase,
      "Completed"
    )
  })

  it("refuses an unknown field, and suggests the right one", async () => {
    await using operator = await start()
    const { spec, ...rest } = kafkaBackup({ name: "typo" })
    const message = await refusal(operator.kubectl.apply({ ...rest, spec: { ...spec, shedule: "@hourly" } }))
    assert.include(message, "strict decoding error: spec.shedule: is not a field here; did you mean schedule?")
    assert.isFalse(await operator.kubectl.exists("typo"))
  })

  it("refuses what the CRD's rules refuse, in the rule's words", async () => {
    await using operator = await start()
    const message = await refusal(operator.kubectl.apply(kafkaBackup({ topics: [] })))
    assert.include(message, "must name at least one topic or pattern")
  })

  it("refuses texts that are not manifests, and unknown kinds", async () => {
    await using operator = await start()
    assert.include(await refusal(operator.kubectl.apply("a: [")), "error parsing the manifest")
    assert.include(await refusal(operator.kubectl.apply("---\n")), "no objects passed to apply")
    assert.include(await refusal(operator.kubectl.apply("a: 1")), "has no apiVersion or no kind")
    assert.include(
      await refusal(operator.kubectl.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } })),
      "accepts KafkaBackup, KafkaRestore, KafkaOffsetReset, KafkaOffsetRollback and Secret, not ConfigMap"
    )
  })
})

describe("kubectl get kafkabackups", () => {
  it("has the columns of the CRD, more with -o wide, and empty cells for missing values", async () => {
    await using operator = await start()
    await operator.kafka.createTopic("orders", { records: 10 })
    assert.strictEqual(await operator.kubectl.getTable(), "No resources found")
    await operator.kubectl.apply(kafkaBackup({ name: "b", schedule: "0 * * * *" }))
    await operator.advance("5 minutes")
    assert.strictEqual(
      await operator.kubectl.getTable(),
      [
        "NAME   SCHEDULE    PHASE     READY   INTACT    LAST SUCCESS   RECORDS   SIZE   NEXT                   AGE",
        "b      0 * * * *   Pending   True    Unknown                                   2026-11-25T12:00:00Z   5m"
      ].join("\n")
    )
    assert.match(
      await operator.kubectl.getTable({ wide: true }),
      / AGE   SUSPENDED   DURATION   RESTORABLE   STORED   LOCATION +MESSAGE\n.* 5m    false {40,}[a-z0-9]+:\/\/\S+ +Next backup scheduled for 2026-11-25T12:00:00Z. No backup has succeeded yet.$/
    )
  })

  it("finds values at the paths of printer columns, and refuses unsupported paths", () => {
    const object = { status: { conditions: [{ type: "A" }, { type: "Ready", status: "True" }] } }
    assert.strictEqual(PrinterColumns.valueAt(object, '.status.conditions[?(@.type=="Ready")].status'), "True")
    assert.isUndefined(PrinterColumns.valueAt(object, '.status.conditions[?(@.type=="B")].status'))
    assert.isUndefined(PrinterColumns.valueAt({}, ".spec.schedule"))
    assert.throws(() => PrinterColumns.valueAt(object, ".status.conditions[*].type"))
  })
})

describe("kubectl describe", () => {
  it("aligns, sorts and names fields as kubectl 1.34 does", () => {
    const object = {
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: {
        name: "hourly",
        namespace: "kafka-backup",
        uid: "u-1",
        labels: { team: "shop", app: "x" },
        annotations: { b: "1", a: "2" },
        managedFields: []
      },
      spec: {
        storage: { storageType: "s3", s3: { bucket: "backups" } },
        excludeTopics: [],
        topics: ["a", "b"],
        job: { backoffLimit: 3 }
      },
      status: { conditions: [{ type: "Ready", status: "True" }], phase: "Completed", lastBackupSizeText: "239 B" }
    }
    assert.strictEqual(
      Description.of(object, [], 0),
      `Name:         hourly
Namespace:    kafka-backup
Labels:       app=x
              team=shop
Annotations:  a: 2
              b: 1
API Version:  kafka.oso.sh/v1alpha1
Kind:         KafkaBackup
Metadata:
  UID:  u-1
Spec:
  Exclude Topics:
  Job:
    Backoff Limit:  3
  Storage:
    s3:
      Bucket:      backups
    Storage Type:  s3
  Topics:
    a
    b
Status:
  Conditions:
    Status:               True
    Type:                 Ready
  Last Backup Size Text:  239 B
  Phase:                  Completed
Events:                   <none>`
    )
  })

  it("shows the spec, the conditions and the Events of this resource alone", async () => {
    await using operator = await start()
    await operator.kafka.createTopic("orders", { records: 10 })
    await operator.kubectl.apply(kafkaBackup({ name: "one", topics: ["orders"], labels: { team: "shop" } }))
    await operator.kubectl.apply(kafkaBackup({ name: "two", topics: ["absent"] }))
    await operator.advance("1 hour")
    const lines = (await operator.kubectl.describe("one")).split("\n")
    assert.deepStrictEqual(lines.slice(0, 3), [
      "Name:         one",
      "Namespace:    kafka-backup",
      "Labels:       team=shop"
    ])
    assert.include(lines, "  Kafka Cluster:")
    assert.include(lines, "      kafka:9092")
    const events = lines.slice(lines.indexOf("Events:") + 1)
    assert.match(events[0]!, /^ {2}Type +Reason +Age +From +Message$/)
    assert.deepStrictEqual(
      events.slice(2).map((line) => line.trim().split(/ +/).slice(0, 2)),
      [
        ["Normal", "BackupStarted"],
        ["Normal", "BackupSucceeded"]
      ]
    )
    assert.notInclude(lines.join("\n"), "absent")
  })
})

describe("ages", () => {
  it("are printed as by kubectl", () => {
    const seconds = { second: 1, minute: 60, hour: 3600, day: 86_400, year: 365 * 86_400 }
    const cases: ReadonlyArray<readonly [number, string]> = [
      [-5, "<invalid>"],
      [-1, "0s"],
      [119, "119s"],
      [2 * seconds.minute, "2m"],
      [2 * seconds.minute + 5, "2m5s"],
      [10 * seconds.minute + 5, "10m"],
      [179 * seconds.minute, "179m"],
      [3 * seconds.hour, "3h"],
      [3 * seconds.hour + 7 * seconds.minute, "3h7m"],
      [8 * seconds.hour + 7 * seconds.minute, "8h"],
      [47 * seconds.hour, "47h"],
      [2 * seconds.day + 3 * seconds.hour, "2d3h"],
      [8 * seconds.day + 3 * seconds.hour, "8d"],
      [729 * seconds.day, "729d"],
      [2 * seconds.year + 3 * seconds.day, "2y3d"],
      [9 * seconds.year, "9y"]
    ]
    for (const [age, text] of cases) assert.strictEqual(HumanDuration.format(age * 1000), text)
  })
})
