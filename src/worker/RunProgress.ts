import type { Interruption, Paused } from "./BreakerJournal.ts"

/** What one run has done so far. Written by the run, read by whoever shows it; numbers only ever grow within a step. */
export interface RunProgress {
  step: "claiming" | "planning" | "reading" | "verifying" | "retaining" | "done"
  backupId: string | undefined
  attempt: number
  partitions: number
  partitionsDone: number
  /** Offsets in the plan and covered so far; compaction and transactions make them an upper bound of the records. */
  offsets: number
  offsetsDone: number
  /** Records and bytes taken from Kafka by this attempt. */
  records: number
  fetchedBytes: number
  /** Bytes durable in storage, put by this attempt. */
  storedBytes: number
  segments: number
  /** Present while work waits for a store or a broker that does not answer. */
  paused: Paused | undefined
  /** Every store and broker that ever stopped answering, in order of the first time. */
  interruptions: ReadonlyArray<Interruption>
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
  interruptions: []
})

/** `paused: storage s3 bucket b does not answer, next try in 42 s (the cause)`. */
export const pausedText = ({ cause, nextProbeMillis, target }: Paused, nowMillis: number): string => {
  const seconds = Math.ceil((nextProbeMillis - nowMillis) / 1000)
  return `paused: ${target} does not answer, ${seconds > 0 ? `next try in ${seconds} s` : "trying again"} (${cause})`
}

/** Covered share of the plan in percent, 0 to 100; undefined before there is a plan. */
export const percent = (progress: RunProgress): number | undefined =>
  progress.step === "claiming" || progress.step === "planning"
    ? undefined
    : progress.offsets === 0
      ? 100
      : Math.min(100, (progress.offsetsDone / progress.offsets) * 100)
