import { assert, describe, it } from "@effect/vitest"
import * as TopicConfigs from "../../src/restore/TopicConfigs.ts"

const source = {
  "cleanup.policy": "compact",
  "retention.ms": "604800000",
  "leader.replication.throttled.replicas": "*"
}

describe("configurations of a restored topic", () => {
  it("keep every record and timestamp while it is written", () => {
    const configs = TopicConfigs.initial(source, true)
    assert.strictEqual(configs["cleanup.policy"], "delete")
    assert.strictEqual(configs["retention.ms"], "-1")
    assert.strictEqual(configs["message.timestamp.type"], "CreateTime")
    assert.isUndefined(configs["leader.replication.throttled.replicas"])
  })

  it("are those of the source in the end, and the broker's own where the source had none", () => {
    assert.deepStrictEqual(TopicConfigs.final(source, true, false), {
      "cleanup.policy": "compact",
      "retention.ms": "604800000",
      "retention.bytes": null,
      "message.timestamp.type": null,
      "unclean.leader.election.enable": null,
      "message.timestamp.before.max.ms": null,
      "message.timestamp.after.max.ms": null
    })
    assert.deepStrictEqual(TopicConfigs.leftOut(source), ["leader.replication.throttled.replicas"])
  })

  it("leave retention out while it is held, because old records would be removed within minutes", () => {
    const configs = TopicConfigs.final(source, true, true)
    assert.notProperty(configs, "retention.ms")
    assert.notProperty(configs, "retention.bytes")
    assert.strictEqual(configs["cleanup.policy"], "compact")
  })

  it("use the older name of the timestamps' bound before Kafka 3.6", () => {
    assert.property(TopicConfigs.initial(undefined, false), "message.timestamp.difference.max.ms")
    assert.notProperty(TopicConfigs.initial(undefined, false), "message.timestamp.after.max.ms")
  })
})
