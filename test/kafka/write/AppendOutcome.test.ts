import { assert, describe, it } from "@effect/vitest"
import { ErrorCode } from "../../../src/kafka/ErrorCode.ts"
import { KafkaError } from "../../../src/kafka/KafkaError.ts"
import { outcomeOf } from "../../../src/kafka/write/AppendOutcome.ts"

const place = { topic: "orders", partition: 3 }
const asked = {
  doing: "writing to orders[3]",
  topic: { resource: "topic orders", operation: "Write" },
  cluster: { resource: "cluster", operation: "IdempotentWrite" }
}

const judged = (errorCode: number, baseOffset = -1, detail?: string) =>
  outcomeOf({ errorCode, baseOffset, detail }, place, asked)

/** `NotYet`, or `failed BatchRefused`. */
const outlineOf = (errorCode: number) => {
  const outcome = judged(errorCode)
  return outcome instanceof KafkaError ? `failed ${outcome.reason._tag}` : outcome._tag
}

const table: ReadonlyArray<readonly [code: number, name: string, outline: string]> = [
  [-1, "UNKNOWN_SERVER_ERROR", "Unclear"],
  [2, "CORRUPT_MESSAGE", "NotYet"],
  [3, "UNKNOWN_TOPIC_OR_PARTITION", "Unclear"],
  [5, "LEADER_NOT_AVAILABLE", "NotYet"],
  [6, "NOT_LEADER_OR_FOLLOWER", "Unclear"],
  [7, "REQUEST_TIMED_OUT", "Unclear"],
  [10, "MESSAGE_TOO_LARGE", "failed BatchRefused"],
  [13, "NETWORK_EXCEPTION", "Unclear"],
  [17, "INVALID_TOPIC_EXCEPTION", "failed BatchRefused"],
  [18, "RECORD_LIST_TOO_LARGE", "failed BatchRefused"],
  [19, "NOT_ENOUGH_REPLICAS", "NotYet"],
  [20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "Unclear"],
  [29, "TOPIC_AUTHORIZATION_FAILED", "failed KafkaAuthorizationFailed"],
  [31, "CLUSTER_AUTHORIZATION_FAILED", "failed KafkaAuthorizationFailed"],
  [32, "INVALID_TIMESTAMP", "failed BatchRefused"],
  [35, "UNSUPPORTED_VERSION", "failed ProtocolFailure"],
  [42, "INVALID_REQUEST", "failed ProtocolFailure"],
  [43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "failed BatchRefused"],
  [44, "POLICY_VIOLATION", "failed BatchRefused"],
  [45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "Unclear"],
  [46, "DUPLICATE_SEQUENCE_NUMBER", "Unclear"],
  [47, "INVALID_PRODUCER_EPOCH", "failed ProducerFenced"],
  [53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "failed ProtocolFailure"],
  [56, "KAFKA_STORAGE_ERROR", "Unclear"],
  [58, "SASL_AUTHENTICATION_FAILED", "failed KafkaAuthenticationFailed"],
  [59, "UNKNOWN_PRODUCER_ID", "Unclear"],
  [74, "FENCED_LEADER_EPOCH", "Unclear"],
  [76, "UNSUPPORTED_COMPRESSION_TYPE", "failed BatchRefused"],
  [87, "INVALID_RECORD", "failed BatchRefused"],
  [89, "THROTTLING_QUOTA_EXCEEDED", "NotYet"],
  [90, "PRODUCER_FENCED", "failed ProducerFenced"],
  [100, "UNKNOWN_TOPIC_ID", "NotYet"],
  [103, "INCONSISTENT_TOPIC_ID", "NotYet"],
  [999, "a code that is not known", "Unclear"]
]

describe("the answer to an append", () => {
  it.each([
    [19, "writing to orders[3]: too few replicas are in sync (error code 19)"],
    [20, "writing to orders[3]: too few replicas are in sync (error code 20)"],
    [7, "writing to orders[3]: the replicas did not answer the broker in time (error code 7)"],
    [56, "writing to orders[3]: the broker cannot use the disk of this log (error code 56)"]
  ])("%d says in words what the cluster lacks", (code, message) => {
    const outcome = judged(code)
    assert.strictEqual("reason" in outcome ? outcome.reason.message : "", message)
  })

  it.each(table)("%d %s is %s", (code, _, outline) => {
    assert.strictEqual(outlineOf(code), outline)
  })

  it("without an error is the offset of the first record", () => {
    assert.deepStrictEqual(judged(0, 17), { _tag: "Appended", baseOffset: 17 })
  })

  it("without an error and without an offset says nothing about the log", () => {
    assert.strictEqual(outlineOf(ErrorCode.none), "Unclear")
  })

  it("that fails can never be cured by waiting", () => {
    for (const [code, name] of table) {
      const outcome = judged(code)
      if (outcome instanceof KafkaError) assert.isFalse(outcome.isRetryable, name)
    }
  })

  it("repeats the broker's explanation, and says what to do", () => {
    const refused = judged(10, -1, "1200000 bytes")
    assert.instanceOf(refused, KafkaError)
    assert.strictEqual(
      refused.message,
      "kafka: produce: the broker refuses a batch for orders[3]: it is larger than max.message.bytes: 1200000 bytes"
    )
    assert.strictEqual(refused.advice, "raise max.message.bytes of the topic")
    const failed = judged(42, -1, "odd")
    assert.instanceOf(failed, KafkaError)
    assert.include(failed.message, "writing to orders[3]: the broker answered with error code 42: odd")
  })

  it("names the permission that is missing", () => {
    const advice = [29, 31].map((code) => {
      const outcome = judged(code)
      return outcome instanceof KafkaError ? outcome.advice : outcome._tag
    })
    assert.deepStrictEqual(advice, [
      "grant the principal Write on topic orders",
      "grant the principal IdempotentWrite on cluster"
    ])
  })
})
