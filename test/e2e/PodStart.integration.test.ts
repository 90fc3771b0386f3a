import { afterAll, assert, beforeAll, it } from "vitest"
import type { Json } from "../harness/processnode/ApiClient.ts"
import { describeWith } from "../harness/services.ts"
import { isQuiet, QuickWorld, successes } from "./QuickWorld.ts"
import { unique } from "./scenes.ts"

const condition = (status: Json, type: string): Json | undefined =>
  status["conditions"]?.find((one: Json) => one["type"] === type)

const onClaim = (claimName: string): Json => ({ storage: { storageType: "pvc", pvc: { claimName, subPath: "any" } } })

/** Runs whose pods the real scheduler cannot place. */
describeWith(["controlPlane"], "pods that cannot start", ({ apiserver }) => {
  let quick: QuickWorld
  /** Another namespace of the same operator. */
  let other: QuickWorld
  const patch = (name: string, spec: Json) =>
    quick.world.node.client.patch(
      `/apis/kafka.oso.sh/v1alpha1/namespaces/${quick.world.namespace}/kafkabackups/${name}`,
      { spec }
    )
  const reasons = async (name: string): Promise<ReadonlyArray<string>> =>
    (await quick.world.json("events.events.k8s.io")).items
      .filter((one: Json) => one["regarding"].name === name)
      .map((one: Json) => one["reason"])

  beforeAll(async () => {
    quick = await QuickWorld.make(apiserver, unique("pod-start"))
    other = await QuickWorld.make(apiserver, unique("pod-start-other"))
    await quick.world.start("only", `--watch-namespace=${other.world.namespace}`)
  })
  afterAll(async () => {
    await quick?.end()
    await other?.end()
  })

  it("run once their claim's name is corrected, under the same name and id", async () => {
    await quick.create("corrected", onClaim("missing"))
    const stuck = await quick.settled(
      "corrected",
      "the scheduler's words are shown",
      (status) => condition(status, "Ready")?.["message"].includes('persistentvolumeclaim "missing" not found') ?? false
    )
    assert.include(condition(stuck, "Ready")?.["message"], "A correction of the spec takes effect at once")
    const [before] = await quick.jobs("corrected")
    await patch("corrected", onClaim("backups"))
    const status = await quick.served("corrected", 1)
    assert.strictEqual(status["lastBackupId"], stuck["activeRun"].backupId)
    const jobs = await quick.jobs("corrected")
    assert.deepEqual(
      jobs.map(({ metadata }) => metadata.name),
      [before!["metadata"].name]
    )
    assert.notStrictEqual(jobs[0]!["metadata"].uid, before!["metadata"].uid)
    assert.lengthOf(quick.started("corrected"), 1)
    assert.includeMembers([...(await reasons("corrected"))], ["PodTrouble", "JobReplaced", "BackupSucceeded"])
  })

  it("are given up after their start deadline, in the scheduler's words, with nothing left of the Job", async () => {
    await quick.create("given-up", { ...onClaim("missing"), job: { startDeadlineSeconds: 30 } })
    const status = await quick.settled("given-up", "its run has failed", ({ phase }) => phase === "Failed")
    assert.strictEqual(status["backupHistory"][0].reason, "PodNotStarted")
    const { message } = status["backupHistory"][0]
    assert.include(message, 'persistentvolumeclaim "missing" not found', message)
    assert.isTrue(isQuiet(status))
    await quick.until("its Job is gone", async () => (await quick.jobs("given-up")).length === 0, 30)
    assert.include([...(await reasons("given-up"))], "BackupFailed")
    await patch("given-up", onClaim("backups"))
    await quick.trigger("given-up", "again")
    await quick.settled("given-up", "the next run is a success", (now) => successes(now).length === 1)
  })

  it("hold no other namespace up for longer than a minute, however many they are", async () => {
    const names = Array.from({ length: 10 }, (_, n) => `stuck-${n}`)
    for (const name of names) await quick.create(name, onClaim("missing"))
    await quick.until("as many Jobs as may be active are there", async () => {
      const jobs = await Promise.all(names.map((name) => quick.jobs(name)))
      return jobs.every((each) => each.length === 1)
    })
    await other.create("free")
    const queued = await other.settled(
      "free",
      "its run is queued",
      (status) => condition(status, "Progressing")?.["reason"] === "Queued"
    )
    assert.match(condition(queued, "Ready")?.["message"], /queued since .* at most 10 at the same time. It is first/u)
    await other.served("free", 1)
    for (const name of names) assert.isFalse(isQuiet(await quick.status(name)))
  })
})
