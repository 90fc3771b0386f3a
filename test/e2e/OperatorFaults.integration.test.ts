import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { ask } from "../../scripts/services/ApiRequest.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { OperatorWorld, type OperatorProcess } from "./operatorWorld.ts"
import { OwnControlPlane } from "./OwnControlPlane.ts"
import { isQuiet, QuickWorld, successes } from "./QuickWorld.ts"
import { makeRandom, seed } from "./random.ts"
import { unique } from "./scenes.ts"
import { Stage, strikes, tokens } from "./StruckHistory.ts"
import { WireProxy } from "./WireProxy.ts"

/*
 * The operator while its API server, the network before it, its rights and its credentials fail. A control plane of our
 * own is broken here, so that nobody else's is.
 */

const pause = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))
const secondsSince = (millis: number): number => (performance.now() - millis) / 1000
const alone = "--no-leader-election"
const lines = (log: string): number => log.split("\n").length

describeWith(["controlPlane", "kafka", "java"], "the operator under faults", ({ java: tools, kafka }) => {
  let plane: OwnControlPlane
  let java: JavaKafka
  const topic = unique("faulty")
  const worlds: Array<{ readonly end: () => Promise<void> }> = []
  const kept = <A extends { readonly end: () => Promise<void> }>(world: A): A => {
    worlds.push(world)
    return world
  }
  const quickWorld = async (stem: string) => kept(await QuickWorld.make(plane.apiserver, unique(stem)))

  beforeAll(async () => {
    plane = await OwnControlPlane.start()
    java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
    await java.createTopics({ name: topic, partitions: 3 })
    await java.load({ topic, count: 3000, seed: 1, shape: "json" })
  })
  afterAll(async () => {
    await java?.close()
    await plane?.stop()
  })

  describe.concurrent("alone with its API server", () => {
    afterAll(async () => {
      await Promise.all(worlds.map((world) => world.end()))
    })

    it("tells every history alike, whatever one of its requests meets", async () => {
      const stages = await Promise.all(
        ["strike-a", "strike-b"].map(async (stem) => kept(await Stage.make(plane.apiserver, unique(stem))))
      )
      const reference = await stages[0]!.play("undisturbed")
      const count = reference.passed.length
      const all = process.env["KBO_KILL_ALL"] === "1"
      const random = makeRandom(seed)
      const plan = all
        ? reference.passed.flatMap(({ nth }) => strikes.slice(0, 3).map((strike) => ({ nth, strike })))
        : strikes.map((strike, i) => {
            // One in each part of the history, so that all of it is met.
            const part = Math.floor((i * 5) % strikes.length)
            const from = 1 + Math.floor((part * count) / strikes.length)
            const to = Math.max(from, Math.floor(((part + 1) * count) / strikes.length))
            return { nth: random.between(from, to), strike }
          })
      console.log(
        `KBO_SEED=${seed}: ${count} requests; ${plan.map(({ nth, strike }) => `${nth} ${strike}`).join(", ")}`
      )
      const pending = plan.map((one, i) => ({ ...one, name: `h-${i}` }))
      let struck = 0
      const failures: Array<string> = []
      const work = async (stage: Stage) => {
        for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
          const { name, nth, strike } = next
          const since = performance.now()
          let met = "nothing"
          try {
            const told = await stage.play(name, nth, strike)
            if (told.struck !== undefined) {
              struck++
              met = `${told.struck.nth} ${told.struck.method} ${told.struck.path.split("?")[0]}`
            }
            assert.deepEqual(told.gist, reference.gist)
            await stage.quick.assertOnceEach(name, tokens)
          } catch (error) {
            failures.push(`${name}: ${strike} at request ${nth}: ${String(error)}`)
          }
          console.log(`${name}: ${strike} met ${met}, ${secondsSince(since).toFixed(1)} s`)
        }
      }
      await Promise.all(stages.map(work))
      assert.deepEqual(failures, [])
      assert.isAtLeast(struck, plan.length - 3, "strikes that met a request")
    }, 1_800_000)

    it("serves the next trigger over a network that cuts, delays and swallows", async () => {
      await using wire = await WireProxy.before(plane.apiserver.server)
      const world = kept(await OperatorWorld.make(plane.apiserver, unique("wire")))
      world.writeKubeconfig(world.token, wire.address)
      const operator = await world.start("wire", alone)
      await world.apply({
        apiVersion: "kafka.oso.sh/v1alpha1",
        kind: "KafkaBackup",
        metadata: { name: "wired" },
        spec: {
          kafkaCluster: { bootstrapServers: [kafka.plaintext] },
          topics: [topic],
          storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: "wired" } },
          rateLimit: { recordsPerSecond: 600 }
        }
      })
      const served = (runs: number, seconds = 90) =>
        world.settled(
          "wired",
          `${runs} runs are told`,
          (status) => successes(status).length === runs && isQuiet(status),
          seconds
        )
      const trigger = (token: string) =>
        world.kubectl("annotate", "kafkabackup", "wired", `kafka.oso.sh/trigger-backup=${token}`, "--overwrite")

      await world.settled("wired", "its run is active", (status) => !isQuiet(status))
      for (let i = 0; i < 20; i++) {
        wire.cut()
        await pause(250)
      }
      await served(1)

      await trigger("cut")
      for (let i = 0; i < 10; i++) {
        wire.cut()
        await pause(500)
      }
      await served(2)

      wire.slow(400)
      await trigger("slow")
      await served(3)
      wire.heal()

      wire.swallow("up", "down")
      await trigger("swallowed")
      await pause(30_000)
      assert.strictEqual((await operator.get("/healthz")).status, 200)
      wire.heal()
      await served(4, 60)

      // What it asks is done, and it never hears of that.
      await trigger("unheard")
      wire.swallow("down")
      await pause(10_000)
      wire.cut()
      wire.heal()
      const status = await served(5, 60)

      assert.strictEqual(operator.process.exitCode, null)
      const jobs = (await world.json("jobs", "-l", "kafka.oso.sh/name=wired,kafka.oso.sh/purpose=run")).items
      assert.lengthOf(jobs, 5)
      assert.sameMembers(
        [...world.sets("wired")],
        status.backupHistory.map((one: any) => one.backupId)
      )
      assert.lengthOf(world.sets("wired"), 5)
      console.log(`wire: ${wire.accepted} connections, ${lines(operator.log)} lines`)
      assert.isBelow(lines(operator.log), 150)
    }, 600_000)

    it("hears again of triggers after its connections were silently forgotten", async () => {
      await using wire = await WireProxy.before(plane.apiserver.server)
      const quick = await quickWorld("forgotten")
      quick.world.writeKubeconfig(quick.world.token, wire.address)
      const operator = await quick.world.start("forgotten", alone)
      await quick.create("one")
      await quick.served("one", 1)
      wire.forget()
      await quick.trigger("one", "unheard")
      // 150 s of silence are a dead watch.
      const since = performance.now()
      await quick.served("one", 2, 200)
      console.log(`forgotten: served ${secondsSince(since).toFixed(0)} s later`)
      await quick.assertOnceEach("one", [undefined, "unheard"])
      assert.strictEqual(operator.process.exitCode, null)
    }, 400_000)

    it("serves a trigger in a storm of conflicting writes, and through a token that is refused for a while", async () => {
      const quick = await quickWorld("storm")
      const tokenFile = join(quick.world.folder, "token")
      // With the Secret that it is bound to, the token goes.
      const system = "/api/v1/namespaces/kafka-backup-system/secrets"
      const secret = unique("token")
      await quick.world.node.client.create(system, { metadata: { name: secret } })
      const bound = await Kubectl.succeed(plane.apiserver, [
        "create",
        "token",
        "kafka-backup-operator",
        "--namespace=kafka-backup-system",
        "--duration=4h",
        "--bound-object-kind=Secret",
        `--bound-object-name=${secret}`
      ])
      const token = bound.trim()
      const isRefused = async () => {
        const { caPem = "", server } = plane.apiserver
        return (await ask({ server, caPem, token }, "GET", "/api")).status === 401
      }
      writeFileSync(tokenFile, token, { mode: 0o600 })
      writeFileSync(
        quick.world.kubeconfig,
        JSON.stringify({
          apiVersion: "v1",
          kind: "Config",
          clusters: [
            {
              name: "c",
              cluster: { server: plane.apiserver.server, "certificate-authority": plane.apiserver.caPem }
            }
          ],
          users: [{ name: "operator", user: { tokenFile } }],
          contexts: [{ name: "c", context: { cluster: "c", user: "operator" } }],
          "current-context": "c"
        })
      )
      const operator = await quick.world.start("storm", alone)
      await quick.create("stormy")
      await quick.served("stormy", 1)

      const begun = performance.now()
      let writes = 0
      let startedAfter: number | undefined
      let triggeredAt: number | undefined
      while (secondsSince(begun) < 20) {
        await quick.annotate("stormy", { "example.com/heartbeat": String(writes++) })
        if (triggeredAt === undefined && secondsSince(begun) > 3) {
          await quick.trigger("stormy", "storm")
          triggeredAt = performance.now()
        }
        if (startedAfter === undefined && triggeredAt !== undefined && quick.started("stormy").length === 2) {
          startedAfter = secondsSince(triggeredAt)
        }
        await pause(Math.max(0, writes * 50 - (performance.now() - begun)))
      }
      const calm = performance.now()
      await quick.served("stormy", 2)
      console.log(`storm: ${writes} writes, started after ${startedAfter} s, told ${secondsSince(calm)} s after it`)
      assert.isDefined(startedAfter, "the run starts in the middle of the storm")
      await quick.assertOnceEach("stormy", [undefined, "storm"])

      const before = lines(operator.log)
      await quick.world.node.client.delete(`${system}/${secret}`)
      await quick.until("the token is refused", isRefused, 60)
      await quick.trigger("stormy", "refused")
      await pause(20_000)
      assert.lengthOf(quick.started("stormy"), 2, "nothing can be started with a token that is refused")
      assert.strictEqual((await operator.get("/healthz")).status, 200)
      const during = lines(operator.log) - before
      writeFileSync(tokenFile, quick.world.token)
      const good = performance.now()
      await quick.served("stormy", 3)
      console.log(`token: ${during} lines, served ${secondsSince(good).toFixed(1)} s after it was good again`)
      assert.isBelow(during, 60)
      await quick.assertOnceEach("stormy", [undefined, "storm", "refused"])
      assert.strictEqual(operator.process.exitCode, null)
    }, 400_000)

    it("starts each run once although two of it believe that they are alone", async () => {
      const quick = await quickWorld("twins")
      await Promise.all([quick.world.start("castor", alone), quick.world.start("pollux", alone)])
      await quick.create("once")
      await quick.create("minutely", { schedule: "* * * * *" })
      await quick.served("once", 1)
      const given: Array<string> = []
      for (const token of ["a", "b", "c", "d"]) {
        await quick.trigger("once", token)
        given.push(token)
        await quick.served("once", given.length + 1)
      }
      await quick.assertOnceEach("once", [undefined, ...given])
      const status = await quick.settled("minutely", "its slot is told", (now) => successes(now).length >= 1, 100)
      await pause(2_000)
      const slots = quick.started("minutely").map(({ slot }) => slot)
      assert.strictEqual(new Set(slots).size, slots.length)
      assert.lengthOf(await quick.jobs("minutely"), slots.length)
      const ids = status["backupHistory"].map(({ backupId }: any) => backupId)
      assert.strictEqual(new Set(ids).size, ids.length)
    }, 400_000)

    it("gives its lead to the other when it is lost or stands still, and doubles nothing", async () => {
      const quick = await quickWorld("lead")
      let first = await quick.world.start("first")
      const leads = (operator: OperatorProcess) => async () =>
        (await operator.get("/readyz").catch(() => ({ text: "" }))).text.includes("leading")
      await quick.until("the first leads", leads(first), 60)
      const second = await quick.world.start("second")
      await quick.create("lead")
      await quick.served("lead", 1)
      assert.match((await second.get("/readyz")).text, /standing by: first_\S+ leads/)

      await first.kill()
      const killed = performance.now()
      await quick.trigger("lead", "killed")
      await quick.until("the second leads", leads(second), 60)
      console.log(`lead: taken over ${secondsSince(killed).toFixed(1)} s after the leader was killed`)
      await quick.served("lead", 2)
      await quick.assertOnceEach("lead", [undefined, "killed"])

      first = await quick.world.start("third")
      second.process.kill("SIGSTOP")
      const stopped = performance.now()
      await quick.until("the third leads", leads(first), 60)
      await quick.trigger("lead", "stopped")
      await quick.served("lead", 3)
      await pause(Math.max(0, 30_000 - secondsSince(stopped) * 1000))
      // Both are told of it, and one of them believes for a moment that it still leads.
      await quick.trigger("lead", "continued")
      second.process.kill("SIGCONT")
      await quick.until(
        "the second knows that it lost",
        async () => /standing by: third_\S+ leads/.test((await second.get("/readyz")).text),
        30
      )
      assert.include(second.log, "the lease is lost")
      await quick.served("lead", 4)
      await quick.assertOnceEach("lead", [undefined, "killed", "stopped", "continued"])
      assert.isTrue(await leads(first)())
      await Promise.all([first.stop(), second.stop()])
    }, 400_000)
  })

  describe("when its control plane fails", () => {
    let quick: QuickWorld
    let operator: OperatorProcess
    const isLeading = async () => (await operator.get("/readyz").catch(() => ({ text: "" }))).text.includes("leading")
    const given: Array<string | undefined> = [undefined]
    const serve = async (token: string, seconds?: number) => {
      await quick.trigger("plain", token)
      given.push(token)
      await quick.served("plain", given.length, seconds)
    }

    beforeAll(async () => {
      quick = await QuickWorld.make(plane.apiserver, unique("plane"))
      operator = await quick.world.start("plane")
      await quick.until("it leads", isLeading, 60)
      await quick.create("plain")
      await quick.served("plain", 1)
    })
    afterAll(async () => {
      plane.thawEtcd()
      await quick?.endAfterOutage()
    })

    it("recovers when its rights are taken away and given back", async () => {
      const binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kafka-backup-operator"
      const { client } = quick.world.node
      const { apiVersion, kind, roleRef, subjects } = await client.get(binding)
      await client.delete(binding)
      await pause(1_000)
      await quick.trigger("plain", "without-rights")
      given.push("without-rights")
      const before = lines(operator.log)
      await pause(15_000)
      const during = lines(operator.log) - before
      assert.strictEqual((await operator.get("/healthz")).status, 200)
      await client.create(binding.slice(0, binding.lastIndexOf("/")), {
        apiVersion,
        kind,
        roleRef,
        subjects,
        metadata: { name: "kafka-backup-operator" }
      })
      const since = performance.now()
      await quick.served("plain", given.length)
      console.log(`rights: ${during} lines, served ${secondsSince(since).toFixed(1)} s after they were given back`)
      assert.isBelow(during, 40)
      await quick.assertOnceEach("plain", given)
    })

    it("recovers when the API server is killed and started again", async () => {
      await quick.create("long")
      await quick.served("long", 1)
      quick.hold("long")
      await quick.trigger("long", "across")
      await quick.until("its pod runs", async () => quick.started("long").length === 2)
      await quick.settled("long", "it runs", (status) => !isQuiet(status))
      await pause(1_000)
      const before = lines(operator.log)
      await plane.killApiServer()
      await pause(12_000)
      assert.strictEqual((await operator.get("/healthz")).status, 200)
      assert.notInclude((await operator.get("/readyz")).text, "leading", "who cannot renew does not lead")
      await plane.startApiServer()
      const since = performance.now()
      await quick.until("it leads again", isLeading, 90)
      console.log(
        `apiserver: leads ${secondsSince(since).toFixed(1)} s after it is back, ${lines(operator.log) - before} lines`
      )
      assert.isBelow(lines(operator.log) - before, 80)
      await quick.revive()
      quick.release("long")
      await quick.served("long", 2)
      await quick.assertOnceEach("long", [undefined, "across"])
      await serve("after-the-restart")
      await quick.assertOnceEach("plain", given)
    })

    it("recovers when etcd hangs for a minute", async () => {
      await quick.create("minutely", { schedule: "* * * * *" })
      await quick.settled("minutely", "its next slot is told", (status) => status["nextScheduledTime"] !== undefined)
      const before = lines(operator.log)
      plane.freezeEtcd()
      await pause(60_000)
      const [healthz, readyz] = await Promise.all([operator.get("/healthz"), operator.get("/readyz")])
      plane.thawEtcd()
      const since = performance.now()
      assert.strictEqual(healthz.status, 200)
      assert.notInclude(readyz.text, "leading")
      await quick.until("it leads again", isLeading, 90)
      const during = lines(operator.log) - before
      console.log(`etcd: leads ${secondsSince(since).toFixed(1)} s after it is back, ${during} lines`)
      assert.isBelow(during, 80)
      await quick.revive()
      await serve("after-the-hang")
      await quick.assertOnceEach("plain", given)
      // The slot of the minute in which nothing could be asked, or the first one after it.
      await quick.settled("minutely", "a slot was run", (status) => successes(status).length >= 1, 60)
      const slots = quick.started("minutely").map(({ slot }) => slot)
      assert.strictEqual(new Set(slots).size, slots.length)
      assert.strictEqual(operator.process.exitCode, null)
    }, 400_000)

    it("recovers when its CustomResourceDefinition is deleted and put back", async () => {
      const { client } = quick.world.node
      const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/kafkabackups.kafka.oso.sh"
      const { apiVersion, kind, metadata, spec } = await client.get(path)
      const before = lines(operator.log)
      await client.delete(path)
      await quick.until("it is gone", async () => (await client.find(path)) === undefined, 60)
      await pause(10_000)
      assert.strictEqual((await operator.get("/healthz")).status, 200)
      const { labels, name } = metadata
      await client.create(path.slice(0, path.lastIndexOf("/")), {
        apiVersion,
        kind,
        metadata: { name, labels },
        spec
      })
      await quick.until(
        "it is established",
        async () =>
          (await client.get(path))["status"]?.conditions?.some(
            ({ status, type }: any) => type === "Established" && status === "True"
          ),
        60
      )
      await quick.until("resources are taken", () =>
        quick.create("reborn").then(
          () => true,
          () => false
        )
      )
      const since = performance.now()
      await quick.served("reborn", 1)
      console.log(
        `crd: served ${secondsSince(since).toFixed(1)} s after it is back, ${lines(operator.log) - before} lines`
      )
      assert.isBelow(lines(operator.log) - before, 60)
      await quick.assertOnceEach("reborn", [undefined])
      assert.strictEqual(operator.process.exitCode, null)
      assert.strictEqual(await operator.stop(), 0)
    }, 400_000)
  })
})
