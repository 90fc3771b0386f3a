import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { Event, KubeObject } from "../../src/kubernetes/Objects.ts"
import * as Description from "../../src/testing/Description.ts"
import { kafkaBackup, TestOperator } from "../../src/testing/index.ts"
import * as PrinterColumns from "../../src/testing/PrinterColumns.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"

const namespace = "printing-test"
const crd = readFileSync(new URL("../../crds/kafkabackup.yaml", import.meta.url), "utf8")

describeWith("apiserver", "what tests see as kubectl's output", ({ apiserver }) => {
  const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(apiserver, ["--namespace", namespace, ...args])
  const apply = (object: object) =>
    Kubectl.succeed(apiserver, ["apply", "--server-side", "-f", "-"], JSON.stringify(object))
  const items = async <A>(kind: string) =>
    (JSON.parse(await kubectl("get", kind, "-o", "json")) as { readonly items: ReadonlyArray<A> }).items

  /** Resources of one that failed and one that went well, with the statuses that the operator gave them in memory. */
  beforeAll(async () => {
    await using operator = await TestOperator.start({ at: "2026-11-25T11:50:00Z" })
    await operator.kafka.createTopic("orders", { records: 20 })
    const manifests = [
      kafkaBackup({ name: "hourly", schedule: "0 * * * *", topics: ["orders"], labels: { team: "shop", app: "x" } }),
      kafkaBackup({ name: "once-of-a-topic-that-is-not-there", topics: ["absent"], annotations: { a: "b" } })
    ]
    for (const manifest of manifests) await operator.kubectl.apply(manifest)
    await operator.advance("70 minutes")

    await Kubectl.succeed(apiserver, ["apply", "--server-side", "--force-conflicts", "-f", "-"], crd)
    await Kubectl.established(apiserver, "crd/kafkabackups.kafka.oso.sh")
    await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } })
    for (const manifest of manifests) {
      const { name } = manifest.metadata
      await apply({ ...manifest, metadata: { ...manifest.metadata, namespace } })
      const { metadata } = JSON.parse(await kubectl("get", "kafkabackup", name, "-o", "json")) as KubeObject
      const event = (await operator.kubectl.events()).find(({ regarding }) => regarding?.name === name)!
      await apply({
        ...event,
        metadata: { name: event.metadata.name, namespace },
        regarding: { ...event.regarding, namespace, uid: metadata.uid }
      })
      const status = await operator.kubectl.status(name)
      await kubectl(
        "patch",
        "kafkabackup",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        JSON.stringify({ status })
      )
    }
  })
  afterAll(() => Kubectl.run(apiserver, ["delete", "namespace", namespace, "--wait=false"]))

  /** Our text at one of the instants at which kubectl may have looked at its clock. */
  const atThatTime = async (asked: () => Promise<string>, ours: (nowMillis: number) => string) => {
    const sinceMillis = Date.now()
    const theirs = await asked()
    const untilMillis = Date.now()
    const candidates = Array.from({ length: Math.ceil((untilMillis - sinceMillis) / 100) + 1 }, (_, i) =>
      ours(sinceMillis + i * 100)
    )
    return { theirs, ours: candidates.find((text) => text === theirs) ?? candidates[0]! }
  }
  const trimmed = (text: string) => text.trimEnd().replaceAll(/ +$/gm, "")

  for (const isWide of [false, true]) {
    it(`is the table of kubectl get${isWide ? " -o wide" : ""}, byte for byte`, async () => {
      const resources = await items<KubeObject>("kafkabackups")
      const { ours, theirs } = await atThatTime(
        async () => trimmed(await kubectl("get", "kafkabackups", ...(isWide ? ["-o", "wide"] : []))),
        (nowMillis) => PrinterColumns.table(resources, { columns: PrinterColumns.ofBackups, nowMillis, isWide })
      )
      assert.strictEqual(ours, theirs)
    })
  }

  it("is the description of kubectl describe, byte for byte", async () => {
    const resources = await items<KubeObject>("kafkabackups")
    assert.lengthOf(resources, 2)
    for (const resource of resources) {
      const events = (await items<Event>("events.events.k8s.io")).filter(
        ({ regarding }) => regarding?.uid === resource.metadata.uid
      )
      assert.lengthOf(events, 1)
      const { ours, theirs } = await atThatTime(
        async () => trimmed(await kubectl("describe", "kafkabackup", resource.metadata.name)),
        (nowMillis) => Description.of(resource, events, nowMillis)
      )
      assert.strictEqual(ours, theirs)
    }
  })
})
