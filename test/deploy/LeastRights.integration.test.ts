import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import * as Restores from "../resource/restoreManifests.ts"
import { exposition } from "../telemetry/exposition.ts"
import { type Json, root } from "./manifests.ts"
import { movedRights } from "./movedRights.ts"

/*
 * The operator itself, with the token of the service account and the arguments of deploy/, on a real API server: what
 * it may do is enough, and it tries nothing that it may not.
 */

const watched = "least-rights-watched"
const other = "least-rights-other"
const image = "example.com/backup:1"

describeWith("apiserver", "an operator with the rights of deploy/ and no others", ({ apiserver }) => {
  const scratch = mkdtempSync(join(tmpdir(), "kafka-backup-rights-"))
  const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(apiserver, args)
  const apply = (...items: ReadonlyArray<Json>) =>
    Kubectl.succeed(
      apiserver,
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items })
    )
  const list = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<Json>> =>
    JSON.parse(await kubectl("get", ...args, `--namespace=${watched}`, "-o", "json")).items

  const within = async <A>(what: string, look: () => Promise<A | undefined>): Promise<A> => {
    for (let attempt = 0; attempt < 240; attempt++) {
      const found = await look()
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    throw new Error(`${what} did not come`)
  }

  /** A kubeconfig of the operator's account, as its token in a pod would let it in. */
  const accountOf = async (own: string): Promise<string> => {
    const token = (await kubectl("create", "token", "kafka-backup-operator", `--namespace=${own}`)).trim()
    const config = JSON.parse(await kubectl("config", "view", "--raw", "--minify", "-o", "json")) as Json
    const file = join(scratch, `${own}.json`)
    const users = [{ name: config["users"][0].name, user: { token } }]
    writeFileSync(file, JSON.stringify({ ...config, users }), { mode: 0o600 })
    return file
  }

  const operator = (kubeconfig: string, args: ReadonlyArray<string>) => {
    const child = spawn(
      process.execPath,
      [join(root, "src/main.ts"), "operator", `--image=${image}`, "--listen=127.0.0.1:0", ...args],
      { env: { ...process.env, KUBECONFIG: kubeconfig, POD_NAME: "operator-0" }, stdio: ["ignore", "pipe", "pipe"] }
    )
    let output = ""
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()))
    const ended = new Promise<void>((resolve) => void child.once("close", () => resolve()))
    return {
      output: () => output,
      stop: () => {
        child.kill("SIGTERM")
        return ended
      }
    }
  }

  beforeAll(async () => {
    for (const name of ["kafkabackup", "kafkarestore"]) {
      await kubectl("apply", "--server-side", "--force-conflicts", "-f", join(root, `crds/${name}.yaml`))
      await Kubectl.established(apiserver, `crd/${name}s.kafka.oso.sh`)
    }
    await apply(...[watched, other].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })))
  })
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))

  describe.each([
    // Not all namespaces: those of other tests have resources of their own, which this operator would run.
    {
      overlay: "cluster-wide",
      own: "least-rights-cluster",
      args: [`--watch-namespace=${watched}`, `--watch-namespace=${other}`]
    },
    { overlay: "single-namespace", own: "least-rights-single", args: [`--watch-namespace=${watched}`] }
  ] as const)("$overlay", ({ args, overlay, own }) => {
    it("leads, starts a run and a restore, reports them in status and Events, cleans up, and is never refused", async () => {
      const account = { name: "kafka-backup-operator", namespace: own }
      await apply(
        { apiVersion: "v1", kind: "Namespace", metadata: { name: own } },
        { apiVersion: "v1", kind: "ServiceAccount", metadata: account }
      )
      const rights = await movedRights(apiserver, { overlay, own, watched, image })
      await apply(...rights)
      const running = operator(await accountOf(own), [`--namespace=${own}`, ...args])
      const name = `${overlay}-${Date.now()}`
      try {
        const sample = readFileSync(join(root, "deploy/samples/01-simple.yaml"), "utf8")
        const manifest = sample
          .replace(/name: simple-backup/u, `name: ${name}\n  namespace: ${watched}`)
          .replace(/^spec:$/mu, "spec:\n  deletionPolicy: Delete")
        await Kubectl.succeed(apiserver, ["create", "-f", "-"], manifest)

        const address = await within(
          "the listener",
          async () => /http:\/\/127\.0\.0\.1:\d+/u.exec(running.output())?.[0]
        )
        const job = await within("a Job", async () =>
          (await list("jobs")).find(({ metadata }) => metadata.annotations["kafka.oso.sh/kafkabackup"] === name)
        )
        assert.strictEqual(job["metadata"].ownerReferences[0].name, name)
        const resource = await within("its status", async () =>
          (await list("kafkabackups")).find(
            ({ metadata, status }) => metadata.name === name && status?.phase === "Running"
          )
        )
        assert.deepStrictEqual(resource["metadata"].finalizers, ["kafka.oso.sh/cleanup"])
        await within("an Event", async () =>
          (await list("events.events.k8s.io")).find(
            ({ regarding, reason }) => regarding.name === name && reason === "BackupStarted"
          )
        )
        assert.strictEqual(await (await fetch(`${address}/readyz`)).text(), "leading\n")
        const lease = JSON.parse(
          await kubectl("get", "lease", "kafka-backup-operator", `--namespace=${own}`, "-o", "json")
        ) as Json
        assert.match(lease["spec"].holderIdentity, /^operator-0_/)

        const restore = { ...Restores.manifest(Restores.bareSpec()), metadata: { name, namespace: watched } }
        await Kubectl.succeed(apiserver, ["create", "-f", "-"], JSON.stringify(restore))
        await within("a Job of the restore", async () =>
          (await list("jobs")).find(({ metadata }) => metadata.annotations["kafka.oso.sh/kafkarestore"] === name)
        )
        await within("its status", async () =>
          (await list("kafkarestores")).find(
            ({ metadata, status }) => metadata.name === name && status?.conditions?.length > 0
          )
        )
        await within("its Event", async () =>
          (await list("events.events.k8s.io")).find(
            ({ regarding }) => regarding.name === name && regarding.kind === "KafkaRestore"
          )
        )
        await kubectl("delete", "kafkarestore", name, `--namespace=${watched}`)

        await kubectl("delete", "kafkabackup", name, `--namespace=${watched}`, "--wait=false")
        await within("the end of the run's Job", async () => {
          const jobs = await list("jobs", `--selector=kafka.oso.sh/uid=${resource["metadata"].uid}`)
          const run = jobs.find(({ metadata }) => metadata.name === job["metadata"].name)
          return run === undefined || run["metadata"].deletionTimestamp !== undefined ? true : undefined
        })

        const metrics = await (await fetch(`${address}/metrics`)).text()
        const requests = metrics
          .split("\n")
          .filter((line) => line.startsWith("kafka_backup_operator_api_requests_total"))
        assert.isTrue(exposition(metrics).has("kafka_backup_operator_api_requests_total"))
        for (const verb of ["watch", "create", "apply", "patch"]) {
          assert.isTrue(
            requests.some((line) => line.includes(`verb="${verb}"`)),
            verb
          )
        }
        assert.deepStrictEqual(
          requests.filter((line) => /code="(401|403)"/.test(line)),
          []
        )
        assert.include(metrics, "kafka_backup_operator_leader 1\n")
        assert.notMatch(metrics, /events_dropped_total\{[^}]+\} [1-9]/)
      } catch (error) {
        throw new Error(`${String(error)}\n${running.output().slice(-4000)}`, { cause: error })
      } finally {
        await running.stop()
        const nothing = JSON.stringify({ metadata: { finalizers: null } })
        await Kubectl.run(apiserver, [
          "patch",
          "kafkabackup",
          name,
          `--namespace=${watched}`,
          "--type=merge",
          "-p",
          nothing
        ])
        await Kubectl.run(apiserver, ["delete", "kafkarestores", "--all", `--namespace=${watched}`, "--wait=false"])
        await Kubectl.run(apiserver, ["delete", "jobs", "--all", `--namespace=${watched}`, "--wait=false"])
        const items = JSON.stringify({ apiVersion: "v1", kind: "List", items: rights })
        await Kubectl.run(apiserver, ["delete", "--ignore-not-found", "-f", "-"], items)
      }
    })
  })
})
