import { afterAll, assert, beforeAll, it } from "vitest"
import { leftOut, quickStart, steps } from "../docs/guideSteps.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import { describeWith } from "../harness/services.ts"
import { QuickStartWorld } from "./quickStartWorld.ts"
import { unique } from "./scenes.ts"
import * as Strimzi from "./strimziStandIn.ts"

/** The page, block by block, on an empty control plane and a broker with TLS and SCRAM. */
describeWith(["controlPlane", "kafka", "kafkaSecurity", "java"], "the quick start", ({ java: tools, kafka }) => {
  // The broker is shared: the page's topic has another name here.
  const topic = unique("orders")
  const cluster = { namespace: "kafka", name: "my-cluster", user: "kafka-backup", listener: "backup" }
  let java: JavaKafka
  let world: QuickStartWorld

  beforeAll(async () => {
    java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
    world = await QuickStartWorld.make()
  })
  afterAll(async () => {
    await world?.end()
    await java?.close()
  })

  const digest = async (name: string) => {
    const partitions = await java.digest(name)
    return partitions.map(({ partition, records, sha256, start, end }) => ({ partition, records, sha256, start, end }))
  }

  /** What stands in for a step that is left out, or does what others would do after one. */
  const instead: Readonly<Record<string, () => Promise<unknown>>> = {
    strimzi: () => Strimzi.install(world.apiserver),
    produce: () => java.load({ topic, count: 1000, seed: 1, shape: "json" }),
    consume: async () => assert.deepStrictEqual(await digest(`${topic}-restored`), await digest(topic))
  }
  const afterwards: Readonly<Record<string, (printed: string) => Promise<unknown> | void>> = {
    namespace: () => world.joinNode(),
    kafka: async () => {
      await Strimzi.reconcile(world.apiserver, cluster, kafka.security)
      await java.createTopics({ name: topic, partitions: 3 })
    },
    install: () => world.giveToken(),
    look: (printed) => assert.match(printed, new RegExp(`^${topic} +Completed +True +.* 1000 `, "mu")),
    restore: (printed) => assert.match(printed, /^\S+-again +.*Completed/mu)
  }

  for (const { commands, name } of steps(quickStart)) {
    const reason = leftOut[name]
    if (reason === undefined) {
      it(`has a step "${name}" that does what the page says`, async () => {
        const here = commands.replaceAll(/\borders\b/gu, topic)
        const printed = await world.shell(name === "install" ? here.trimEnd() + world.installOptions : here)
        await afterwards[name]?.(printed)
      })
    } else {
      it.skip(`has a step "${name}", which is not executed here: ${reason}`, () => {})
      if (name in instead) it(`goes on as after its step "${name}"`, () => instead[name]!())
    }
  }
})
