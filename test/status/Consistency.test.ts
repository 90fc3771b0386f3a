import { assert, describe, it } from "@effect/vitest"
import { next } from "../../src/status/Next.ts"
import type { ActiveRun, EndedRun, Facts, RunProgressFacts } from "../../src/status/Facts.ts"
import type { Status } from "../../src/status/Status.ts"
import { at, condition, failed, hourly, overlapping, running, succeeded } from "./facts.ts"

/*
 * Every combination of what may be the case at the same time. Whatever it is, the answers of one status agree: a reader
 * may start with any of them.
 */

const progress = (over: Partial<RunProgressFacts> = {}): RunProgressFacts => ({
  partitionsTotal: 2,
  partitionsDone: 1,
  records: 0,
  bytes: 0,
  updatedMillis: at("12:20"),
  ...over
})

const outage = (target: string, sinceMillis: number) => ({
  outage: { target, sinceMillis, cause: "no route to host" }
})

const retrying = (after: string) => ({
  trouble: { reason: "Retrying" as const, message: `attempt 2 of 4 after ${after}: away`, after }
})

const active: Readonly<Record<string, Partial<ActiveRun> | undefined>> = {
  none: undefined,
  "not asked yet": {},
  "reading, nothing stored": { progress: progress({ records: 7 }) },
  "reading and storing": { progress: progress({ records: 7, bytes: 9 }) },
  "short wait for storage": { progress: progress(outage("storage s3 bucket b", at("12:20") - 10_000)) },
  "long wait for storage": {
    progress: progress({ records: 7, bytes: 9, ...outage("storage s3 bucket b", at("12:10")) })
  },
  "long wait for a broker": { progress: progress({ records: 7, bytes: 9, ...outage("kafka broker 2", at("12:10")) }) },
  "long wait for the cluster": { progress: progress(outage("the kafka cluster", at("12:10"))) },
  "pod cannot start": { isStopped: true, trouble: { reason: "ImagePullFailed", message: "no such image" } },
  "waits for a Secret": { trouble: { reason: "AwaitingSecret", message: "Secret s is missing" } },
  "is made again": { isReplacing: true, isStopped: true },
  "tried again after storage": retrying("StoreUnavailable"),
  "tried again after Kafka, reading": { ...retrying("BrokerUnreachable"), progress: progress({ records: 7 }) },
  "tried again after storage, waiting": {
    ...retrying("StoreUnavailable"),
    progress: progress(outage("storage s3 bucket b", at("12:10")))
  }
}

const ended: Readonly<Record<string, ReadonlyArray<EndedRun>>> = {
  none: [],
  success: [succeeded("11:00")],
  "success, with retention held back": [succeeded("11:00", { heldBack: "orders-1: topic orders is gone" })],
  "failed by Kafka": [succeeded("10:00"), failed("11:00")],
  "failed by storage": [succeeded("10:00"), failed("11:00", { reason: "StoreUnavailable", message: "no route" })],
  "not proven": [failed("11:00", { reason: "NotProven", message: "segment 3 differs" })],
  "a lock": [succeeded("10:00"), failed("11:00", { reason: "LockHeld", message: "another run holds it" })],
  interrupted: [failed("11:00", { outcome: "interrupted", reason: "Interrupted", message: "stopped" })]
}

const state: Readonly<Record<string, Partial<Facts>>> = {
  scheduled: {},
  suspended: { state: { _tag: "Suspended" } },
  "one-time": { state: { _tag: "OneTime", isAskedFor: true }, schedule: {} },
  "clock behind": { state: { _tag: "ClockBehind", untilMillis: at("15:00"), nextMillis: at("16:00") } },
  unusable: { state: { _tag: "Unusable", problems: [{ field: "spec.schedule", message: "never matches" }] } },
  "invalid spec": { state: undefined, problems: [{ field: "spec.topics", message: "is empty" }] }
}

const rest: Readonly<Record<string, Partial<Facts>>> = {
  nothing: {},
  "a slot met the run": { skipped: [overlapping("12:00")] },
  queued: { queue: { before: 2, limit: 10, sinceMillis: at("11:58") } },
  refused: { refusal: { reason: "QuotaExceeded", message: "exceeded quota" } },
  deleting: { deletion: { reason: "RemovingBackups", message: "removing 3 backups" } },
  "status lost": { listing: "StatusLost" },
  "prune failed": { maintenance: [{ task: "prune", jobName: "p", isSuccess: false }] },
  "listing failed": { maintenance: [{ task: "catalogue", jobName: "c", isSuccess: false }] }
}

interface Case {
  readonly name: string
  readonly facts: Facts
  readonly status: Status
}

/** A run that is active does not wait in the queue. */
const isPossible = (run: object | undefined, others: Partial<Facts>) => run === undefined || others.queue === undefined

const cases: ReadonlyArray<Case> = Object.entries(active).flatMap(([activeName, over]) =>
  Object.entries(ended).flatMap(([endedName, runs]) =>
    Object.entries(state).flatMap(([stateName, stated]) =>
      Object.entries(rest).flatMap(([restName, others]) => {
        if (!isPossible(over, others)) return []
        const facts = hourly({
          active: over === undefined ? undefined : running("12:00", over),
          ended: runs,
          ...stated,
          ...others
        })
        // Twice: what is kept of the previous status must agree, too.
        const status = next(next({}, facts, at("12:20")), facts, at("12:20"))
        return [{ name: `${activeName} / ${endedName} / ${stateName} / ${restName}`, facts, status }]
      })
    )
  )
)

const instant = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/
const answer = (status: Status, type: string) => condition(status, type).status
const reason = (status: Status, type: string) => condition(status, type).reason
const message = (status: Status, type: string) => condition(status, type).message

const isLongWait = ({ active: run }: Facts) =>
  run?.progress?.outage !== undefined && at("12:20") - run.progress.outage.sinceMillis >= 30_000

/** Ready's answers that hide those of the active run. */
const hiding = new Set(["Deleting", "InvalidSpec", "InvalidSchedule", "ClockBehind", "JobRefused"])

/** Each law: what every status must satisfy. */
const laws: Readonly<Record<string, (one: Case) => void>> = {
  "Ready is True only where nothing else says that something is wrong now": ({ facts, status }) => {
    if (answer(status, "Ready") !== "True") return
    assert.notInclude(["PodTrouble", "BackupPaused"], reason(status, "Progressing"))
    assert.notStrictEqual(answer(status, "ScheduleValid"), "False")
    assert.notStrictEqual(status.phase, "Failed")
    assert.isUndefined(facts.refusal)
    assert.isUndefined(facts.deletion)
    for (const type of ["KafkaReachable", "StorageReachable", "Verified"]) {
      assert.notStrictEqual(answer(status, type), "False", type)
    }
  },
  "the phase is Running, Progressing is True and activeRun is there, or none of them": ({ facts, status }) => {
    const isActive = facts.active !== undefined
    assert.strictEqual(status.phase === "Running", isActive)
    assert.strictEqual(answer(status, "Progressing") === "True", isActive)
    assert.strictEqual(status.activeRun !== undefined, isActive)
  },
  "a long wait turns its side False with cause and time, and Ready and Progressing say the same": ({
    facts,
    status
  }) => {
    if (!isLongWait(facts)) return
    const { cause, target } = facts.active!.progress!.outage!
    const side = target.startsWith("storage") ? "StorageReachable" : "KafkaReachable"
    assert.strictEqual(answer(status, side), "False")
    const told = [side, ...(hiding.has(reason(status, "Ready")) ? [] : ["Ready"])]
    if (reason(status, "Progressing") !== "PodTrouble") told.push("Progressing")
    for (const type of told) {
      for (const part of [target, cause, "since 2026-11-24T12:10:00Z"]) assert.include(message(status, type), part)
    }
    assert.strictEqual(answer(status, "Ready"), "False")
    assert.notInclude(message(status, "Ready"), "Next backup scheduled")
  },
  "a wait that nobody reports turns nothing False": ({ facts, status }) => {
    if (isLongWait(facts)) return
    assert.notInclude([reason(status, "Ready"), reason(status, "Progressing")], "BackupPaused")
  },
  "what the active run reads or stores is reachable, unless it waits for that": ({ facts, status }) => {
    const { bytes = 0, outage: away, records = 0 } = facts.active?.progress ?? {}
    const isAway = (side: "storage" | "kafka") =>
      isLongWait(facts) && away!.target.startsWith("storage") === (side === "storage")
    if (records > 0 && !isAway("kafka")) assert.strictEqual(answer(status, "KafkaReachable"), "True")
    if (bytes > 0 && !isAway("storage")) assert.strictEqual(answer(status, "StorageReachable"), "True")
  },
  "what the last attempt failed to reach is not called reachable": ({ facts, status }) => {
    const { after } = facts.active?.trouble ?? {}
    if (after === "StoreUnavailable") assert.strictEqual(answer(status, "StorageReachable"), "False")
  },
  "the trouble of a pod is told by Ready and Progressing alike": ({ status }) => {
    if (hiding.has(reason(status, "Ready"))) return
    assert.strictEqual(reason(status, "Ready") === "PodTrouble", reason(status, "Progressing") === "PodTrouble")
    assert.strictEqual(reason(status, "Ready") === "BackupPaused", reason(status, "Progressing") === "BackupPaused")
  },
  "an answer about the past says when, and one about the present names the run": ({ facts, status }) => {
    for (const type of ["KafkaReachable", "StorageReachable", "Verified"]) {
      if (answer(status, type) === "Unknown") continue
      const text = message(status, type)
      assert.isTrue(
        instant.test(text) || text.includes(`${facts.active?.backupId}, which is running`),
        `${type}: ${text}`
      )
    }
  },
  "nothing is Unknown that a success or the active run has shown": ({ status }) => {
    if (status.lastBackupId === undefined) return
    for (const type of ["KafkaReachable", "StorageReachable", "Verified"]) {
      assert.notStrictEqual(answer(status, type), "Unknown", type)
    }
  },
  "a last success is named by Ready exactly where the status has one": ({ status }) => {
    const text = message(status, "Ready")
    assert.notInclude(status.lastBackupId === undefined ? text : "", "Last success")
    if (status.lastBackupId !== undefined) {
      assert.notInclude(text, "No backup has succeeded")
      assert.notInclude(text, "unknown until")
    }
  },
  "nothing is called absent while storage must be listed": ({ facts, status }) => {
    if (facts.listing === undefined || status.lastBackupId !== undefined) return
    assert.notInclude(message(status, "Ready"), "No backup has succeeded")
    assert.strictEqual(reason(status, "StorageListed"), "StatusLost")
  },
  "the next slot is named only where there is one": ({ status }) => {
    const named = /Next backup scheduled for (\S+Z)/.exec(message(status, "Ready"))
    if (named !== null) assert.strictEqual(named[1], status.nextScheduledTime)
    if (reason(status, "Ready") === "Suspended") assert.isUndefined(status.nextScheduledTime)
  },
  "an invalid schedule is not ready": ({ status }) => {
    if (answer(status, "ScheduleValid") === "False") assert.strictEqual(answer(status, "Ready"), "False")
  },
  "a failed run is the reason of Ready, or something newer is": ({ status }) => {
    if (status.phase === "Failed") assert.strictEqual(answer(status, "Ready"), "False")
  },
  "a success is not younger than its completion": ({ status }) => {
    if (status.lastBackupTime === undefined) return
    assert.isAtMost(Date.parse(status.lastBackupTime), Date.parse(status.lastBackupCompletionTime!))
  }
}

describe("the conditions of one status", () => {
  it("are tried in every combination of facts", () => {
    assert.lengthOf(cases, 14 * 8 * 6 * 8 - 13 * 8 * 6)
  })

  it.each(Object.entries(laws))("agree: %s", (_, law) => {
    const broken = cases.flatMap((one) => {
      try {
        law(one)
        return []
      } catch (error) {
        return [`${one.name}: ${error instanceof Error ? error.message : String(error)}`]
      }
    })
    assert.deepStrictEqual(broken.slice(0, 5), [], `${broken.length} of ${cases.length}`)
  })
})
