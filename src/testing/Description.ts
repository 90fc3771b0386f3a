import type { Event, KubeObject } from "../kubernetes/Objects.ts"
import * as HumanDuration from "../status/HumanDuration.ts"
import * as TabWriter from "./TabWriter.ts"

type Fields = Readonly<Record<string, unknown>>

const isScalar = (value: unknown): value is string | number | boolean | null =>
  typeof value !== "object" || value === null

/** What `kubectl describe` shows: the object field by field, then its Events. Ages are measured from `nowMillis`. */
export const of = (object: KubeObject, events: ReadonlyArray<Event>, nowMillis: number): string => {
  const { apiVersion, kind, metadata: whole, ...rest } = object
  const { annotations, labels, managedFields: _managed, name, namespace, ...metadata } = whole as typeof whole & Fields
  return TabWriter.format(
    [
      ["Name:", name],
      ["Namespace:", namespace ?? ""],
      ...map("Labels:", labels, "="),
      ...map("Annotations:", annotations, ": "),
      ["API Version:", apiVersion],
      ["Kind:", kind],
      ...fields({ metadata, ...rest }, 0),
      ...eventLines(events, nowMillis)
    ],
    TabWriter.description
  )
}

/** Oldest first, in the order given. */
const eventLines = (events: ReadonlyArray<Event>, nowMillis: number): ReadonlyArray<TabWriter.Line> => {
  if (events.length === 0) return [["Events:", "<none>"]]
  const headings = ["Type", "Reason", "Age", "From", "Message"]
  const rows = events.map((event) => [
    event.type ?? "",
    event.reason ?? "",
    age(event, nowMillis),
    text(event["reportingController"]),
    event.note ?? ""
  ])
  return [
    ["Events:"],
    ...[headings, ["----", "------", "----", "----", "-------"], ...rows].map(([first = "", ...more]) => [
      `  ${first}`,
      ...more
    ])
  ]
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const age = ({ eventTime, series }: Event, nowMillis: number): string => {
  const since = (time: unknown) => HumanDuration.format(nowMillis - Date.parse(String(time)))
  return series === undefined
    ? since(eventTime)
    : `${since(series.lastObservedTime)} (x${series.count} over ${since(eventTime)})`
}

const map = (
  heading: string,
  entries: Readonly<Record<string, string>> = {},
  between: string
): ReadonlyArray<TabWriter.Line> => {
  const lines = ascending(entries).map(([key, value]) => `${key}${between}${value}`)
  return [[heading, lines[0] ?? "<none>"], ...lines.slice(1).map((line) => ["", line])]
}

const ascending = <A>(tree: Readonly<Record<string, A>>): ReadonlyArray<readonly [string, A]> =>
  Object.entries(tree).toSorted(([a], [b]) => (a < b ? -1 : 1))

const acronyms = new Set(["API", "URL", "UID", "OSB", "GUID"])

/** `kafkaCluster` to `Kafka Cluster`; a name with a digit stays unchanged, as in kubectl. */
const title = (name: string): string =>
  /^[A-Za-z-]+$/.test(name)
    ? name
        .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
        .split(" ")
        .map((word) =>
          acronyms.has(word.toUpperCase()) ? word.toUpperCase() : word.slice(0, 1).toUpperCase() + word.slice(1)
        )
        .join(" ")
    : name

const fields = (tree: Fields, depth: number): ReadonlyArray<TabWriter.Line> =>
  ascending(tree).flatMap(([name, value]): ReadonlyArray<TabWriter.Line> => {
    if (value === undefined) return []
    const heading = `${"  ".repeat(depth)}${title(name)}:`
    return isScalar(value) ? [[heading, String(value)]] : [[heading], ...below(value, depth + 1)]
  })

const below = (value: unknown, depth: number): ReadonlyArray<TabWriter.Line> =>
  Array.isArray(value)
    ? value.flatMap((item: unknown) =>
        isScalar(item) ? [[`${"  ".repeat(depth)}${String(item)}`]] : below(item, depth)
      )
    : fields(value as Fields, depth)
