import { Effect } from "effect"
import type { KafkaSinkShape } from "../../kafka/KafkaSink.ts"
import { nearest } from "../../resource/Near.ts"
import * as TopicGlob from "../../resource/TopicGlob.ts"
import { groupPrefix } from "../Attempt.ts"
import type { ChangedGroup } from "./ClusterGroups.ts"

/* Names of groups that are probably misspelt. A reset may name a group that begins only later, so none is refused. */

/** Most groups that a note names. */
const mostNamed = 10

const listed = (names: ReadonlyArray<string>): string =>
  names.length === 0
    ? "The principal sees no consumer group in the cluster"
    : `Groups of the cluster: ${names.slice(0, mostNamed).join(", ")}${names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""}`

/**
 * What is to be known of names that the cluster does not know, and of patterns that match nothing. `known`: groups of
 * the cluster that the principal sees. Pure.
 */
export const notesOf = (
  patterns: ReadonlyArray<string>,
  groups: ReadonlyArray<Pick<ChangedGroup, "groupId" | "before">>,
  known: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const others = known.filter((groupId) => !groupId.startsWith(groupPrefix)).toSorted()
  const hint = (name: string) => {
    const near = nearest(name, others)
    return near === undefined ? listed(others) : `Did you mean ${near}?`
  }
  return patterns.flatMap((pattern) => {
    if (TopicGlob.isWildcard(pattern)) {
      return others.some((groupId) => TopicGlob.matches(pattern, groupId))
        ? []
        : [`no consumer group of the cluster matches ${pattern}. ${hint(pattern.replaceAll(/[*?]/gu, ""))}`]
    }
    const group = groups.find(({ groupId }) => groupId === pattern)
    if (group === undefined || group.before.length > 0 || known.includes(pattern)) return []
    return [`the cluster does not know consumer group ${pattern}. ${hint(pattern)}`]
  })
}

/** The same, asked of the cluster before anything is set. */
export const notes = (
  sink: KafkaSinkShape,
  patterns: ReadonlyArray<string>,
  groups: ReadonlyArray<Pick<ChangedGroup, "groupId" | "before">>
) =>
  Effect.map(sink.groups, (all) =>
    notesOf(
      patterns,
      groups,
      all.map(({ groupId }) => groupId)
    )
  )
