import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { InMemoryKubernetes } from "../../src/kubernetes/InMemoryKubernetes.ts"
import { kafkaBackups, kafkaRestores, jobs, pods } from "../../src/kubernetes/Kind.ts"
import { Forbidden, Unavailable } from "../../src/kubernetes/KubernetesError.ts"
import { checkAnnotation, triggerAnnotation } from "../../src/resource/KafkaBackup.ts"
import * as JobName from "../../src/identity/JobName.ts"
import { layer, Logs, namespace, prompt, resource, spec, type } from "./terminal.ts"

const time = "2026-11-30T04:00:00Z"

const ready = (status: "True" | "False" | "Unknown", reason: string, message: string) => ({
  type: "Ready",
  status,
  reason,
  message,
  lastTransitionTime: time,
  observedGeneration: 1
})

const safe = {
  observedGeneration: 1,
  phase: "Completed",
  lastBackupId: "orders-20261130-040000",
  lastBackupTime: time,
  conditions: [ready("True", "BackupScheduled", "Next backup at 05:00. Last success: an hour ago.")],
  backupHistory: [
    { backupId: "orders-20261130-040000", startTime: time, outcome: "success", cause: "schedule", jobName: "orders-1" }
  ]
}

const memory = Effect.gen(function* () {
  return yield* InMemoryKubernetes
})

/** A KafkaBackup that is there, with this status. */
const there = Effect.fnUntraced(function* (name: string, status: object = safe) {
  const { behind } = yield* memory
  yield* behind.create(kafkaBackups, resource(name))
  yield* says(name, status)
})

/** The operator says this of it. */
const says = Effect.fnUntraced(function* (name: string, status: object, kind = kafkaBackups) {
  const { behind } = yield* memory
  yield* behind.patch(kind, { namespace, name }, { status }, "status")
})

const annotation = Effect.fnUntraced(function* (name: string, key: string) {
  const { behind } = yield* memory
  const { metadata } = yield* behind.get(kafkaBackups, { namespace, name })
  return metadata.annotations?.[key]
})

/** Gives what runs beside the test time to get to its next sleep. */
const breathe = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))

/** Seconds pass, one after the other. */
const seconds = (n: number) => Effect.repeat(Effect.andThen(breathe, TestClock.adjust(1000)), { times: n - 1 })

/** Waits until something is there; no time passes in the cluster. */
const eventually = Effect.fnUntraced(function* <A, E, R>(read: Effect.Effect<A | undefined, E, R>) {
  for (let tries = 0; tries < 1000; tries++) {
    const found = yield* Effect.catch(read, () => Effect.succeed(undefined))
    if (found !== undefined) return found
    yield* breathe
  }
  return yield* Effect.die(new Error("it never came"))
})

/** Lets time pass until the command has ended. */
const outcomeOf = Effect.fnUntraced(function* <A, E>(typed: Fiber.Fiber<A, E>) {
  for (let tries = 0; tries < 1000 && typed.pollUnsafe() === undefined; tries++) yield* seconds(1)
  return yield* Fiber.join(typed)
})

describe("kubectl kafka-backup", () => {
  it.effect("answers in one line whether all is safe, then has a line for each resource, the worst first", () =>
    Effect.gen(function* () {
      yield* there("orders")
      yield* there("audit", {
        ...safe,
        conditions: [ready("False", "BackupFailed", "audit failed: the broker refuses the password")]
      })
      const { exitCode, out } = yield* type("status")
      assert.strictEqual(exitCode, 0)
      const [answer, , heading, first, second] = out.split("\n")
      assert.strictEqual(answer, "1 of 2 resources needs attention in namespace shop.")
      assert.match(heading!, /^STATE +NAME +LAST +NEXT +SIZE +WHY$/)
      assert.match(first!, /^failed +audit .* the broker refuses the password$/)
      assert.match(second!, /^safe +orders /)
      assert.strictEqual((yield* type("status", "--exit-code")).exitCode, 16)
      const { answer: said, resources } = JSON.parse((yield* type("status", "-A", "-o", "json")).out)
      assert.deepStrictEqual([said, resources.length], ["1 of 2 resources needs attention", 2])
    }).pipe(Effect.provide(layer))
  )

  it.effect("says what to do next about one resource", () =>
    Effect.gen(function* () {
      yield* there("audit", {
        ...safe,
        conditions: [
          ready("False", "BackupFailed", "audit failed: the broker refuses the password"),
          { ...ready("True", "X", "one topic is compacted"), type: "Warnings" }
        ]
      })
      const { out } = yield* type("status", "audit")
      assert.match(
        out,
        /^KafkaBackup shop\/audit: failed\naudit failed: the broker refuses the password \(Ready: BackupFailed\)\n/
      )
      for (const part of [
        "last success  2026-11-30T04:00:00Z",
        "not well:\n  Warnings (X): one topic is compacted",
        "to see why: kubectl kafka-backup logs -n shop audit",
        "kubectl kafka-backup trigger --wait -n shop audit"
      ]) {
        assert.include(out, part)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("names what is near to a name that does not exist, and what there is", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const { err, exitCode, out } = yield* type("trigger", "order")
      assert.deepStrictEqual([exitCode, out], [17, ""])
      assert.match(err, /there is no KafkaBackup order in namespace shop; did you mean orders\?/)
      assert.match(err, /there is orders in this namespace/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("takes the name of a KafkaBackup as kubectl prints it", () =>
    Effect.gen(function* () {
      yield* there("orders")
      for (const name of ["kafkabackup/orders", "backup/orders", "kafkabackup.kafka.oso.sh/orders"]) {
        const { exitCode, out } = yield* type("trigger", name)
        assert.strictEqual(exitCode, 0)
        assert.match(out, /^a run of KafkaBackup shop\/orders is asked for/)
      }
      assert.strictEqual((yield* type("trigger", "restore/orders")).exitCode, 17)
    }).pipe(Effect.provide(layer))
  )

  it.effect("names the role of a right that is missing, and who can grant it", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const { disturb } = yield* memory
      const detail =
        'kafkabackups.kafka.oso.sh "orders" is forbidden: User "jane" cannot patch resource "kafkabackups" in API group "kafka.oso.sh" in the namespace "shop"'
      const reason = new Forbidden({ detail, isNamespaceTerminating: false, isQuota: false })
      yield* disturb({ _tag: "Fail", reason, when: ({ verb }) => verb === "patch" })
      const { err, exitCode } = yield* type("trigger", "orders")
      assert.strictEqual(exitCode, 12)
      assert.include(err, `error: RightMissing: ${detail}`)
      assert.include(err, "ClusterRole kafka-backup-edit, which is part of edit and admin")
      assert.include(err, "kubectl create rolebinding NAME -n shop --clusterrole=kafka-backup-edit --user=USER")
    }).pipe(Effect.provide(layer))
  )

  it.effect(
    "says that the definitions are not installed, that the API server is away, and that a context is unknown",
    () =>
      Effect.gen(function* () {
        const { disturb, uninstall } = yield* memory
        const unknown = yield* type("status", "--context", "prod", "-o", "json")
        assert.strictEqual(unknown.exitCode, 2)
        assert.strictEqual(JSON.parse(unknown.out).error.reason, "NoCluster")
        yield* uninstall(kafkaBackups)
        const missing = yield* type("status")
        assert.deepStrictEqual([missing.exitCode, /NotInstalled: .*context test/.test(missing.err)], [17, true])
        yield* disturb({
          _tag: "Fail",
          reason: new Unavailable({ detail: "connect ECONNREFUSED" }),
          when: ({ verb }) => verb === "list",
          times: 2
        })
        const away = yield* type("status", "-o", "json")
        assert.strictEqual(away.exitCode, 20)
        assert.deepInclude(JSON.parse(away.out).error, { reason: "ApiUnreachable", isRetryable: true })
      }).pipe(Effect.provide(layer))
  )

  it.effect("follows the run of its own trigger to the end, behind one that is active", () =>
    Effect.gen(function* () {
      yield* there("orders", {
        ...safe,
        activeRun: { backupId: "orders-20261130-050000", cause: "schedule", startTime: time }
      })
      const typed = yield* Effect.forkChild(type("trigger", "orders", "--wait", "--full"))
      const token = yield* eventually(annotation("orders", triggerAnnotation))
      yield* seconds(2)
      assert.match(token!, /^full-kubectl-/)
      const earlier = { backupId: "orders-20261130-050000", startTime: time, outcome: "success", cause: "schedule" }
      const own = { backupId: "orders-20261130-051500", cause: "trigger", startTime: time }
      const progress = {
        partitionsTotal: 4,
        partitionsDone: 1,
        records: 10,
        bytes: 100,
        percent: 25,
        updatedTime: time
      }
      yield* says("orders", { activeRun: own, progress, handledTrigger: token, backupHistory: [earlier] })
      yield* seconds(2)
      const failed = {
        ...own,
        outcome: "failed",
        reason: "KafkaAuthenticationFailed",
        message: "the broker refuses it"
      }
      yield* says("orders", { activeRun: null, progress: null, backupHistory: [failed, earlier] })
      yield* seconds(2)
      const { err, exitCode, out } = yield* outcomeOf(typed)
      assert.strictEqual(exitCode, 12)
      assert.include(err, "waiting for the run orders-20261130-050000 to end\n")
      assert.include(err, "orders-20261130-051500: 25 %, 1 of 4 partitions, 10 records\n")
      assert.match(out, /^failed: orders-20261130-051500: the broker refuses it\n/)
      assert.include(out, "logs -n shop orders --run orders-20261130-051500")
    }).pipe(Effect.provide(layer))
  )

  it.effect("stops waiting at the end of its time, and says what it waited for", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const typed = yield* Effect.forkChild(type("trigger", "orders", "--wait", "--timeout", "90s"))
      const { err, exitCode } = yield* outcomeOf(typed)
      assert.strictEqual(exitCode, 20)
      assert.match(err, /NotInTime: the run did not end within 1m30s: waiting for the operator/)
    }).pipe(Effect.provide(layer))
  )

  for (const [words, what, kind] of [
    [["trigger", "orders", "--wait"], "the run", "orders"],
    [["check", "orders", "--wait"], "the check", "orders"],
    [["restore", "orders", "--name", "back"], "the restore", "restore/back"]
  ] as const) {
    it.effect(`says at Ctrl-C of ${words[0]} that ${what} goes on, and asks for no repetition`, () =>
      Effect.gen(function* () {
        yield* there("orders")
        const { process, run, shown } = prompt(...words, "-o", "json")
        const typed = yield* Effect.forkChild(run)
        yield* eventually(Effect.sync(() => process.interruption))
        yield* seconds(2)
        yield* Fiber.interrupt(typed)
        assert.strictEqual(process.exitCode, 20)
        const advice = `it goes on in the cluster: kubectl kafka-backup status -n shop ${kind}`
        const { err, out } = shown()
        assert.include(err, `NotInTime: stopped waiting: ${what} has not ended\nwhat to do: ${advice}\n`)
        const { error, exitCode } = JSON.parse(out)
        assert.deepStrictEqual([exitCode, error.advice, error.isRetryable], [20, advice, false])
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("takes for the answer of its check only that of its own Job", () =>
    Effect.gen(function* () {
      const preflight = { generation: 1, outcome: "Passed", by: "orders-20261130-040000", lastProbeTime: time }
      yield* there("orders", { ...safe, preflight })
      const typed = yield* Effect.forkChild(type("check", "orders", "--wait"))
      const token = yield* eventually(annotation("orders", checkAnnotation))
      yield* seconds(2)
      const { behind } = yield* memory
      const { uid } = (yield* behind.get(kafkaBackups, { namespace, name: "orders" })).metadata
      yield* says("orders", { preflight: { ...preflight, handledCheck: token } })
      yield* seconds(2)
      const by = JobName.forCheck({ uid: uid!, namespace, name: "orders" }, JobName.checkAsked(token!))
      const failed = { outcome: "Failed", by, reason: "TopicMissing", message: "there is no topic orders" }
      yield* says("orders", { preflight: { ...preflight, ...failed, handledCheck: token } })
      yield* seconds(2)
      const { exitCode, out } = yield* outcomeOf(typed)
      assert.strictEqual(exitCode, 13)
      assert.match(out, /^failed: there is no topic orders\nto see why: .* logs --check -n shop orders\n$/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("ends with the code and the reason of a restore that failed, for programs too", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const { behind } = yield* memory
      for (const [name, reason, code] of [
        ["gone", "SetNotFound", 17],
        ["broken", "BackupDamaged", 16],
        ["strange", "JobFailed", 16]
      ] as const) {
        const typed = yield* Effect.forkChild(type("restore", "orders", "--name", name, "-o", "json"))
        yield* eventually(behind.get(kafkaRestores, { namespace, name }))
        const message = `${reason}: it cannot be restored`
        const failed = ready("False", "RestoreFailed", message)
        yield* says(name, { observedGeneration: 1, phase: "Failed", message, conditions: [failed] }, kafkaRestores)
        const { exitCode, out } = yield* outcomeOf(typed)
        const document = JSON.parse(out)
        assert.deepStrictEqual([exitCode, document.exitCode, document.outcome], [code, code, "failed"])
        assert.deepInclude(document.error, { reason: reason === "JobFailed" ? "RestoreFailed" : reason, message })
        assert.include(document.error.advice, `logs -n shop restore/${name}`)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("suspends, and is done when the operator has seen it", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const typed = yield* Effect.forkChild(type("suspend", "orders"))
      const current = Effect.map(memory, ({ behind }) => behind.get(kafkaBackups, { namespace, name: "orders" }))
      yield* eventually(
        Effect.map(Effect.flatten(current), ({ metadata }) => (metadata.generation === 2 ? true : undefined))
      )
      yield* seconds(2)
      assert.isUndefined(typed.pollUnsafe())
      yield* says("orders", { observedGeneration: 2 })
      yield* seconds(2)
      const { exitCode, out } = yield* outcomeOf(typed)
      assert.strictEqual(exitCode, 0)
      assert.match(out, /^KafkaBackup shop\/orders is suspended: .* a trigger still works\n$/)
      const again = yield* type("suspend", "orders")
      assert.match(again.out, /\(it was already\)\n$/)
    }).pipe(Effect.provide(layer))
  )

  it.effect("shows the log of the newest run in words, and says what the status says once its pods are gone", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const { behind } = yield* memory
      const gone = yield* type("logs", "orders")
      assert.deepStrictEqual(
        [gone.exitCode, /the log of run orders-20261130-040000 is gone/.test(gone.err)],
        [17, true]
      )
      yield* behind.create(pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { namespace, name: "orders-1-abcde", labels: { "batch.kubernetes.io/job-name": "orders-1" } }
      })
      yield* behind.patch(
        pods,
        { namespace, name: "orders-1-abcde" },
        { status: { containerStatuses: [{ name: "backup", state: { terminated: { exitCode: 0 } } }] } },
        "status"
      )
      ;(yield* Logs).set("orders-1-abcde", [
        '{"time":"2026-11-30T04:00:01.250Z","level":"info","msg":"reading","topic":"orders"}',
        "Segmentation fault"
      ])
      const { out } = yield* type("logs", "orders")
      assert.strictEqual(out, "04:00:01.250 INFO  reading topic=orders\nSegmentation fault\n")
      const raw = yield* type("logs", "orders", "-o", "json", "--follow")
      assert.match(raw.out, /^\{"time"/)
      assert.strictEqual((yield* type("logs", "orders", "--run", "other")).exitCode, 17)
      assert.strictEqual((yield* behind.list(jobs, { namespace })).items.length, 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("tries a restore first, and turns the same resource into the one that writes", () =>
    Effect.gen(function* () {
      yield* there("orders")
      const { behind } = yield* memory
      const name = "back"
      const trial = yield* Effect.forkChild(
        type("restore", "orders", "--backup", "orders-20261130-040000", "--name", name, "--topic", "orders")
      )
      const created = yield* eventually(behind.get(kafkaRestores, { namespace, name }))
      assert.deepInclude(created.spec as object, {
        backupId: "orders-20261130-040000",
        storage: spec.storage,
        topics: ["orders"],
        dryRun: true
      })
      const dry = ready("True", "DryRunPassed", "It can be restored. Nothing was written.")
      yield* says(name, { observedGeneration: 1, phase: "Completed", conditions: [dry] }, kafkaRestores)
      yield* seconds(2)
      const tried = yield* outcomeOf(trial)
      assert.strictEqual(tried.exitCode, 0)
      const [, command = ""] = /to restore: kubectl kafka-backup (.*)\n/.exec(tried.out) ?? []
      assert.strictEqual(
        command,
        "restore orders -n shop --backup orders-20261130-040000 --topic 'orders' --name back --yes"
      )
      const writing = yield* Effect.forkChild(type(...command.replaceAll("'", "").split(" ")))
      const restoring = behind.get(kafkaRestores, { namespace, name })
      const isWriting = ({ spec }: { readonly spec?: unknown }) => (spec as { dryRun?: boolean }).dryRun === false
      const after = yield* eventually(Effect.map(restoring, (one) => (isWriting(one) ? one : undefined)))
      yield* seconds(2)
      assert.isUndefined(writing.pollUnsafe())
      assert.deepInclude(after.spec as object, { dryRun: false })
      const message = "PreflightFailed: topic orders exists already"
      const remedy = "To try again, correct the spec, or set the annotation kafka.oso.sh/retry to a new value."
      const failed = ready("False", "RestoreFailed", `${message}. Nothing was written. ${remedy}`)
      yield* says(name, { observedGeneration: 2, phase: "Failed", message, conditions: [failed] }, kafkaRestores)
      yield* seconds(2)
      const ended = yield* outcomeOf(writing)
      assert.strictEqual(ended.exitCode, 19)
      assert.include(ended.out, "topic orders exists already")
      assert.include(ended.out, "kubectl annotate -n shop kafkarestore/back --overwrite kafka.oso.sh/retry=VALUE")
      assert.notInclude(ended.out, "under another name")
      assert.strictEqual((yield* type("restore", "orders", "--name", name, "--yes")).exitCode, 2)
    }).pipe(Effect.provide(layer))
  )
})
