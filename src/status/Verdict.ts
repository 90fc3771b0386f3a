import type { Condition } from "./Status.ts"

/** Am I safe? In the words of the page. The first five are of KafkaBackups, the others of what is done once. */
export type Word = "safe" | "suspended" | "never" | "at risk" | "failed" | "completed" | "running" | "pending"

export interface Verdict {
  readonly word: Word
  /** Somebody has to look at it. */
  readonly isBad: boolean
  /** Why, as the condition that decides says it. */
  readonly sentence: string
  /** That condition and its reason; absent where no condition decides. */
  readonly because?: { readonly type: string; readonly reason: string }
}

/** What is not well without a backup being at risk: the page counts these apart. */
const besides = new Set(["Warnings", "StorageListed", "RetentionApplied", "CleanedUp"])

/** Without a meaning of its own for this question. */
const neutral = new Set(["Ready", "Progressing", ...besides])

const find = (conditions: ReadonlyArray<Condition>, type: string) => conditions.find((one) => one.type === type)

const by = (word: Word, isBad: boolean, { message, reason, type }: Condition): Verdict => ({
  word,
  isBad,
  sentence: message,
  because: { type, reason }
})

const notLookedAt: Verdict = { word: "pending", isBad: false, sentence: "The operator has not reported on it yet." }

/** Reasons of a condition Ready that is False because a run failed. */
const failures = new Set(["BackupFailed", "BackupInterrupted"])

/**
 * Of a KafkaBackup, from its conditions. The worst counts: no backup at all (never), a newest run that failed, a
 * condition that is not met (at risk; also one of a type that is not known here), a suspended schedule; else it is
 * safe.
 */
export const ofBackup = (conditions: ReadonlyArray<Condition>, hasBackup: boolean): Verdict => {
  const ready = find(conditions, "Ready")
  if (ready === undefined) return { ...notLookedAt, word: "never" }
  if (!hasBackup) return by("never", ready.status === "False" || ready.reason === "CheckIncomplete", ready)
  if (ready.status === "False") return by(failures.has(ready.reason) ? "failed" : "at risk", true, ready)
  const unmet = conditions.find(({ status, type }) => status === "False" && !neutral.has(type))
  if (unmet !== undefined) return by("at risk", true, unmet)
  if (ready.status === "Unknown") return by("at risk", false, ready)
  // The newest run failed, and a check has passed since: the data of that slot is in no backup yet.
  if (ready.reason === "CheckPassed") return by("at risk", false, ready)
  return by(ready.reason === "Suspended" ? "suspended" : "safe", false, ready)
}

/** Reasons of a condition Ready that is not True yet, and nothing is wrong. */
const onTheWay = new Set(["RestorePending", "PreflightRunning", "Restoring", "OffsetsPending", "OffsetsRunning"])

/**
 * Of a resource that is carried out once, from its phase and its conditions. A trial (`dryRun`) that failed has said
 * what was asked: nothing has happened that needs attention.
 */
export const ofOnce = (phase: string | undefined, conditions: ReadonlyArray<Condition>, isTrial = false): Verdict => {
  const ready = find(conditions, "Ready")
  if (ready === undefined) return notLookedAt
  if (phase === "Failed") return by("failed", !isTrial, ready)
  if (phase === "Completed") {
    const differs = find(conditions, "Verified")
    return differs?.status === "False" ? by("at risk", true, differs) : by("completed", false, ready)
  }
  if (ready.status !== "True" && !onTheWay.has(ready.reason)) return by("at risk", true, ready)
  return by(phase === "Running" ? "running" : "pending", false, ready)
}

/** Conditions that warn of something beside the verdict. */
export const warnings = (conditions: ReadonlyArray<Condition>): ReadonlyArray<Condition> =>
  conditions.filter(({ status, type }) => besides.has(type) && status === (type === "Warnings" ? "True" : "False"))

/** Of these neither answer says that something is wrong. */
const isPlain = (type: string): boolean => type === "Progressing"

/** Whether a condition says that something is not well, whatever it means for the verdict. */
export const isUnwell = ({ status, type }: Pick<Condition, "status" | "type">): boolean =>
  !isPlain(type) && status === (type === "Warnings" ? "True" : "False")
