import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import * as Kind from "../../src/kubernetes/Kind.ts"
import { Forbidden } from "../../src/kubernetes/KubernetesError.ts"
import type { Job, KubeObject } from "../../src/kubernetes/Objects.ts"
import * as JobFacts from "../../src/operator/jobs/JobFacts.ts"
import * as Labels from "../../src/operator/Labels.ts"
import { layer, logOf, pods, type } from "./cluster.ts"

const orders: KubeObject = {
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name: "orders", namespace: "kafka" },
  spec: {
    kafkaCluster: {
      bootstrapServers: ["kafka:9092"],
      securityProtocol: "SASL_SSL",
      saslSecret: { name: "kafka-login", mechanism: "SCRAM-SHA-512", usernameKey: "user", passwordKey: "password" }
    },
    topics: ["*"],
    storage: {
      storageType: "s3",
      s3: {
        bucket: "kafka-backups",
        region: "eu-west-1",
        credentialsSecret: { name: "s3-login", accessKeyKey: "accessKey", secretKeyKey: "secretKey" }
      }
    }
  }
}

const applied = Effect.gen(function* () {
  const memory = yield* InMemoryKubernetes
  yield* memory.behind.create(Kind.kafkaBackups, orders)
  return memory
})

const jobs = Effect.flatMap(InMemoryKubernetes, ({ behind }) =>
  Effect.map(behind.list(Kind.jobs, { namespace: "kafka" }), ({ items }) => items)
)

/** Types a command and lets time pass until it has ended, at most that many seconds. */
const typed = Effect.fnUntraced(function* (args: ReadonlyArray<string>, seconds = 700) {
  const { settled } = yield* InMemoryKubernetes
  const fiber = yield* Effect.forkChild(type(...args))
  for (let n = 0; n < seconds; n++) {
    yield* settled
    if (fiber.pollUnsafe() !== undefined) break
    yield* TestClock.adjust("1 second")
  }
  return yield* Fiber.join(fiber)
})

const containerOf = (job: Job): any => (job.spec as any).template.spec.containers[0]

describe("kubectl kafka-backup list, describe, report, verify, prune", () => {
  it.effect("print the result of the worker's command on standard output, and nothing else", () =>
    Effect.gen(function* () {
      yield* applied
      const result = "BACKUP  STATE\norders-20261123-120000  complete\n"
      yield* pods(() => ({
        log: logOf(result, [
          '{"time":"2026-11-23T12:00:00.000Z","level":"info","msg":"all well"}',
          '{"time":"2026-11-23T12:00:00.000Z","level":"warn","msg":"slow storage"}',
          "verifying"
        ]),
        exitCode: 0
      }))
      assert.deepStrictEqual(yield* typed(["list", "orders"]), {
        exitCode: 0,
        out: result,
        err: "warn: slow storage\nverifying\n"
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("give the worker the arguments that were typed", () =>
    Effect.gen(function* () {
      yield* applied
      const seen: Array<ReadonlyArray<string>> = []
      yield* pods((_, job) => {
        const { args } = containerOf(job)
        seen.push(args.slice(0, args.indexOf("-f")))
        return { log: logOf(""), exitCode: 0 }
      })
      const id = "orders-20261123-120000"
      yield* typed(["list", "orders", "--failed", "-o", "json"])
      yield* typed(["describe", "orders", id])
      yield* typed(["report", "orders", id])
      yield* typed(["verify", "orders", id, "--deep"])
      yield* typed(["prune", "orders", "--dry-run"])
      assert.deepStrictEqual(seen, [
        ["list", "--failed", "-o", "json"],
        ["describe", id],
        ["report", id],
        ["verify", id, "--deep"],
        ["prune", "--dry-run"]
      ])
      const refused = yield* typed(["prune", "orders"])
      assert.strictEqual(refused.exitCode, 2)
      assert.match(refused.err, /give --dry-run/)
      const strange = yield* typed(["describe", "orders", "$(HOME)"])
      assert.match(strange.err, /"\$\(HOME\)" cannot be the id of a backup/)
      assert.strictEqual(seen.length, 5)
    }).pipe(Effect.provide(layer))
  )

  it.effect("verify the newest backup where none is named", () =>
    Effect.gen(function* () {
      const { behind } = yield* applied
      let args: ReadonlyArray<string> = []
      yield* pods((_, job) => {
        args = containerOf(job).args
        return { log: logOf("OK\n"), exitCode: 0 }
      })
      const without = yield* typed(["verify", "orders"])
      assert.strictEqual(without.exitCode, 17)
      assert.match(without.err, /the status of orders names no backup/)
      yield* behind.patch(
        Kind.kafkaBackups,
        { namespace: "kafka", name: "orders" },
        { status: { lastBackupId: "orders-20261123-120000" } },
        "status"
      )
      assert.strictEqual((yield* typed(["verify", "orders"])).out, "OK\n")
      assert.deepStrictEqual(args.slice(0, 2), ["verify", "orders-20261123-120000"])
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "run in a Job of the resource that the operator takes for none of its own, with storage's Secrets alone",
    () =>
      Effect.gen(function* () {
        const { behind } = yield* applied
        yield* pods(() => ({ log: logOf(""), exitCode: 0 }))
        yield* typed(["list", "orders"])
        const [job] = yield* jobs
        const uid = (yield* behind.get(Kind.kafkaBackups, { namespace: "kafka", name: "orders" })).metadata.uid!
        assert.isFalse(JobFacts.isFor(job!, uid))
        assert.isUndefined(JobFacts.purpose(job!))
        assert.deepStrictEqual(
          (yield* behind.list(Kind.jobs, { namespace: "kafka", labelSelector: Labels.ours })).items,
          []
        )
        assert.deepStrictEqual(
          (yield* behind.list(Kind.pods, { namespace: "kafka", labelSelector: Labels.ours })).items,
          []
        )
        assert.deepInclude(job!.metadata.ownerReferences![0]!, { kind: "KafkaBackup", name: "orders", uid })
        assert.isUndefined(job!.metadata.ownerReferences![0]!.controller)
        const { activeDeadlineSeconds, backoffLimit, template, ttlSecondsAfterFinished } = job!.spec as any
        assert.deepStrictEqual([activeDeadlineSeconds, backoffLimit, ttlSecondsAfterFinished], [720, 0, 300])
        const mounted = JSON.stringify(template.spec.volumes)
        assert.include(mounted, "s3-login")
        assert.notInclude(mounted, "kafka-login")
        assert.strictEqual(template.spec.automountServiceAccountToken, false)
        assert.notInclude(containerOf(job!).args, "--summary")
      }).pipe(Effect.provide(layer))
  )

  it.effect("use image, user, proxies and amounts of the newest Job of the resource", () =>
    Effect.gen(function* () {
      const { behind } = yield* applied
      const { uid = "" } = (yield* behind.get(Kind.kafkaBackups, { namespace: "kafka", name: "orders" })).metadata
      const made = (name: string, image: string): Job => ({
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: {
          name,
          namespace: "kafka",
          labels: {
            [Labels.managedBy.key]: Labels.managedBy.value,
            [Labels.uidLabel]: uid,
            [Labels.purposeLabel]: "run"
          }
        },
        spec: {
          template: {
            spec: {
              restartPolicy: "Never",
              securityContext: { runAsNonRoot: true },
              containers: [
                {
                  name: "backup",
                  image,
                  imagePullPolicy: "Always",
                  env: [
                    { name: "HTTPS_PROXY", value: "http://proxy/$$x" },
                    { name: "TMPDIR", value: "/elsewhere" },
                    { name: "KAFKA_BACKUP_RUN_SPEC", value: "old" }
                  ],
                  resources: { requests: { cpu: "2" }, limits: { memory: "3Gi" } }
                }
              ]
            }
          }
        }
      })
      yield* pods(() => ({ log: logOf(""), exitCode: 0 }))
      yield* behind.create(Kind.jobs, made("older", "registry/older:1"))
      yield* TestClock.adjust("1 minute")
      yield* behind.create(Kind.jobs, made("newer", "registry/newer:2"))
      yield* typed(["list", "orders"])
      yield* typed(["list", "orders", "--image", "mine:3"])
      const commands = (yield* jobs).filter(
        ({ metadata }) => metadata.labels?.[Labels.managedBy.key] === Labels.managedByCommand
      )
      const byImage = new Map(commands.map((job) => [containerOf(job).image as string, job]))
      assert.deepStrictEqual([...byImage.keys()].sort(), ["mine:3", "registry/newer:2"])
      const job = byImage.get("registry/newer:2")!
      const { env, imagePullPolicy, resources } = containerOf(job)
      assert.strictEqual(imagePullPolicy, "Always")
      assert.isUndefined(containerOf(byImage.get("mine:3")!).imagePullPolicy)
      assert.deepInclude(env, { name: "HTTPS_PROXY", value: "http://proxy/$$x" })
      assert.deepStrictEqual(
        env.filter(({ name }: { name: string }) => name === "TMPDIR"),
        [{ name: "TMPDIR", value: "/tmp" }]
      )
      assert.deepInclude(resources, { limits: { memory: "3Gi" } })
      // The operator was told that the platform chooses the user.
      assert.notProperty((job.spec as any).template.spec.securityContext, "runAsUser")
    }).pipe(Effect.provide(layer))
  )

  it.effect("end with the exit code of the worker's command, and show its words", () =>
    Effect.gen(function* () {
      yield* applied
      yield* pods(() => ({
        log: logOf("DAMAGED orders[0]\n", ["error: VerificationFailed: damaged", "what to do: another backup"]),
        exitCode: 16
      }))
      assert.deepStrictEqual(yield* typed(["verify", "orders", "orders-20261123-120000"]), {
        exitCode: 16,
        out: "DAMAGED orders[0]\n",
        err: "error: VerificationFailed: damaged\nwhat to do: another backup\n"
      })
    }).pipe(Effect.provide(layer))
  )

  it.effect("say that the output was cut off, and that the image is of another version", () =>
    Effect.gen(function* () {
      yield* applied
      yield* pods(() => ({ log: logOf(`${"x".repeat(3000)}\n`).slice(1), exitCode: 0 }))
      const cut = yield* typed(["list", "orders"])
      assert.strictEqual(cut.exitCode, 20)
      assert.match(cut.err, /has 953 of 3001 characters of the result/)
      yield* pods(() => ({ log: ["error: unknown command report"], exitCode: 2 }))
      const older = yield* typed(["report", "orders", "orders-20261123-120000", "--image", "old:1"])
      assert.strictEqual(older.exitCode, 2)
      assert.match(older.err, /error: ImageTooOld: image old:1 does not answer as this plugin expects/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("say of a pod that was killed why, and of one that is gone", () =>
    Effect.gen(function* () {
      yield* applied
      yield* pods(() => ({ log: [], exitCode: 137, reason: "OOMKilled" }))
      const killed = yield* typed(["list", "orders"])
      assert.strictEqual(killed.exitCode, 20)
      assert.match(
        killed.err,
        /error: PodLost: the pod of Job orders-command-[0-9a-f]{16} ended with exit code 137: .*memory/
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("say that somebody has deleted the Job, and not that it ends by itself", () =>
    Effect.gen(function* () {
      const { behind, node, settled } = yield* applied
      yield* node.run(() => Effect.never)
      const fiber = yield* Effect.forkChild(type("verify", "orders", "orders-20261123-120000"))
      for (let n = 0; n < 3; n++) {
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      const [job] = yield* jobs
      yield* behind.remove(Kind.jobs, job!.metadata, { propagation: "Background" })
      for (let n = 0; n < 5 && fiber.pollUnsafe() === undefined; n++) {
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      const { err, exitCode } = yield* Fiber.join(fiber)
      assert.strictEqual(exitCode, 20)
      assert.match(err, /^error: PodLost: the pod of Job \S+ gave no result: its Job was deleted\n/m)
      assert.notInclude(err, "ends by itself")
    }).pipe(Effect.provide(layer))
  )

  for (const [title, trouble, words] of [
    [
      "no node takes it",
      { _tag: "Unschedulable", message: "0/3 nodes are available" },
      /PodUnschedulable: .*0\/3 nodes/
    ],
    [
      "its image is missing",
      { _tag: "Waiting", reason: "ImagePullBackOff", message: "not found" },
      /ImagePullFailed: .*not found[^]*--image names another image/
    ],
    [
      "a Secret is missing",
      { _tag: "Waiting", reason: "CreateContainerConfigError", message: 'secret "s3-login" not found' },
      /ContainerCannotStart: .*s3-login/
    ]
  ] as const) {
    it.effect(`say why the pod does not start where ${title}, and remove the Job`, () =>
      Effect.gen(function* () {
        const { node } = yield* applied
        yield* node.trouble(() => trouble)
        const { err, exitCode } = yield* typed(["list", "orders", "--start-timeout", "1m"], 61)
        assert.strictEqual(exitCode, 20)
        assert.match(err, /^waiting: /)
        assert.match(err, /error: PodNotStarted: the pod of Job orders-command-\w+ has not started within (20|60) s: /)
        assert.match(err, words)
        assert.deepStrictEqual(yield* jobs, [])
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("end after --timeout, and say how to give them longer", () =>
    Effect.gen(function* () {
      const { node } = yield* applied
      yield* node.run(() => Effect.never)
      const { err, exitCode } = yield* typed(["verify", "orders", "orders-20261123-120000", "--timeout", "30s"], 40)
      assert.strictEqual(exitCode, 20)
      assert.match(err, /error: CommandTimedOut: verify was still at work after 30 s, and was ended\n.*--timeout 2h/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("read on where the connection to the log broke, and print nothing twice", () =>
    Effect.gen(function* () {
      yield* applied
      const log = logOf("one\ntwo\n".repeat(1000), ["verifying"])
      yield* pods(() => ({ log, exitCode: 0, breaks: [1, 3] }))
      assert.deepStrictEqual(yield* typed(["list", "orders"]), {
        exitCode: 0,
        out: "one\ntwo\n".repeat(1000),
        err: "verifying\n"
      })
      yield* pods(() => ({ log, exitCode: 0, breaks: Array(10).fill(2) }))
      const never = yield* typed(["list", "orders"])
      assert.match(
        never.err,
        /error: OutputIncomplete: the log of Job \S+ cannot be read: get pods\/log: the connection broke/
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("remove the Job when they are interrupted", () =>
    Effect.gen(function* () {
      const { node, settled } = yield* applied
      yield* node.run(() => Effect.never)
      const fiber = yield* Effect.forkChild(type("verify", "orders", "orders-20261123-120000", "--deep"))
      for (let n = 0; n < 3; n++) {
        yield* settled
        yield* TestClock.adjust("1 second")
      }
      assert.strictEqual((yield* jobs).length, 1)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* jobs, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("name the right that is missing, and the role that has it", () =>
    Effect.gen(function* () {
      const { disturb } = yield* applied
      const detail =
        'jobs.batch is forbidden: User "u" cannot create resource "jobs" in API group "batch" in the namespace "kafka"'
      yield* disturb({
        _tag: "Fail",
        reason: new Forbidden({ detail, isNamespaceTerminating: false, isQuota: false }),
        when: ({ kind, verb }) => verb === "create" && kind === "jobs"
      })
      const { err, exitCode } = yield* typed(["list", "orders"])
      assert.strictEqual(exitCode, 12)
      assert.match(err, /error: RightMissing: .*cannot create resource "jobs"/)
      assert.match(err, /the right to create jobs is in ClusterRole kafka-backup-commands/)
    }).pipe(Effect.provide(layer))
  )
})
