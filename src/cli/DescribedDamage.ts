import type { DamagedObject } from "../manifest/Damage.ts"
import * as Format from "../status/Format.ts"
import * as Table from "./Table.ts"

/** What is known to be damaged of a backup, as describe shows it. */
export interface KnownDamage {
  /** What readings recorded. */
  readonly objects: ReadonlyArray<DamagedObject>
  /** What retention noticed when it compared the objects with storage; it names the first one alone. */
  readonly noticed?: { readonly atMillis: number; readonly text: string }
  /** For the key of a damaged object the newest backup that has its offsets whole. */
  readonly wholeIn: ReadonlyMap<string, string>
}

const columns: ReadonlyArray<Table.Column> = [
  { heading: "DAMAGED" },
  { heading: "PARTITION", align: "right" },
  { heading: "OFFSETS" },
  { heading: "SINCE" },
  { heading: "WHOLE IN" },
  { heading: "OBJECT" }
]

/** Most objects that are shown in columns; `-o json` has all. */
const mostShown = 20

const row = (
  { detail, firstOffset, key, lastOffset, partition, sinceMillis, topic }: DamagedObject,
  wholeIn: KnownDamage["wholeIn"]
) => [
  topic,
  String(partition),
  `${firstOffset}-${lastOffset}`,
  Format.time(sinceMillis),
  wholeIn.get(key) ?? "no newer backup",
  `${key} ${detail}`
]

/** Lines for people; none where nothing is known to be damaged. */
export const text = ({ noticed, objects, wholeIn }: KnownDamage): ReadonlyArray<string> => {
  const more = objects.length - mostShown
  return [
    ...(noticed === undefined ? [] : ["", `Damaged since ${Format.time(noticed.atMillis)}: ${noticed.text}`]),
    ...(objects.length === 0
      ? []
      : [
          "",
          Table.format(
            columns,
            objects.slice(0, mostShown).map((one) => row(one, wholeIn))
          )
        ]),
    ...(more > 0 ? [`and ${Format.count(more)} more damaged objects: -o json shows all`] : [])
  ]
}

export const json = ({ noticed, objects, wholeIn }: KnownDamage) => ({
  objects: objects.map(({ sinceMillis, ...object }) => ({
    ...object,
    since: Format.time(sinceMillis),
    wholeIn: wholeIn.get(object.key) ?? null
  })),
  noticed: noticed === undefined ? null : { since: Format.time(noticed.atMillis), text: noticed.text }
})
