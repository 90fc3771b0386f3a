import { given } from "../resource/Json.ts"
import * as Previous from "./Previous.ts"
import type { OffsetStatus } from "./offsets/OffsetFacts.ts"
import type { RestoreStatus } from "./restore/RestoreFacts.ts"
import type { HistoryEntry, Status } from "./Status.ts"
import * as Verdict from "./Verdict.ts"

/** One resource as its own page, or the command line, shows it. */
export type View = Common &
  (
    | {
        readonly kind: "KafkaBackup"
        readonly status: Status
        readonly isSuspended: boolean
        readonly schedule?: string
      }
    | { readonly kind: "KafkaRestore"; readonly status: RestoreStatus }
    | { readonly kind: "KafkaOffsetReset" | "KafkaOffsetRollback"; readonly status: OffsetStatus }
  )

interface Common {
  readonly namespace: string
  readonly name: string
  /** When the resource was created, as Kubernetes writes it. */
  readonly created?: string
  readonly verdict: Verdict.Verdict
}

/** A line of the list: small, because one is kept for each resource. */
export interface Row {
  readonly kind: View["kind"]
  readonly namespace: string
  readonly name: string
  readonly verdict: Verdict.Verdict
  readonly schedule?: string
  /** Of a backup the last success, of others the end or the start. */
  readonly time?: string
  readonly size?: string
  readonly next?: string
  readonly percent?: number
  readonly warnings: number
  /** Newest last. */
  readonly outcomes: ReadonlyArray<HistoryEntry["outcome"]>
}

/** A resource as the API server gives it; nothing of it is trusted. */
export interface Shown {
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string | undefined
    readonly creationTimestamp?: string
  }
  readonly spec?: unknown
  readonly status?: unknown
}

const specOf = ({ spec }: Shown): Readonly<Record<string, unknown>> =>
  typeof spec === "object" && spec !== null ? (spec as Readonly<Record<string, unknown>>) : {}

/** Total: what cannot be read of a status is left out. Nothing of the spec is shown but its schedule. */
export const of = (resource: Shown): View | undefined => {
  const { creationTimestamp, name, namespace = "" } = resource.metadata
  const common = given({ namespace, name, created: creationTimestamp })
  const kind = resource.kind ?? ""
  switch (kind) {
    case "KafkaBackup": {
      const status = Previous.read(resource.status)
      const { schedule, suspend } = specOf(resource)
      const verdict = Verdict.ofBackup(status.conditions ?? [], status.lastBackupId !== undefined)
      return {
        ...common,
        kind,
        status,
        verdict,
        isSuspended: suspend === true,
        ...(typeof schedule === "string" ? { schedule } : {})
      }
    }
    case "KafkaRestore": {
      const status = Previous.readRestore(resource.status)
      const isTrial = specOf(resource)["dryRun"] === true
      return { ...common, kind, status, verdict: Verdict.ofOnce(status.phase, status.conditions ?? [], isTrial) }
    }
    case "KafkaOffsetReset":
    case "KafkaOffsetRollback": {
      const status = Previous.readOffsets(resource.status)
      return { ...common, kind, status, verdict: Verdict.ofOnce(status.phase, status.conditions ?? []) }
    }
    default:
      return undefined
  }
}

/** Most characters of the sentence of a row. */
const maxSentence = 280

/** Of what is well the first sentence: the columns say the rest, and the page of the resource all of it. */
const short = ({ sentence, word }: Verdict.Verdict): string => {
  const [first = ""] = word === "safe" || word === "completed" ? sentence.split(/(?<=[.!?]) (?=[A-Z])/) : [sentence]
  return first.length <= maxSentence ? first : `${first.slice(0, maxSentence).trimEnd()}…`
}

export const row = (view: View): Row => {
  const { kind, name, namespace, status, verdict } = view
  const common = {
    kind,
    namespace,
    name,
    verdict: { ...verdict, sentence: short(verdict) },
    warnings: Verdict.warnings(status.conditions ?? []).length,
    outcomes: []
  }
  if (view.kind === "KafkaBackup") {
    const { backupHistory = [], lastBackupSizeText, lastBackupTime, nextText, progress } = view.status
    return given({
      ...common,
      schedule: view.schedule,
      time: lastBackupTime,
      size: lastBackupSizeText,
      next: nextText,
      percent: progress?.percent,
      outcomes: backupHistory
        .slice(0, 10)
        .map(({ outcome }) => outcome)
        .toReversed()
    })
  }
  const { completionTime, startTime } = view.status
  const percent =
    view.kind === "KafkaRestore" && completionTime === undefined ? view.status.progress?.percent : undefined
  return given({ ...common, time: completionTime ?? startTime, percent })
}
