import { assert, describe, it } from "@effect/vitest"
import { faults, kafkaBackup, type Status, TestOperator } from "../../src/testing/index.ts"

type Disturb = (operator: TestOperator) => Promise<void>

const disturbStorage =
  (fault: Parameters<Awaited<ReturnType<TestOperator["storage"]>>["disturb"]>[0]): Disturb =>
  async (operator) =>
    (await operator.storage("once")).disturb(fault)

/**
 * A one-time backup of fifty records that meets a fault, and what its status is when it has ended or says it is in
 * trouble.
 */
const story = async (disturb: Disturb, isReported: (status: Status) => boolean) => {
  const operator = await TestOperator.start({ at: "2026-11-25T11:50:00Z" })
  await operator.kubectl.apply(kafkaBackup({ name: "once", suspend: true, topics: ["orders"] }))
  await operator.kafka.createTopic("orders", { partitions: 2, records: 50 })
  await disturb(operator)
  await operator.kubectl.patch("once", { spec: { suspend: false } })
  return { operator, status: await operator.until("once", isReported, { within: "2 hours" }) }
}

/** Requests to all three worlds, and seconds of the run: what a fault that is met changes. */
const effort = async ({ operator, status }: Awaited<ReturnType<typeof story>>): Promise<number> => {
  const { fetches, metadataRequests, offsetRequests } = await operator.kafka.counters()
  const stored = await (await operator.storage("once")).calls()
  const asked = await operator.api.calls()
  const [run] = status.backupHistory ?? []
  const seconds = (Date.parse(run?.completionTime ?? "") - Date.parse(run?.startTime ?? "")) / 1000
  return fetches + metadataRequests + offsetRequests + stored.length + asked.length + seconds
}

const isOver = ({ phase }: Status) => phase === "Completed" || phase === "Failed"
const condition = ({ conditions = [] }: Status, type: string) => conditions.find((each) => each.type === type)

describe("faults that pass", () => {
  const cases: Readonly<Record<string, Disturb>> = {
    "a store that does not answer": disturbStorage(faults.storage.unavailable({ times: 5 })),
    "a store whose answer to the manifest is lost": disturbStorage(
      faults.storage.answerLost({ key: (key) => key.endsWith("/manifest.json") })
    ),
    "a broker whose connection breaks": (operator) =>
      operator.kafka.inject(...faults.kafka.connectionLost({ times: 3 })),
    "a broker that is slow": (operator) => operator.kafka.inject(...faults.kafka.slow(20_000, { times: 2 })),
    "a quota of Kafka": (operator) => operator.kafka.inject(...faults.kafka.throttled(30_000, { times: 3 })),
    "a bit that flips on the way": (operator) => operator.kafka.inject(...faults.kafka.flippedBit()),
    "a leader that has moved": (operator) => operator.kafka.inject(...faults.kafka.errorCode(6)),
    "an API server that does not answer": (operator) => operator.api.disturb(faults.api.unavailable({ times: 5 })),
    "an API server that has enough of us": (operator) => operator.api.disturb(faults.api.throttled({ times: 5 })),
    "a Job whose creation is not answered": (operator) =>
      operator.api.disturb(faults.api.answerLost({ verb: "create", kind: "jobs" }))
  }
  for (const [what, disturb] of Object.entries(cases)) {
    it(`let the backup be whole: ${what}`, async () => {
      const calm = await story(async () => {}, isOver)
      const disturbed = await story(disturb, isOver)
      const { operator, status } = disturbed
      assert.notStrictEqual(await effort(disturbed), await effort(calm), "the fault was not met")
      await calm.operator.stop()
      assert.deepInclude(status, { phase: "Completed", lastBackupRecords: 50 })
      assert.deepStrictEqual((await operator.verify("once", status.lastBackupId!)).problems, [])
      assert.lengthOf(await operator.backups("once"), 1)
      await operator.stop()
    })
  }
})

describe("faults that stay", () => {
  const cases: Readonly<Record<string, readonly [disturb: Disturb, type: string, reason: string, words: RegExp]>> = {
    "a store that refuses us": [
      disturbStorage(faults.storage.refused({ times: Infinity })),
      "StorageReachable",
      "StorageAuthorizationFailed",
      /access denied/
    ],
    "a store without room": [
      disturbStorage(faults.storage.full({ times: Infinity })),
      "StorageReachable",
      "OutOfSpace",
      /no space left/
    ],
    "a topic that may not be read": [
      (operator) => operator.kafka.deny("Read", "orders"),
      "KafkaReachable",
      "TopicAccessDenied",
      /orders/
    ],
    "an admission policy": [
      (operator) =>
        operator.api.disturb(faults.api.forbidden("policy says no", { kind: "jobs", verb: "create", times: Infinity })),
      "Ready",
      "JobRefused",
      /policy says no/
    ],
    "a quota of the namespace": [
      (operator) =>
        operator.api.disturb(
          faults.api.quotaExceeded("no room for cpu", { kind: "jobs", verb: "create", times: Infinity })
        ),
      "Ready",
      "JobRefused",
      /no room for cpu/
    ],
    "no node for the pod": [
      (operator) => operator.node.trouble(() => faults.pods.unschedulable("0/3 nodes are available")),
      "Ready",
      "PodTrouble",
      /0\/3 nodes are available/
    ],
    "an image that does not exist": [
      (operator) => operator.node.trouble(() => faults.pods.imagePullBackOff("registry/none:1")),
      "Ready",
      "PodTrouble",
      /registry\/none:1/
    ],
    "a Secret that does not exist": [
      (operator) => operator.node.trouble(() => faults.pods.secretMissing("s3-credentials")),
      "Ready",
      "PodTrouble",
      /s3-credentials/
    ]
  }
  for (const [what, [disturb, type, reason, words]] of Object.entries(cases)) {
    it(`have a name: ${what}`, async () => {
      const { operator, status } = await story(disturb, (shown) => condition(shown, type)?.reason === reason)
      assert.match(condition(status, type)!.message, words)
      assert.deepStrictEqual(await operator.backups("once"), [])
      await operator.stop()
    })
  }
})
