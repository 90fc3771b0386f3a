import type { TopicCut } from "../restore/CutReport.ts"
import * as Format from "../status/Format.ts"
import type { Column } from "./Table.ts"

/** The columns that a point-in-time restore has, besides those of every restore. */
export const columns: ReadonlyArray<Column> = [
  { heading: "LEFT OUT", align: "right" },
  { heading: "FIRST" },
  { heading: "LAST" }
]

export const cells = ({
  firstTimestamp = "-",
  lastTimestamp = "-",
  recordsLeftOut = 0
}: TopicCut): ReadonlyArray<string> => [Format.count(recordsLeftOut), firstTimestamp, lastTimestamp]
