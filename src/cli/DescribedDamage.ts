import type { DamagedObject } from "../manifest/Damage.ts"
import type { Elsewhere, Found } from "../manifest/WholeElsewhere.ts"
import * as Format from "../status/Format.ts"
import * as Table from "./Table.ts"

/** What is known to be damaged of a backup, as describe shows it. */
export interface KnownDamage {
  /** What readings recorded. */
  readonly objects: ReadonlyArray<DamagedObject>
  /**
   * What a look at the manifest and at the sizes of the objects found; it names the first one alone. With the time
   * when retention or `verify --mark` noticed damage.
   */
  readonly noticed?: { readonly atMillis?: number; readonly text: string }
  /** What other backups hold of them. */
  readonly found: Found
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

/** Where the offsets of one object are whole. */
const whole = (one: Elsewhere | undefined, left: number): string => {
  if (one?.isWhole === true) return one.backupId
  const none = left === 0 ? "no other backup" : `none of the newest; ${Format.count(left)} were not looked at`
  return one === undefined ? none : `${none}; offsets ${one.firstOffset}-${one.lastOffset} in ${one.backupId}`
}

/** Whether one backup, or several, or none have whole what is damaged. */
const advice = ({ found: { elsewhere, left }, objects }: KnownDamage): ReadonlyArray<string> => {
  if (objects.length === 0) return []
  const all = objects.flatMap(({ key }) => elsewhere.get(key) ?? []).filter(({ isWhole }) => isWhole)
  const ids = [...new Set(all.map(({ backupId }) => backupId))]
  if (all.length === objects.length && ids.length === 1)
    return [`Everything that is damaged here is whole in ${ids[0]}`]
  if (all.length === objects.length) return ["Everything that is damaged here is whole in other backups"]
  const [some, are] = [objects.length - all.length, left === 0 ? "no other backup" : "no backup that was looked at"]
  return [`${Format.count(some)} of ${Format.count(objects.length)} damaged objects: whole in ${are}`]
}

const row = (
  { detail, firstOffset, key, lastOffset, partition, sinceMillis, topic }: DamagedObject,
  { elsewhere, left }: Found
) => [
  topic,
  String(partition),
  `${firstOffset}-${lastOffset}`,
  Format.time(sinceMillis),
  whole(elsewhere.get(key), left),
  `${key} ${detail}`
]

const since = ({ atMillis }: NonNullable<KnownDamage["noticed"]>): string =>
  atMillis === undefined ? "" : ` since ${Format.time(atMillis)}`

/** Lines for people; none where nothing is known to be damaged. */
export const text = (damage: KnownDamage): ReadonlyArray<string> => {
  const { found, noticed, objects } = damage
  const more = objects.length - mostShown
  return [
    ...(noticed === undefined ? [] : ["", `Damaged${since(noticed)}: ${noticed.text}`]),
    ...(objects.length === 0
      ? []
      : [
          "",
          Table.format(
            columns,
            objects.slice(0, mostShown).map((one) => row(one, found))
          )
        ]),
    ...(more > 0 ? [`and ${Format.count(more)} more damaged objects: -o json shows all`] : []),
    ...advice(damage)
  ]
}

const partJson = (one: Elsewhere | undefined) =>
  one === undefined || one.isWhole
    ? null
    : { backupId: one.backupId, firstOffset: one.firstOffset, lastOffset: one.lastOffset }

export const json = ({ found: { elsewhere }, noticed, objects }: KnownDamage) => ({
  objects: objects.map(({ sinceMillis, ...object }) => {
    const one = elsewhere.get(object.key)
    return {
      ...object,
      since: Format.time(sinceMillis),
      wholeIn: one?.isWhole === true ? one.backupId : null,
      partIn: partJson(one)
    }
  }),
  noticed:
    noticed === undefined
      ? null
      : { since: noticed.atMillis === undefined ? null : Format.time(noticed.atMillis), text: noticed.text }
})
