import * as Table from "../cli/Table.ts"
import * as Answer from "../status/Answer.ts"
import * as HumanDuration from "../status/HumanDuration.ts"
import * as View from "../status/View.ts"

/** All resources, one line each, as people and as programs read them. Pure. */

/** `12m ago`, `in 48m`; other texts stay. */
export const age = (time: string | undefined, nowMillis: number): string => {
  const millis = time === undefined ? Number.NaN : Date.parse(time)
  if (Number.isNaN(millis)) return time ?? ""
  return millis > nowMillis
    ? `in ${HumanDuration.format(millis - nowMillis)}`
    : `${HumanDuration.format(nowMillis - millis)} ago`
}

/** The worst first, backups before restores. */
export const rows = (views: ReadonlyArray<View.View>): ReadonlyArray<View.Row> => {
  const sorted = views.map(View.row).toSorted(Answer.worstFirst)
  return [
    ...sorted.filter(({ kind }) => kind === "KafkaBackup"),
    ...sorted.filter(({ kind }) => kind !== "KafkaBackup")
  ]
}

const columns = (isEverywhere: boolean): ReadonlyArray<Table.Column> => [
  { heading: "STATE" },
  ...(isEverywhere ? [{ heading: "NAMESPACE" }] : []),
  { heading: "NAME" },
  { heading: "LAST" },
  { heading: "NEXT" },
  { heading: "SIZE", align: "right" },
  { heading: "WHY" }
]

const cells = (row: View.Row, isEverywhere: boolean, nowMillis: number): ReadonlyArray<string> => {
  const { kind, name, namespace, next, percent, size = "", time, verdict, warnings } = row
  const isBackup = kind === "KafkaBackup"
  const also = warnings === 0 ? "" : ` (+ ${warnings} ${warnings === 1 ? "warning" : "warnings"})`
  return [
    verdict.word,
    ...(isEverywhere ? [namespace] : []),
    isBackup ? name : `restore/${name}`,
    time === undefined ? (isBackup ? "never" : "") : age(time, nowMillis),
    percent === undefined ? age(next, nowMillis) : `${percent} % done`,
    size,
    `${verdict.sentence}${also}`
  ]
}

export interface Shown {
  readonly rows: ReadonlyArray<View.Row>
  /** Absent: all. */
  readonly namespace: string | undefined
  readonly nowMillis: number
}

export const text = ({ namespace, nowMillis, rows }: Shown): string => {
  const isEverywhere = namespace === undefined
  const where = isEverywhere ? "" : ` in namespace ${namespace}`
  if (rows.length === 0) {
    return `There is no KafkaBackup and no KafkaRestore${where}${isEverywhere ? "" : "; -A shows all namespaces"}.`
  }
  return [
    `${Answer.of(rows).text}${where}.`,
    "",
    Table.format(
      columns(isEverywhere),
      rows.map((row) => cells(row, isEverywhere, nowMillis))
    )
  ].join("\n")
}

/** The same for programs. */
export const json = ({ rows }: Shown): string => {
  const { isBad, text } = Answer.of(rows)
  return JSON.stringify({ answer: text, needsAttention: isBad, resources: rows }, null, 2)
}
