import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import { aRestore, refusals } from "./restores.ts"

describe("a KafkaRestore", () => {
  it.each([
    [{ topicMapping: { orders: "orders-2", "log-*": "old.*.log", "*": "all-*" } }],
    [{ topicMapping: { "*": "*-" + "x".repeat(247) } }],
    [{ sourcePartitions: { orders: [0, 2], "not.restored": [0] } }],
    [{ partitions: { orders: 12 }, offsets: "New" }],
    [{ includeOriginalOffsetHeader: true }]
  ])("takes %j", (spec) => {
    assert.isTrue(Result.isSuccess(KafkaRestore.parse(aRestore(spec))))
  })

  it.each([
    ["a pattern for one topic", { topicMapping: { "orders-*": "orders" } }, "topicMapping", "exactly if the key has"],
    ["a topic for a pattern", { topicMapping: { orders: "orders-*" } }, "topicMapping", "exactly if the key has"],
    ["two stars in a key", { topicMapping: { "*-*": "x-*" } }, "topicMapping", "at most one '*'"],
    ["two stars in a value", { topicMapping: { "*": "*-*" } }, "topicMapping[*]", "and one '*' if the key has one"],
    ["an empty target", { topicMapping: { orders: "" } }, "topicMapping[orders]", "must be a topic name"],
    ["an internal topic", { topicMapping: { "*": "__*" } }, "topicMapping[*]", "Kafka's own topics"],
    ["a question mark", { topicMapping: { orders: "order?" } }, "topicMapping[orders]", "must be a topic name"],
    ["a long target", { topicMapping: { orders: "x".repeat(250) } }, "topicMapping[orders]", "249"],
    ["no partition at all", { sourcePartitions: { orders: [] } }, "sourcePartitions[orders]", "1"],
    ["a number for a list", { sourcePartitions: { orders: 1 } }, "sourcePartitions[orders]", "list"],
    ["a negative partition", { sourcePartitions: { orders: [-1] } }, "sourcePartitions[orders][0]", "0"],
    ["a list of topics", { sourcePartitions: ["orders"] }, "sourcePartitions", ""],
    ["other partitions at old offsets", { partitions: { orders: 3 } }, "partitions", "partitions needs offsets: New"],
    ["no partitions", { partitions: { orders: 0 }, offsets: "New" }, "partitions[orders]", "1"],
    ["a word for a flag", { includeOriginalOffsetHeader: "yes" }, "includeOriginalOffsetHeader", "true or false"]
  ] as const)("refuses %s", (_, spec, field, says) => {
    const problems = refusals(spec)
    assert.include(problems.map((problem) => `${problem.field}: ${problem.message}`).join("\n"), says)
    assert.include(problems.map((problem) => problem.field).join("\n"), `spec.${field.split("[")[0]}`)
  })
})
