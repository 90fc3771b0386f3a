import * as BackupId from "../identity/BackupId.ts"
import type * as Lineage from "./Lineage.ts"
import * as TopicGlob from "../resource/TopicGlob.ts"

/*
 * What the annotation `kafka.oso.sh/accept-loss` confirms. Entries are separated by commas or blanks: the id of a
 * backup, or `topic:PATTERN` with the wildcards of spec.topics.
 */

export interface AcceptedLoss {
  /** The newest backup of this resource that is named: what is older is not held back. */
  readonly backupId?: string
  /** Patterns of topics that may go, be emptied or be created again at any time. */
  readonly topics: ReadonlyArray<string>
  /** Entries that name neither. */
  readonly unknown: ReadonlyArray<string>
}

const prefix = "topic:"

/** Reads the annotation of the resource `name`; absent confirms nothing. */
export const parse = (name: string, text: string | undefined): AcceptedLoss => {
  const entries = (text ?? "").split(/[\s,]+/u).filter((entry) => entry !== "")
  const topics = entries.flatMap((entry) => (entry.startsWith(prefix) ? [entry.slice(prefix.length)] : []))
  const ids = entries.filter((entry) => BackupId.isOf(name, entry)).toSorted()
  const backupId = ids.at(-1)
  return {
    ...(backupId === undefined ? {} : { backupId }),
    topics: topics.filter((pattern) => pattern !== ""),
    unknown: entries.filter((entry) => entry === prefix || (!entry.startsWith(prefix) && !ids.includes(entry)))
  }
}

/** True for a loss of such a topic. Another cluster behind the same address is never confirmed by a pattern. */
export const coversTopic =
  (topics: ReadonlyArray<string>) =>
  ({ _tag, topic }: Lineage.Loss): boolean =>
    _tag !== "OtherCluster" && topics.some((pattern) => TopicGlob.matches(pattern, topic))
