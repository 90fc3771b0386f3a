import { isStrimziReason } from "../../outcome/StrimziReasons.ts"
import { retryAnnotation } from "../../resource/KafkaRestore.ts"
import * as Problem from "../../resource/Problem.ts"
import * as Format from "../Format.ts"
import * as GroupsLeft from "../GroupsLeft.ts"
import type { EndedRestore } from "../restore/RestoreFacts.ts"
import type { Condition } from "../Status.ts"
import type { OffsetFacts, OffsetStatus, Operation } from "./OffsetFacts.ts"
import type { OffsetReasonName } from "./OffsetReasons.ts"

interface Answer {
  readonly status: "True" | "False"
  readonly reason: OffsetReasonName
  readonly message: string
}

/** Most bytes of a condition's message. */
const maxMessageBytes = 8192

const no = (reason: OffsetReasonName, message: string): Answer => ({ status: "False", reason, message })

/** True when the status says that everything is done, and that it changed something: nothing is started again. */
export const isCompleted = ({ phase, startedWriting }: OffsetStatus): boolean =>
  phase === "Completed" && startedWriting !== undefined

/** True when a Job of an earlier spec changed something after the spec was edited: nothing is started again. */
export const isEditTooLate = ({ conditions }: OffsetStatus): boolean =>
  conditions?.some(({ reason, type }) => type === "Ready" && reason === "EditTooLate") ?? false

/**
 * The condition Ready after `previous`; `status` is the next status without it. An answer that no fact gives stays as
 * it is. `lastTransitionTime` moves only when the status of the condition flips.
 */
export const next = (
  previous: OffsetStatus,
  facts: OffsetFacts,
  status: OffsetStatus,
  nowMillis: number
): ReadonlyArray<Condition> => {
  const before = previous.conditions?.find(({ type }) => type === "Ready")
  const found = answer(previous, facts, status)
  if (found === undefined) return before === undefined ? [] : [before]
  return [
    {
      type: "Ready",
      status: found.status,
      reason: found.reason,
      message: Format.cut(Format.line(found.message), maxMessageBytes),
      lastTransitionTime: before?.status === found.status ? before.lastTransitionTime : Format.time(nowMillis),
      observedGeneration: facts.generation
    }
  ]
}

const answer = (previous: OffsetStatus, facts: OffsetFacts, status: OffsetStatus): Answer | undefined => {
  const { active, ended, problems, refusal, snapshot, usedBefore } = facts
  if (active !== undefined) {
    const { hasStarted, jobName, trouble } = active
    if (trouble !== undefined) return no("PodTrouble", `${trouble.reason}: ${Format.sentence(trouble.message)}`)
    return hasStarted
      ? no("OffsetsRunning", `Job ${jobName} is at work.`)
      : no("OffsetsPending", `Job ${jobName} starts its pod.`)
  }
  if (ended !== undefined) return over(facts.operation, ended, status)
  // Whatever another version finds in its spec: nothing is left to be done.
  if (isCompleted(previous) || isEditTooLate(previous)) return undefined
  if (problems.length > 0) return no("InvalidSpec", problems.map(Problem.format).join("; "))
  if (snapshot !== undefined) return no(snapshot.reason, Format.sentence(snapshot.message))
  if (refusal !== undefined) {
    const name = isStrimziReason(refusal.reason) ? "StrimziUnresolved" : "JobRefused"
    return no(name, `${refusal.reason}: ${Format.sentence(refusal.message)}`)
  }
  if (usedBefore !== undefined && status.phase === "Failed") {
    const why = `annotation ${retryAnnotation} has an earlier value again, or was removed, and Job ${usedBefore} was the attempt of that value.`
    const last = status.message === undefined ? "" : ` The last attempt failed: ${Format.sentence(status.message)}`
    return no("OffsetsFailed", `Nothing is started: ${why} To try again, set it to a value that is new.${last}`)
  }
  return status.phase === "Pending" ? no("OffsetsPending", "The work starts in a moment.") : undefined
}

const groups = (n: number): string => (n === 1 ? "1 consumer group" : `${Format.count(n)} consumer groups`)

const done = (operation: Operation, ended: EndedRestore, status: OffsetStatus): readonly [OffsetReasonName, string] => {
  const { groupsResetTotal = 0, snapshotId = "" } = status
  if (ended.isDryRun) {
    return [
      "DryRunPassed",
      "The checks of the dry run passed. Nothing was changed. Set spec.dryRun to false to start it."
    ]
  }
  switch (operation) {
    case "reset":
      return ["ResetCompleted", `The offsets of ${groups(groupsResetTotal)} were set and read back.`]
    case "rollback":
      return [
        "RollbackCompleted",
        `The offsets of ${groups(groupsResetTotal)} were set as snapshot ${snapshotId} has them, and read back.`
      ]
    case "snapshot":
      return ["SnapshotStored", `The offsets are stored as snapshot ${snapshotId}.`]
    case "verify":
      return [
        "OffsetsCompared",
        ended.notes.length === 0
          ? `The consumer groups have the offsets of snapshot ${snapshotId}.`
          : `The offsets were compared with those of snapshot ${snapshotId}.`
      ]
    case "delete":
      return ["SnapshotDeleted", `Snapshot ${snapshotId} is removed from storage.`]
  }
}

const over = (operation: Operation, ended: EndedRestore, status: OffsetStatus): Answer => {
  const { jobName, message = "no reason was reported", notes, outcome, reason = "JobFailed" } = ended
  if (reason === "EditTooLate") return no(reason, Format.sentence(message))
  if (outcome === "success") {
    if (ended.earlierGeneration !== undefined) {
      const checked = `Job ${jobName} worked on generation ${ended.earlierGeneration} of the spec, from before the last edit, and changed nothing.`
      return no("OffsetsPending", `${checked} The next Job starts in a moment.`)
    }
    if (status.phase === "Failed") return no("GroupsSkipped", Format.sentence(beyond(status)))
    const [name, text] = done(operation, ended, status)
    const told = notes.map((note) => `Note: ${Format.sentence(note)}`)
    return { status: "True", reason: name, message: [text, ...told].join(" ") }
  }
  if (reason === "OffsetsDiffer") {
    return no(
      reason,
      `${Format.sentence(message)} To compare again, set the annotation ${retryAnnotation} to a new value.`
    )
  }
  const why = Format.sentence(`${reason}: ${message}`)
  const name = reason === "GroupsSkipped" ? reason : "OffsetsFailed"
  return no(name, why.includes(retryAnnotation) ? why : `${why} ${remedy(status)}`)
}

/** What is said of groups that are left and that no repetition sets. */
export const beyond = (status: OffsetStatus): string =>
  GroupsLeft.beyond(
    GroupsLeft.unreachable(status),
    "To set their offsets, create another resource that names them in spec.consumerGroups. The logs of the earlier pods name them."
  )

const remedy = (status: OffsetStatus): string => {
  const { groupsResetTotal, startedWriting } = status
  if (startedWriting === undefined) {
    return `Nothing was changed. To try again, correct the spec, or set the annotation ${retryAnnotation} to a new value.`
  }
  const left =
    groupsResetTotal === undefined
      ? "It is not known what was changed. To do all of it again"
      : groupsResetTotal === 0
        ? "To try again"
        : "To try the groups that are left"
  const again = `${left}, set the annotation ${retryAnnotation} to a new value.`
  if (GroupsLeft.unreachable(status) === 0) return again
  return GroupsLeft.isExhausted(status) ? beyond(status) : `${again} ${beyond(status)}`
}
