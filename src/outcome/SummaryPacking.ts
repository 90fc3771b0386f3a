import { deflateRawSync, inflateRawSync } from "node:zlib"
import { Result, Schema } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { SetSummary } from "./RunSummary.ts"

/*
 * A compact form of sets: a column for each field, instants as differences, ids of the usual form as an instant, all
 * deflated. A set then takes about twenty characters.
 */

const Packed = Schema.fromJsonString(
  Schema.Struct({
    /** The start of ids of the usual form. */
    name: Schema.String,
    /** Milliseconds after the set before, or the whole id if it has another form. */
    ids: Schema.Array(Schema.Union([Schema.Int, Schema.String])),
    /** Milliseconds after the start of the set before. */
    started: Schema.Array(Schema.Int),
    /** Milliseconds after its own start. */
    completed: Schema.Array(Schema.Int),
    size: Schema.Array(Schema.Int),
    records: Schema.Array(Schema.Int)
  })
)
const decodePacked = Schema.decodeUnknownResult(Packed)
const decodeSets = Schema.decodeUnknownResult(Schema.Array(SetSummary))

/** Longest inflated text in bytes, since the packed text may come from elsewhere. */
const maxInflated = 1024 * 1024

const usualForm = /^(.+)-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/u

/** The instant in an id of the usual form. */
const instant = (backupId: string): number | undefined => {
  const found = usualForm.exec(backupId)
  if (found === null) return undefined
  const [, name = "", year, month, day, hour, minute, second] = found
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return !Number.isNaN(millis) && BackupId.forSlot(name, millis) === backupId ? millis : undefined
}

const isInstant = (millis: number) => Number.isFinite(millis) && Math.abs(millis) <= 8.64e15

/** The sets as Base64, in their order. */
export const pack = (sets: ReadonlyArray<SetSummary>): string => {
  const name = sets.map(({ backupId }) => usualForm.exec(backupId)?.[1]).find((found) => found !== undefined) ?? ""
  let lastSlot = 0
  const ids = sets.map(({ backupId }) => {
    const millis = backupId.startsWith(`${name}-`) ? instant(backupId) : undefined
    if (millis === undefined || BackupId.forSlot(name, millis) !== backupId) return backupId
    const distance = millis - lastSlot
    lastSlot = millis
    return distance
  })
  const columns = {
    name,
    ids,
    started: sets.map(({ startedMillis }, n) => startedMillis - (sets[n - 1]?.startedMillis ?? 0)),
    completed: sets.map(({ completedMillis, startedMillis }) => completedMillis - startedMillis),
    size: sets.map(({ size }) => size),
    records: sets.map(({ records }) => records)
  }
  return deflateRawSync(JSON.stringify(columns), { level: 9 }).toString("base64")
}

/** Reads sets that `pack` encoded; total. */
export const unpack = (text: string): Result.Result<ReadonlyArray<SetSummary>, string> => {
  const inflated = Result.try(() =>
    inflateRawSync(Buffer.from(text, "base64"), { maxOutputLength: maxInflated }).toString("utf8")
  )
  const decoded = Result.isSuccess(inflated) ? decodePacked(inflated.success) : undefined
  if (decoded === undefined || Result.isFailure(decoded)) return Result.fail("its sets are damaged")
  const { completed, ids, name, records, size, started } = decoded.success
  if ([started, completed, size, records].some((column) => column.length !== ids.length)) {
    return Result.fail("its sets are incomplete")
  }
  let slot = 0
  let startedMillis = 0
  const sets: Array<unknown> = []
  for (const [n, id] of ids.entries()) {
    if (typeof id === "number") slot += id
    if (!isInstant(slot)) return Result.fail("its sets have impossible ids")
    startedMillis += started[n]!
    sets.push({
      backupId: typeof id === "number" ? BackupId.forSlot(name, slot) : id,
      startedMillis,
      completedMillis: startedMillis + completed[n]!,
      size: size[n],
      records: records[n]
    })
  }
  return Result.mapError(decodeSets(sets), () => "its sets have impossible numbers")
}
