import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import * as Worker from "../Worker.ts"
import * as FailedRuns from "../backup/FailedRuns.ts"
import * as SpecRequest from "../backup/SpecRequest.ts"
import type { Owner } from "../identity/RunIdentity.ts"
import * as Adoption from "../manifest/Adoption.ts"
import * as Catalogue from "../manifest/Catalogue.ts"
import * as KnownSet from "../manifest/KnownSet.ts"
import * as Pins from "../manifest/Pins.ts"
import * as OwnSets from "../manifest/OwnSets.ts"
import * as SetIndex from "../manifest/SetIndex.ts"
import * as Format from "../status/Format.ts"
import * as FailedRunOutput from "./FailedRunOutput.ts"
import * as Resource from "./Resource.ts"
import { output, shared, summary } from "./SharedFlags.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"
import * as Table from "./Table.ts"

const columns: ReadonlyArray<Table.Column> = [
  { heading: "BACKUP" },
  { heading: "STATE" },
  { heading: "CREATED" },
  { heading: "TOPICS", align: "right" },
  { heading: "RECORDS", align: "right" },
  { heading: "SIZE", align: "right" },
  { heading: "NEW", align: "right" },
  { heading: "GAPS", align: "right" },
  { heading: "OWNER" }
]

/** Another resource of the same name is told apart by its uid. */
const ownerText = ({ name, namespace, uid }: Owner, isOwn: boolean, resource: Owner): string => {
  const text = `${namespace ? `${namespace}/` : ""}${name}`
  const isNamesake = !isOwn && name === resource.name && namespace === resource.namespace
  return isNamesake ? `${text} (uid ${uid ?? "none"})` : text
}

const damageJson = ({ sinceMillis, text }: KnownSet.Noticed) => ({
  since: sinceMillis === undefined ? null : Format.time(sinceMillis),
  text
})

/** What the backup itself has stored; a dash where that is not known. */
const newBytes = (totals: { readonly newStoredBytes?: number } | undefined): string =>
  totals?.newStoredBytes === undefined ? "-" : Format.bytes(totals.newStoredBytes)

type Retired = Extract<Catalogue.CatalogueEntry, { readonly _tag: "Retired" }>
type Listed = Exclude<Catalogue.CatalogueEntry, Retired>

const row = (
  entry: Listed,
  own: ReadonlySet<string>,
  pins: ReadonlySet<string>,
  isDamaged: boolean,
  resource: Owner,
  failure: string | undefined
): ReadonlyArray<string> => {
  switch (entry._tag) {
    case "Complete": {
      const owner = entry.facts?.identity.owner
      const format = entry.facts?.settings.format
      const state = [isDamaged ? "damaged" : "complete", ...(format === undefined ? [] : [format])].join(", ")
      return [
        entry.backupId,
        pins.has(entry.backupId) ? `${state}, pinned` : state,
        Format.time(entry.createdMillis),
        Format.count(entry.totals.topics),
        Format.count(entry.totals.records),
        Format.bytes(entry.totals.storedBytes),
        newBytes(entry.facts?.totals),
        Format.count(entry.totals.gaps),
        owner === undefined ? "another tool" : ownerText(owner, own.has(entry.backupId), resource)
      ]
    }
    case "Incomplete":
      return [
        entry.backupId,
        isDamaged ? "damaged" : ["unfinished", ...(failure === undefined ? [] : [failure])].join(", ")
      ]
    case "BeingRemoved":
      return [entry.backupId, "being removed"]
    case "Unreadable":
      return [entry.backupId, "unreadable"]
  }
}

const json = (
  entry: Catalogue.CatalogueEntry,
  pins: ReadonlySet<string>,
  damage: KnownSet.Noticed | undefined,
  failure: string | undefined
) => {
  switch (entry._tag) {
    case "Complete":
      return {
        backupId: entry.backupId,
        state: damage === undefined ? "complete" : "damaged",
        damage: damage === undefined ? null : damageJson(damage),
        pinned: pins.has(entry.backupId),
        created: Format.time(entry.createdMillis),
        ...entry.totals,
        format: entry.facts?.settings.format ?? "records",
        newRecords: entry.facts?.totals.newRecords ?? null,
        newStoredBytes: entry.facts?.totals.newStoredBytes ?? null,
        owner: entry.facts?.identity.owner ?? null
      }
    case "Incomplete":
      return {
        backupId: entry.backupId,
        ...(damage === undefined ? { state: "unfinished" } : { state: "damaged", damage: damageJson(damage) }),
        ...(failure === undefined ? {} : { failure })
      }
    case "BeingRemoved":
      return { backupId: entry.backupId, state: "beingRemoved" }
    case "Unreadable":
      return { backupId: entry.backupId, state: "unreadable", detail: entry.detail }
    case "Retired": {
      const { backupId, bytes, objects, owner } = entry
      return { backupId, state: "retired", objects, storedBytes: bytes, owner }
    }
  }
}

/** What is damaged or unreadable of a backup, in one line. */
const damageLine = (entry: Listed, damage: KnownSet.Noticed | undefined): ReadonlyArray<string> => {
  const { backupId } = entry
  if (entry._tag === "Unreadable") return [`${backupId} is unreadable: ${entry.detail}`]
  if (damage === undefined) return []
  const since = damage.sinceMillis === undefined ? "" : ` since ${Format.time(damage.sinceMillis)}`
  return [`${backupId} is damaged${since}: ${damage.text}`]
}

/** Where a backup of the resource is damaged: the newest one that is not known to be, in one line. */
const wholeLine = (
  listed: ReadonlyArray<Listed>,
  own: ReadonlySet<string>,
  damages: ReadonlyMap<Catalogue.CatalogueEntry, KnownSet.Noticed | undefined>
): ReadonlyArray<string> => {
  const isDamaged = (entry: Listed) => damages.get(entry) !== undefined
  if (!listed.some(isDamaged)) return []
  const whole = listed
    .flatMap((entry) => (entry._tag === "Complete" && own.has(entry.backupId) && !isDamaged(entry) ? [entry] : []))
    .toSorted((a, b) => b.createdMillis - a.createdMillis)[0]
  return whole === undefined
    ? ["No backup of this resource is without known damage"]
    : [`Newest without known damage: ${whole.backupId}; describe of a damaged one says whether it holds the same`]
}

/** What is left of removed backups, in one line. */
const rest = (retired: ReadonlyArray<Retired>): string => {
  const bytes = Format.bytes(retired.reduce((n, folder) => n + folder.bytes, 0))
  return `${Format.count(retired.length)} removed backup${retired.length === 1 ? "" : "s"} left ${bytes} that other backups need`
}

/** Why the newest attempt of each run failed, by the id of its folder. */
const failures = ({ runs }: FailedRuns.Found): ReadonlyMap<string, string> =>
  new Map(
    runs
      .toReversed()
      .flatMap(({ report: { backupId, error, outcome } }) =>
        backupId === undefined ? [] : [[backupId, error?.reason ?? outcome] as const]
      )
  )

export const list = Command.make(
  "list",
  {
    ...shared,
    output,
    summary,
    failed: Flag.Boolean("failed").pipe(
      Flag.withDefault(false),
      Flag.withDescription(
        "list the runs that ended without a backup instead, newest first: why, and how far they came; a process that was killed (SIGKILL) left no word of its end, and is not among them"
      )
    )
  },
  Effect.fnUntraced(
    function* (flags) {
      const { backup, store } = yield* Resource.openStore(flags.file, flags)
      const entries = yield* Catalogue.entries(store)
      const failed = yield* FailedRuns.all(store)
      if (flags.failed) {
        yield* StandardOutput.print(
          flags.output === "json"
            ? JSON.stringify(
                failed.runs.map((run) => FailedRunOutput.json(run, entries)),
                null,
                2
              )
            : FailedRunOutput.table(failed.runs, failed.unreadable, entries, store.location)
        )
        return yield* Worker.listedResult(store, backup, entries)
      }
      const reasons = failures(failed)
      const resource = SpecRequest.resource(backup)
      const own = new Set<string>(OwnSets.of(entries, resource).map(({ backupId }) => backupId))
      const pins = yield* Pins.of(store, SpecRequest.pinned(backup))
      const listed = entries.flatMap((entry) => (entry._tag === "Retired" ? [] : [entry]))
      const retired = entries.flatMap((entry) => (entry._tag === "Retired" ? [entry] : []))
      const indexed = new Map(
        (yield* SetIndex.indexed(store, Adoption.ownerOf(resource))).map((set) => [set.backupId, set])
      )
      const damages = new Map(entries.map((entry) => [entry, KnownSet.damageOf(entry, indexed.get(entry.backupId))]))
      const rows = listed.map((entry) =>
        row(entry, own, pins, damages.get(entry) !== undefined, resource, reasons.get(entry.backupId))
      )
      const all = entries.map((entry) => json(entry, pins, damages.get(entry), reasons.get(entry.backupId)))
      yield* StandardOutput.print(
        flags.output === "json"
          ? JSON.stringify(all, null, 2)
          : [
              rows.length === 0 ? `no backups in ${store.location}` : Table.format(columns, rows),
              ...listed.flatMap((entry) => damageLine(entry, damages.get(entry))),
              ...wholeLine(listed, own, damages),
              ...(retired.length === 0 ? [] : [rest(retired)]),
              ...FailedRunOutput.hint(failed.runs, entries)
            ].join("\n")
      )
      return yield* Worker.listedResult(store, backup, entries)
    },
    Effect.scoped,
    (listing, flags) => SummaryFile.recording("list", flags.summary, listing)
  )
).pipe(
  Command.withDescription("List every backup in the manifest's storage, including unfinished ones"),
  Command.withExamples([
    { command: "kafka-backup list -f backup.yaml --secrets ./secrets", description: "all backups in the storage" },
    { command: "kafka-backup list -f backup.yaml -o json | jq -r '.[].backupId'", description: "only the ids" },
    { command: "kafka-backup list -f backup.yaml --secrets ./secrets --failed", description: "runs without a backup" }
  ])
)
