import * as Previous from "../status/Previous.ts"
import type { Shown } from "../status/View.ts"

/** Whose log is wanted. */
export interface Wanted {
  /** A backup of the history or the active one; absent: the active run, else the newest. */
  readonly run: string | undefined
  readonly isCheck: boolean
}

/** The Job that did something, and what its status says of it in case that its pods are gone. */
export interface Source {
  readonly jobName: string
  /** `run shop-20260301-020000`. */
  readonly what: string
  readonly told: string | undefined
}

/** Nothing of that kind is known. */
export interface Unknown {
  readonly detail: string
  readonly runs: ReadonlyArray<string>
}

const ofBackup = (status: unknown, { isCheck, run }: Wanted): Source | Unknown => {
  const { activeRun, backupHistory = [], preflight } = Previous.read(status)
  const runs = [
    ...(activeRun?.jobName === undefined
      ? []
      : [{ id: activeRun.backupId, jobName: activeRun.jobName, told: undefined }]),
    ...backupHistory.flatMap(({ backupId, jobName, message }) =>
      jobName === undefined || backupId === undefined ? [] : [{ id: backupId, jobName, told: message }]
    )
  ]
  if (isCheck) {
    const { by, incomplete, message } = preflight ?? {}
    const newest = incomplete?.jobName ?? by
    // A run that succeeded counts as a check: then there is no Job of a check.
    return newest === undefined || runs.some(({ id }) => id === newest)
      ? { detail: "it has had no check whose Job is known", runs: [] }
      : { jobName: newest, what: "check", told: incomplete?.message ?? message }
  }
  const found = run === undefined ? runs[0] : runs.find(({ id }) => id === run)
  if (found !== undefined) return { jobName: found.jobName, what: `run ${found.id}`, told: found.told }
  return {
    detail: run === undefined ? "it has had no run yet" : `its status knows no Job of a run ${run}`,
    runs: runs.map(({ id }) => id)
  }
}

/** The Job whose log is wanted, from the resource's status. Pure. */
export const of = (resource: Shown, wanted: Wanted): Source | Unknown => {
  if (resource.kind === "KafkaBackup") return ofBackup(resource.status, wanted)
  const { jobName, message } = Previous.readRestore(resource.status)
  return jobName === undefined
    ? { detail: "it has had no Job yet", runs: [] }
    : { jobName, what: "restore", told: message }
}
