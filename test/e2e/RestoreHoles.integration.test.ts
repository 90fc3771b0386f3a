import { join } from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { JavaKafka, readDump } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { type HandmadeTopic, writeSet } from "./handmadeSet.ts"
import { onVolume, succeed, Workspace } from "./product.ts"
import { unique } from "./scenes.ts"

const record = (offset: number) => ({ offset, key: `k${offset}`, value: `v${offset}` })

describeWith(["kafka", "java"], "Large holes in a log, restored to a real cluster,", (services) => {
  const { plaintext } = services.kafka
  const workspace = new Workspace()
  const states = unique("states")
  let java: JavaKafka

  /** Two holes of millions of offsets, and in between one of ten, which is filled within a batch. */
  const topic: HandmadeTopic = {
    name: states,
    configurations: { "cleanup.policy": "compact", "segment.ms": "3600000" },
    records: [0, 1, 6_000_000, 6_000_001, 6_000_012, 13_000_000].map(record)
  }

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: services.java.classpath, bootstrap: plaintext })
    writeSet(join(workspace.volumes, "backups"), states, [topic])
  })
  afterAll(async () => {
    await java?.deleteTopics(states)
    await java?.close()
    workspace[Symbol.dispose]()
  })

  it("are filled, and empty again once the brokers have compacted the log", async () => {
    const places = workspace.manifest(
      states,
      {
        backupId: states,
        targetCluster: { bootstrapServers: [plaintext] },
        storage: onVolume,
        offsets: "Exact",
        defaultReplicationFactor: 1
      },
      "KafkaRestore"
    )
    const dryRun = await succeed("restore", ...places, "--dry-run")
    assert.include(dryRun.stdout, `${states} gets 12999995 empty records for the holes of its log`)
    const { stdout } = await succeed("restore", ...places)
    const [, more = ""] = /ends ([0-9]+) offsets? later than in the backup/.exec(stdout) ?? []
    assert.include(["1", "2", "3"], more, stdout)
    const file = join(workspace.folder, "states.jsonl")
    await java.dumpTo(file, states)
    const found: Array<number> = []
    for await (const { offset } of readDump(file)) found.push(offset)
    assert.deepStrictEqual(
      found,
      topic.records.map(({ offset }) => offset)
    )
    const [held] = (await java.offsets(states))[states] ?? []
    assert.deepStrictEqual([held?.start, held?.end], [0, 13_000_001 + Number(more)])
    assert.include((await succeed("restore", ...places)).stdout, "already restored")
  }, 300_000)
})
