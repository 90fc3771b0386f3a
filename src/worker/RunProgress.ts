import type { BackupId } from "../identity/BackupId.ts"
import type { Interruption, Outage, Paused } from "./BreakerJournal.ts"

/** What a run does, one after the other. */
export const runSteps = ["claiming", "planning", "reading", "verifying", "rereading", "retaining", "done"] as const

/** What one run has done so far: written by the run, read by displays and metrics. Numbers only grow within a step. */
export interface RunProgress {
  step: (typeof runSteps)[number]
  backupId: BackupId | undefined
  attempt: number
  /**
   * Present: a process among several works at the run, and the figures below are those of its part alone. `run` is what
   * all of them read together.
   */
  shard?: {
    /** From 0. */
    readonly index: number
    readonly of: number
    readonly run: { readonly partitions: number; readonly offsets: number }
  }
  partitions: number
  partitionsDone: number
  /**
   * Offsets in the plan, and those covered so far. Compaction and transactions make them an upper bound of the records.
   */
  offsets: number
  offsetsDone: number
  /** Records and bytes read from Kafka by this attempt. */
  records: number
  fetchedBytes: number
  /** Bytes that this attempt has stored durably. */
  storedBytes: number
  segments: number
  /** Set while work waits for a store or a broker that does not answer. */
  paused: Paused | undefined
  /** What the run waits for before it begins: a Secret that is missing, for people. */
  awaited: string | undefined
  /** Every store and broker that stopped answering, in the order in which they first did. */
  interruptions: ReadonlyArray<Interruption>
  /** Every store and broker that does not answer now. */
  outages: ReadonlyArray<Outage>
}

export const make = (): RunProgress => ({
  step: "claiming",
  backupId: undefined,
  attempt: 0,
  partitions: 0,
  partitionsDone: 0,
  offsets: 0,
  offsetsDone: 0,
  records: 0,
  fetchedBytes: 0,
  storedBytes: 0,
  segments: 0,
  paused: undefined,
  awaited: undefined,
  interruptions: [],
  outages: []
})

/** Longest time between two tries of one call, in milliseconds: until then it is still waiting. */
const betweenTriesMillis = 15_000

/** What the run waits for, for longest; also in the moment between a failed try and the next one. */
export const outage = ({ outages }: Pick<RunProgress, "outages">, nowMillis: number): Outage | undefined =>
  outages.find(
    ({ idleSinceMillis }) => idleSinceMillis === undefined || nowMillis - idleSinceMillis <= betweenTriesMillis
  )

/** What a run serves under `/progress`, as JSON writes it: fields without a value are absent. */
export const report = (progress: RunProgress, nowMillis: number) => {
  const { outages: _, ...rest } = progress
  const away = outage(progress, nowMillis)
  return {
    ...rest,
    percent: percent(progress) ?? null,
    outage: away === undefined ? undefined : { target: away.target, sinceMillis: away.sinceMillis, cause: away.cause }
  }
}

/** `paused: storage s3 bucket b does not answer, next try in 42 s (the cause)`. */
export const pausedText = ({ cause, nextProbeMillis, target }: Paused, nowMillis: number): string => {
  const seconds = Math.ceil((nextProbeMillis - nowMillis) / 1000)
  return `paused: ${target} does not answer, ${seconds > 0 ? `next try in ${seconds} s` : "trying again"} (${cause})`
}

/** Covered share of the plan in percent, 0 to 100; undefined before the plan exists. */
export const percent = (progress: RunProgress): number | undefined =>
  progress.step === "claiming" || progress.step === "planning"
    ? undefined
    : progress.offsets === 0
      ? 100
      : Math.min(100, (progress.offsetsDone / progress.offsets) * 100)
