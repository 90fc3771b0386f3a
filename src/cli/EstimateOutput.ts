import * as CostModel from "../backup/CostModel.ts"
import * as LockedAges from "../backup/LockedAges.ts"
import * as Format from "../status/Format.ts"
import * as Quantities from "./Quantities.ts"
import * as Table from "./Table.ts"

/** Where the growth of the topics is from. */
export type Source =
  | { readonly _tag: "Given" }
  | { readonly _tag: "Backup"; readonly backupId: string }
  | { readonly _tag: "Looks"; readonly seconds: number }

export interface Estimate {
  readonly figures: CostModel.Figures
  readonly topics: number
  /** For how many days the store is asked to lock what is written; 0 for none. */
  readonly lockDays: number
  /** No rule removes backups: what is kept is that of a year. */
  readonly isEndless: boolean
  readonly source: Source
  /** Else assumed. */
  readonly isStoredMeasured: boolean
  readonly isSpeedMeasured: boolean
  readonly notes: ReadonlyArray<string>
}

const monthMillis = 30 * 86_400_000

const columns: ReadonlyArray<Table.Column> = [
  { heading: "" },
  { heading: "" },
  { heading: "FULL COPIES", align: "right" },
  { heading: "NEW DATA ONLY", align: "right" }
]

const sourceText = (source: Source): string => {
  switch (source._tag) {
    case "Given":
      return "as given"
    case "Backup":
      return `since ${source.backupId}`
    case "Looks":
      return `in ${source.seconds} seconds`
  }
}

const growthText = ({ figures, source }: Estimate): string => {
  const perSecond = figures.partitions.reduce((n, one) => n + one.bytesPerSecond, 0)
  return `${Format.bytes(Math.round(perSecond))} a second, ${sourceText(source)}`
}

/** The two ways, side by side. */
const costs = ({ figures }: Estimate) =>
  ({ fullCopies: CostModel.fullCopies(figures), newDataOnly: CostModel.newDataOnly(figures) }) as const

type Costs = ReturnType<typeof costs>

/** Where runs have no time for what they should read again: how long everything takes then. */
const rereadNotes = ({ figures }: Estimate, costs: Costs): ReadonlyArray<string> => {
  const { mostSampledMillis = Infinity, sampledPercent } = figures
  const bytes = (n: number) => Format.bytes(Math.round(n))
  return [["full copies", costs.fullCopies] as const, ["new data only", costs.newDataOnly] as const].flatMap(
    ([name, { run, storedBytes }]) =>
      run.rereadBytes >= run.dueBytes
        ? []
        : [
            `with ${name} a run has ${Quantities.duration(mostSampledMillis)} to read stored backups again, and reads ` +
              `${bytes(run.rereadBytes)} of the ${bytes(run.dueBytes)} that verification.percentPerRun: ${sampledPercent} ` +
              `asks for: everything is read again within ${Format.count(Math.ceil(storedBytes / run.rereadBytes))} runs ` +
              `instead of ${Format.count(Math.ceil(100 / sampledPercent))}`
          ]
  )
}

/** What a lock adds: backups that no rule keeps, and that the store does not let go before it has ended. */
const lockNotes = ({ figures, lockDays }: Estimate, costs: Costs): ReadonlyArray<string> => {
  const { intervalMillis, keptAgesMillis } = figures
  if (lockDays === 0 || intervalMillis === undefined) return []
  const { ages, isCut } = LockedAges.of(keptAgesMillis, lockDays, intervalMillis)
  const more = ages.length - keptAgesMillis.length
  const days = `${Format.count(lockDays)} ${lockDays === 1 ? "day" : "days"}`
  if (more <= 0) return [`the lock of ${days} adds nothing: spec.retention keeps every backup as long`]
  const locked = { ...figures, keptAgesMillis: ages }
  const added = (name: string, now: CostModel.Cost, then: CostModel.Cost) =>
    `${Format.bytes(Math.round(Math.max(0, then.storedBytes - now.storedBytes)))} with ${name}`
  return [
    `the lock of ${days} keeps ${isCut ? "more than " : ""}${Format.count(more)} backups that spec.retention would remove, which adds ` +
      `${added("full copies", costs.fullCopies, CostModel.fullCopies(locked))} and ` +
      `${added("new data only", costs.newDataOnly, CostModel.newDataOnly(locked))} to what is stored`
  ]
}

export const text = (estimate: Estimate): string => {
  const { figures, isEndless, isSpeedMeasured, isStoredMeasured, topics } = estimate
  const both = costs(estimate)
  const { fullCopies, newDataOnly } = both
  const notes = [...estimate.notes, ...rereadNotes(estimate, both), ...lockNotes(estimate, both)]
  const { intervalMillis, keptAgesMillis } = figures
  const row = (group: string, name: string, of: (cost: CostModel.Cost) => string) => [
    group,
    name,
    of(fullCopies),
    of(newDataOnly)
  ]
  const bytes = (n: number) => Format.bytes(Math.round(n))
  const perMonth = intervalMillis === undefined ? undefined : monthMillis / intervalMillis
  const monthly =
    perMonth === undefined
      ? []
      : [
          row("a month", "from Kafka", ({ run }) => bytes(run.kafkaBytes * perMonth)),
          row("", "written", ({ run }) => bytes(run.writtenBytes * perMonth)),
          row("", "read from storage", ({ run }) => bytes(run.readBytes * perMonth)),
          row("", "writes", ({ run }) => Format.count(run.writes * perMonth)),
          row("", "reads and lists", ({ run }) => Format.count(run.reads * perMonth))
        ]
  const total = figures.partitions.reduce((n, one) => n + one.bytes, 0)
  const kept = isEndless
    ? `${Format.count(keptAgesMillis.length)} in a year: no rule removes any`
    : Format.count(keptAgesMillis.length)
  return [
    Table.facts([
      ["Topics", `${Format.count(topics)}, with ${Format.count(figures.partitions.length)} partitions`],
      ["In the logs", `${bytes(total)}, uncompressed`],
      ["New", growthText(estimate)],
      [
        "Stored",
        `${Math.round(figures.storedPerByte * 1000) / 10} % of that, ${isStoredMeasured ? "as in the newest backup" : "assumed"}`
      ],
      [
        "Speed",
        `${bytes(figures.bytesPerSecond)} a second, ${isSpeedMeasured ? "as the newest backup" : "assumed, or the rate limit"}`
      ],
      [
        "Runs",
        intervalMillis === undefined ? "one: there is no schedule" : `every ${Quantities.duration(intervalMillis)}`
      ],
      ["Backups kept", kept]
    ]),
    "",
    Table.format(columns, [
      row("a run", "from Kafka", ({ run }) => bytes(run.kafkaBytes)),
      row("", "written", ({ run }) => bytes(run.writtenBytes)),
      row("", "of it joined", ({ run }) => bytes(run.joinedBytes)),
      row("", "read from storage", ({ run }) => bytes(run.readBytes)),
      row("", "of it verified", ({ run }) => bytes(run.rereadBytes)),
      row("", "writes", ({ run }) => Format.count(run.writes)),
      row("", "reads and lists", ({ run }) => Format.count(run.reads)),
      row("", "time", ({ run }) => Quantities.duration(run.millis)),
      ...monthly,
      row("stored", "bytes", ({ storedBytes }) => bytes(storedBytes)),
      row("", "objects", ({ storedObjects }) => Format.count(storedObjects))
    ]),
    "",
    ...notes.map((note) => `Note: ${note}`)
  ]
    .join("\n")
    .trimEnd()
}

export const json = (estimate: Estimate): string => {
  const { figures, isEndless, isSpeedMeasured, isStoredMeasured, source, topics } = estimate
  const { intervalMillis, partitions } = figures
  const runsPerMonth = intervalMillis === undefined ? null : monthMillis / intervalMillis
  const rounded = ({ run, storedBytes, storedObjects }: CostModel.Cost) => ({
    run: Object.fromEntries(Object.entries(run).map(([name, n]) => [name, Math.round(n as number)])),
    storedBytes: Math.round(storedBytes),
    storedObjects
  })
  const both = costs(estimate)
  const { fullCopies, newDataOnly } = both
  const notes = [...estimate.notes, ...rereadNotes(estimate, both), ...lockNotes(estimate, both)]
  return JSON.stringify(
    {
      topics,
      partitions: partitions.length,
      logBytes: Math.round(partitions.reduce((n, one) => n + one.bytes, 0)),
      newBytesPerSecond: Math.round(partitions.reduce((n, one) => n + one.bytesPerSecond, 0)),
      growthFrom: source,
      storedPerByte: figures.storedPerByte,
      isStoredMeasured,
      bytesPerSecond: Math.round(figures.bytesPerSecond),
      isSpeedMeasured,
      intervalMillis: intervalMillis ?? null,
      runsPerMonth,
      backupsKept: figures.keptAgesMillis.length,
      isEndless,
      fullCopies: rounded(fullCopies),
      newDataOnly: rounded(newDataOnly),
      notes
    },
    null,
    2
  )
}
