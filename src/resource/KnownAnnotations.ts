import {
  acceptLossAnnotation,
  checkAnnotation,
  drillAnnotation,
  group,
  pinAnnotation,
  triggerAnnotation
} from "./KafkaBackup.ts"
import * as Near from "./Near.ts"

/** The annotations of a KafkaBackup that mean something. */
const known: ReadonlyArray<string> = [
  triggerAnnotation,
  drillAnnotation,
  checkAnnotation,
  acceptLossAnnotation,
  pinAnnotation
]

/** Most unknown annotations that are named, and most characters of each. */
const mostNamed = 5
const longestName = 100

/**
 * What is wrong with the annotations of a KafkaBackup: those with this group's prefix that mean nothing, and what they
 * were probably meant to be. Undefined where there are none. Annotations of others are nobody's business.
 */
export const unknownText = (annotations: Readonly<Record<string, string>> = {}): string | undefined => {
  const unknown = Object.keys(annotations)
    .filter((name) => name.startsWith(`${group}/`) && !known.includes(name))
    .toSorted()
  if (unknown.length === 0) return undefined
  const named = unknown.slice(0, mostNamed).map((name) => name.slice(0, longestName))
  const more = unknown.length > named.length ? ` and ${unknown.length - named.length} more` : ""
  const [what, means] = unknown.length === 1 ? ["annotation", "means"] : ["annotations", "mean"]
  const short = (name: string) => name.slice(group.length + 1)
  const hint = Near.didYouMean(named.map(short), known.map(short))
  return `${what} ${named.join(", ")}${more} ${means} nothing here: known are ${known.join(", ")}${hint}`
}
