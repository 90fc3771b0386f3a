import * as TopicGlob from "../resource/TopicGlob.ts"

/** What selection needs to know about a topic that the cluster shows to the principal. */
export interface VisibleTopic {
  readonly name: string
  readonly isInternal: boolean
}

export interface TopicSelection {
  /** Names to back up, ascending. */
  readonly selected: ReadonlyArray<string>
  /** Wildcards of `topics` that matched no topic at all. */
  readonly idlePatterns: ReadonlyArray<string>
}

/** The names among `topics` that contain no wildcard and are not excluded: these topics must exist and be readable. */
export const literals = (topics: ReadonlyArray<string>, excludeTopics: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(topics)].filter((topic) => !TopicGlob.isWildcard(topic) && !isExcluded(topic, excludeTopics)).toSorted()

const isExcluded = (name: string, excludeTopics: ReadonlyArray<string>) =>
  excludeTopics.some((pattern) => TopicGlob.matches(pattern, name))

/** What a spec selects by. */
export interface Selection {
  readonly topics: ReadonlyArray<string>
  readonly excludeTopics: ReadonlyArray<string>
}

/** True when the selection takes a topic of this name, should there be one; internal topics by literal name only. */
export const isSelected = ({ excludeTopics, topics }: Selection, name: string): boolean =>
  !isExcluded(name, excludeTopics) && topics.some((pattern) => TopicGlob.matches(pattern, name))

/**
 * The topics that `topics` minus `excludeTopics` select. A wildcard never selects a topic that the broker flags as
 * internal; naming one literally does. Exclusion always wins. Only visible topics are ever selected.
 */
export const select = (
  topics: ReadonlyArray<string>,
  excludeTopics: ReadonlyArray<string>,
  visible: ReadonlyArray<VisibleTopic>
): TopicSelection => {
  const named = new Set(literals(topics, excludeTopics))
  const wildcards = [...new Set(topics.filter(TopicGlob.isWildcard))]
  const matching = new Set<string>()
  const selected = visible.filter((topic) => {
    if (isExcluded(topic.name, excludeTopics)) return false
    const byWildcard = topic.isInternal ? [] : wildcards.filter((pattern) => TopicGlob.matches(pattern, topic.name))
    for (const pattern of byWildcard) matching.add(pattern)
    return byWildcard.length > 0 || named.has(topic.name)
  })
  return {
    selected: selected.map((topic) => topic.name).toSorted(),
    idlePatterns: wildcards.filter((pattern) => !matching.has(pattern))
  }
}
