import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, it } from "vitest"
import * as Plugin from "../../scripts/plugin/Bundle.ts"
import { JavaKafka } from "../harness/JavaKafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { OperatorWorld } from "./operatorWorld.ts"
import { unique } from "./scenes.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** The built plugin, as kubectl finds it in the PATH, against a cluster whose operator makes real backups. */
describeWith(
  ["controlPlane", "kafka", "java"],
  "kubectl kafka-backup in a cluster",
  ({ apiserver, java: tools, kafka }) => {
    const topic = unique("plugin")
    const folder = mkdtempSync(join(tmpdir(), "kafka-backup-plugin-"))
    let java: JavaKafka
    let world: OperatorWorld

    /** What a user types behind `kubectl kafka-backup`, in the namespace of the test. */
    const plugin = (...args: ReadonlyArray<string>) =>
      Kubectl.plugin(apiserver, folder, ["kafka-backup", ...args, `--namespace=${world.namespace}`])
    const succeed = async (...args: ReadonlyArray<string>): Promise<string> => {
      const { code, stderr, stdout } = await plugin(...args)
      assert.strictEqual(code, 0, `${args.join(" ")}:\n${stderr}${stdout}`)
      return stdout
    }

    const resource = (name: string, spec: object = {}) => ({
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name },
      spec: {
        schedule: "0 0 1 1 *",
        kafkaCluster: { bootstrapServers: [kafka.plaintext] },
        topics: [topic],
        storage: { storageType: "pvc", pvc: { claimName: "backups", subPath: name } },
        incremental: { enabled: false },
        ...spec
      }
    })

    beforeAll(async () => {
      const building = Plugin.write(root, folder)
      java = await JavaKafka.start({ classpath: tools.classpath, bootstrap: kafka.plaintext })
      await java.createTopics({ name: topic, partitions: 2 })
      await java.load({ topic, count: 600, seed: 1, shape: "json" })
      world = await OperatorWorld.make(apiserver, unique("op-plugin"))
      await world.start("plugin")
      await building
      await world.apply(resource("shop", { retention: { backups: 3 } }))
    })
    afterAll(async () => {
      await world?.end()
      await java?.close()
      rmSync(folder, { recursive: true, force: true })
    })

    it("checks, makes a backup, says that it is safe, and shows its log", async () => {
      assert.match(await succeed("check", "shop", "--wait"), /^passed: /)
      const made = await plugin("trigger", "shop", "--wait", "--timeout=2m")
      assert.strictEqual(made.code, 0, made.stderr)
      assert.match(made.stdout, /^shop-\d{8}-\d{6} is complete and verified: 600 records in /)
      assert.match(made.stderr, /a run of KafkaBackup .* is asked for\n/)

      const all = JSON.parse(await succeed("status", "-o", "json"))
      assert.deepInclude(all, { answer: "The backup is safe", needsAttention: false })
      const one = await succeed("status", "shop", "--exit-code")
      for (const part of ["/shop: safe", "2 partitions, 600 records", "pvc://backups/shop", "next slot"]) {
        assert.include(one, part)
      }
      const log = await succeed("logs", "shop")
      assert.match(log, /^\d\d:\d\d:\d\d\.\d{3} INFO {2}/m)
      assert.match(log, /^report: /m)
      assert.match(await succeed("logs", "shop", "-o", "json", "--tail", "1"), /^\{"type":"report"/)
    })

    it("lists, describes, reports and verifies what lies in storage, by Jobs that are none of the operator's", async () => {
      const listed = JSON.parse(await succeed("list", "shop", "-o", "json"))
      const [backupId] = listed.map((entry: any) => entry.backupId)
      assert.deepInclude(listed[0], { state: "complete", records: 600 })
      const [described, reported, verified, pruned, unknown] = await Promise.all([
        succeed("describe", "shop", backupId),
        succeed("report", "shop", backupId, "-o", "json"),
        succeed("verify", "shop", "--deep"),
        succeed("prune", "shop", "--dry-run"),
        plugin("describe", "shop", `${backupId.slice(0, -6)}000000`)
      ])
      assert.match(described, new RegExp(`\\n${topic} +1 +`, "u"))
      assert.deepInclude(JSON.parse(reported), { outcome: "success", backupId })
      assert.match(verified, /^OK shop-\S+: 600 records .* every checksum is correct\n$/)
      assert.match(pruned, /^would keep shop-/)
      assert.strictEqual(unknown.code, 17)
      assert.match(unknown.stderr, /error: SetNotFound: there is no backup shop-/)
      assert.strictEqual(unknown.stdout, "")

      const { backupHistory, activeRun } = await world.status("shop")
      assert.deepStrictEqual([backupHistory.length, activeRun], [1, undefined])
      const jobs = (await world.json("jobs")).items.map(({ metadata }: any) => metadata)
      const commands = jobs.filter(({ name }: any) => name.startsWith("shop-command-"))
      assert.strictEqual(commands.length, 6)
      for (const { labels, ownerReferences } of commands) {
        assert.strictEqual(labels["app.kubernetes.io/managed-by"], "kubectl-kafka-backup")
        assert.strictEqual(ownerReferences[0].name, "shop")
      }
    })

    it("finds a run that failed, and says why the pod of a command does not start", async () => {
      await world.apply(resource("broken", { suspend: true, topics: [`${topic}-gone`] }))
      await plugin("trigger", "broken", "--wait", "--timeout=2m")
      const [failed] = JSON.parse(await succeed("list", "broken", "--failed", "-o", "json"))
      assert.deepInclude(failed, { reason: "TopicMissing", now: "unfinished" })
      const shown = await succeed("report", "broken", failed.backupId)
      assert.match(shown, /\nerror: TopicMissing: the cluster has no topic \S+-gone.*\nwhat to do: /)

      const pulled = await plugin("list", "shop", "--image", "nowhere/none:1", "--start-timeout=5s")
      assert.strictEqual(pulled.code, 20)
      assert.match(pulled.stderr, /error: PodNotStarted: .*ImagePullFailed: .*nowhere\/none:1/)
      const refused = await Kubectl.plugin({ ...apiserver, kubeconfig: world.kubeconfig }, folder, [
        "kafka-backup",
        "list",
        "shop",
        `--namespace=${world.namespace}`
      ])
      assert.notStrictEqual(refused.code, 0)
      assert.strictEqual(refused.stdout, "")
    }, 120_000)

    it("tries a restore, writes nothing by that, then restores by the command that it names", async () => {
      const tried = await plugin("restore", "shop", "--name", "again")
      assert.strictEqual(tried.code, 19, tried.stderr + tried.stdout)
      assert.match(tried.stdout, /again: failed\n/)
      assert.include(tried.stdout, topic)
      assert.include(tried.stdout, "what to do:")

      const manifest = {
        apiVersion: "kafka.oso.sh/v1alpha1",
        kind: "KafkaRestore",
        metadata: { name: "renamed" },
        spec: {
          backupRef: { name: "shop" },
          targetCluster: { bootstrapServers: [kafka.plaintext] },
          topicMapping: { [topic]: `${topic}-restored` }
        }
      }
      const file = join(folder, "restore.json")
      writeFileSync(file, JSON.stringify(manifest))
      const dry = await succeed("restore", "-f", file)
      assert.match(dry, /nothing was written; to restore: kubectl kafka-backup restore -f \S+ -n \S+ --yes/)
      const restored = JSON.parse(await succeed("restore", "-f", file, "--yes", "-o", "json"))
      assert.deepInclude(restored, { dryRun: false, outcome: "success" })
      assert.strictEqual(restored.status.restoredRecords, 600)
      assert.match(await succeed("logs", "restore/renamed", "--follow"), /^report: /m)
    })

    it("suspends and resumes, and says what a wrong name, context and right are", async () => {
      assert.match(await succeed("suspend", "shop"), /is suspended: .* a trigger still works/)
      assert.match(await succeed("status", "shop"), /suspended/)
      assert.match(await succeed("resume", "shop"), /is resumed: the next backup starts at \d{4}-01-01T00:00:00Z/)

      const unknown = await plugin("trigger", "shopp")
      assert.strictEqual(unknown.code, 17)
      assert.match(unknown.stderr, /there is no KafkaBackup shopp in namespace \S+; did you mean shop\?/)
      const nowhere = await plugin("status", "--context", "nowhere")
      assert.strictEqual(nowhere.code, 2)
      assert.match(nowhere.stderr, /has no context nowhere/)

      // The ServiceAccount of the operator may not change the spec of what it backs up.
      const refused = await Kubectl.plugin({ ...apiserver, kubeconfig: world.kubeconfig }, folder, [
        "kafka-backup",
        "restore",
        "shop",
        `--namespace=${world.namespace}`
      ])
      assert.strictEqual(refused.code, 12, refused.stderr)
      assert.match(refused.stderr, /RightMissing: .* cannot create resource "kafkarestores"/)
      assert.match(refused.stderr, /ClusterRole kafka-backup-edit/)
    })
  }
)
