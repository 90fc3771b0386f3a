import * as TopicGlob from "../resource/TopicGlob.ts"
import type { PlannedTopic } from "./RestorePlan.ts"
import type { ConfigChoice } from "./RestoreRequest.ts"
import type { Wanted } from "./TopicConfigs.ts"

/** Least specific first: short patterns, long patterns, names. */
const bySpecificity = (a: string, b: string): number =>
  Number(TopicGlob.isWildcard(b)) - Number(TopicGlob.isWildcard(a)) || a.length - b.length

/** What one topic is to have. Pure. */
export const of = ({ source }: PlannedTopic, { fromBackup, overrides }: ConfigChoice): Wanted => ({
  fromBackup,
  overrides: Object.assign(
    {},
    ...[...overrides.keys()]
      .filter((pattern) => TopicGlob.matches(pattern, source))
      .toSorted(bySpecificity)
      .map((pattern) => overrides.get(pattern))
  ) as Readonly<Record<string, string>>
})

/** One configuration of a topic in the end; undefined: the default of the brokers. Pure. */
export const valueOf = (topic: PlannedTopic, choice: ConfigChoice, name: string): string | undefined => {
  const { fromBackup, overrides } = of(topic, choice)
  return overrides[name] ?? (fromBackup ? topic.configs?.[name] : undefined)
}

/** Patterns that no restored topic matches. Pure. */
export const unused = (topics: ReadonlyArray<PlannedTopic>, { overrides }: ConfigChoice): ReadonlyArray<string> =>
  [...overrides.keys()].filter((pattern) => !topics.some(({ source }) => TopicGlob.matches(pattern, source)))
