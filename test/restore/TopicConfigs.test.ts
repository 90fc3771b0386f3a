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

  it("take the largest limit of a batch that anybody asks for, and leave it alone where nobody does", () => {
    const limit = (...given: ReadonlyArray<string | undefined>) => {
      const [own, overrides, present] = given.map((value) =>
        value === undefined ? {} : { "max.message.bytes": value }
      )
      const wanted = { fromBackup: true, overrides: overrides ?? {} }
      return TopicConfigs.initial(own, true, wanted, present)["max.message.bytes"]
    }
    assert.strictEqual(limit("2000000"), "2000000")
    assert.strictEqual(limit("2000000", "3000000"), "3000000")
    assert.strictEqual(limit("3000000", "2000000", "4000000"), "4000000")
    assert.strictEqual(limit(undefined, "5"), "1048588")
    assert.strictEqual(limit("2000000", "large"), "2000000")
    assert.isUndefined(limit(undefined, undefined, "200"))
  })

  it("take the limit of a batch that the largest record needs, and reset it in the end", () => {
    const initial = (record: number) => TopicConfigs.initial({}, true, undefined, {}, record)["max.message.bytes"]
    assert.strictEqual(initial(5_000_000), "5000000")
    assert.isUndefined(initial(1_048_588))
    assert.isNull(TopicConfigs.final({}, true, false, undefined, 5_000_000)["max.message.bytes"])
    const own = { "max.message.bytes": "2000000" }
    assert.strictEqual(TopicConfigs.final(own, true, false, undefined, 5_000_000)["max.message.bytes"], "2000000")
  })

  it("give a topic its own limit of a batch back where neither backup nor overrides have one", () => {
    const own = { "max.message.bytes": "20000000" }
    const end = (source: Readonly<Record<string, string>>, wanted: Partial<TopicConfigs.Wanted>) =>
      TopicConfigs.final(source, true, false, { fromBackup: true, overrides: {}, own, ...wanted }, 5_000_000)[
        "max.message.bytes"
      ]
    assert.strictEqual(end({}, {}), "20000000")
    assert.strictEqual(end({}, { fromBackup: false }), "20000000")
    assert.strictEqual(end({ "max.message.bytes": "2000000" }, {}), "2000000")
    assert.strictEqual(end({}, { overrides: { "max.message.bytes": "3000000" } }), "3000000")
    assert.isNull(end({}, { own: {} }))
  })

  it("give a topic the limit of a batch in the end that an override asks for, and none unasked", () => {
    const wanted = { fromBackup: true, overrides: { "max.message.bytes": "3000000" } }
    assert.strictEqual(TopicConfigs.final({}, true, false, wanted)["max.message.bytes"], "3000000")
    assert.notProperty(TopicConfigs.final({}, true, false), "max.message.bytes")
  })
})
