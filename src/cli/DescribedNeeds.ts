import type * as Needs from "../restore/Needs.ts"
import * as RestoreNotes from "../restore/RestoreNotes.ts"
import * as Format from "../status/Format.ts"
import * as Table from "./Table.ts"

/** What a restore of a backup would need, as describe shows it. */

const columns: ReadonlyArray<Table.Column> = [
  { heading: "TOPIC" },
  { heading: "OFFSETS TO FILL", align: "right" },
  { heading: "HOLES", align: "right" },
  { heading: "BROKER TIME", align: "right" },
  { heading: "EXTRA SIZE", align: "right" },
  { heading: "NOTES" }
]

/** `0.3 s`, `4 min`: rounded up, because less promises too much. */
const time = (seconds: number): string =>
  seconds < 60 ? `${(Math.ceil(seconds * 10) / 10).toFixed(1)} s` : `${Math.ceil(seconds / 60)} min`

const notes = ({ configurationsLeftOut, renumbered }: Needs.TopicNeeds): string =>
  [
    ...(renumbered === undefined ? [] : [`new offsets, because ${RestoreNotes.because(renumbered)}`]),
    ...(configurationsLeftOut.length === 0 ? [] : [`without the configuration ${configurationsLeftOut.join(", ")}`])
  ].join("; ")

const needsMore = (topic: Needs.TopicNeeds): boolean => topic.fillerOffsets + topic.holes > 0 || notes(topic) !== ""

export const text = ({ gaps, recordBytes, topics }: Needs.Needs): string => {
  const some = topics.filter(needsMore)
  const size = recordBytes === undefined ? "" : `, which are ${Format.bytes(recordBytes)} before compression`
  const rows = some.map((topic) => [
    topic.topic,
    Format.count(topic.fillerOffsets),
    Format.count(topic.holes),
    time(topic.seconds),
    Format.bytes(topic.bytes),
    notes(topic)
  ])
  return [
    some.length === 0
      ? `A restore with the old offsets writes the records alone${size}.`
      : `A restore with the old offsets needs more than the records${size}:`,
    ...(some.length === 0 ? [] : [Table.format(columns, rows)]),
    ...(gaps === 0 ? [] : [`A restore needs gaps: Accept, because ${Format.count(gaps)} offsets could not be read.`])
  ].join("\n")
}

export const json = ({ topics, ...rest }: Needs.Needs) => ({
  ...rest,
  topics: topics.map(({ renumbered, ...topic }) => ({
    ...topic,
    ...(renumbered === undefined ? {} : { newOffsetsBecause: RestoreNotes.because(renumbered) })
  }))
})
