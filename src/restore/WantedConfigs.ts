import * as TopicGlob from "../resource/TopicGlob.ts"
import * as Compression from "./Compression.ts"
import type { ConfigChoice, RestoreRequest } from "./RestoreRequest.ts"
import type { Wanted } from "./TopicConfigs.ts"

/** A topic of the backup with its configuration there. */
interface Configured {
  readonly source: string
  readonly configs: Readonly<Record<string, string>> | undefined
}

/** Least specific first: short patterns, long patterns, names. */
const bySpecificity = (a: string, b: string): number =>
  Number(TopicGlob.isWildcard(b)) - Number(TopicGlob.isWildcard(a)) || a.length - b.length

/** What one topic is to have. Pure. */
export const of = ({ source }: Pick<Configured, "source">, { fromBackup, overrides }: ConfigChoice): Wanted => ({
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
export const valueOf = (topic: Configured, choice: ConfigChoice, name: string): string | undefined => {
  const { fromBackup, overrides } = of(topic, choice)
  return overrides[name] ?? (fromBackup ? topic.configs?.[name] : undefined)
}

/**
 * How its batches are compressed. `compression.type` of the source counts also where the topic is to have the brokers'
 * own: it shows the data. Pure.
 */
export const codecOf = (
  topic: Configured,
  { compression, configs }: Pick<RestoreRequest, "compression" | "configs">
): Compression.Codec =>
  compression ??
  Compression.codecOf(of(topic, configs).overrides["compression.type"] ?? topic.configs?.["compression.type"])

/** Whether brokers compact the topic of the backup with this name once it is restored. Pure. */
export const isCompacted = (source: string, configs: Configured["configs"], choice: ConfigChoice): boolean =>
  valueOf({ source, configs }, choice, "cleanup.policy")
    ?.split(",")
    .some((policy) => policy.trim() === "compact") ?? false

/** Patterns that no restored topic matches. Pure. */
export const unused = (
  topics: ReadonlyArray<Pick<Configured, "source">>,
  { overrides }: ConfigChoice
): ReadonlyArray<string> =>
  [...overrides.keys()].filter((pattern) => !topics.some(({ source }) => TopicGlob.matches(pattern, source)))
