import { Result, Schema } from "effect"
import { type CatalogueSummary, RunSummary } from "./RunSummary.ts"
import * as SummaryPacking from "./SummaryPacking.ts"

/** Most bytes of an encoded summary: Kubernetes' limit for a container's termination message. */
export const maxBytes = 4096

/** Most bytes of each text as JSON, so that there is room for some sets however long the texts are. */
const room = {
  instant: 40,
  backupId: 260,
  reason: 100,
  message: 1000,
  advice: 500,
  note: 300,
  notes: 1000,
  heldBack: 600
} as const

/** Not a summary that this version can read. */
export class SummaryUnreadable extends Schema.TaggedError<SummaryUnreadable>()("SummaryUnreadable", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

/** The encoded form: the sets are packed, see SummaryPacking.ts. */
const Wire = Schema.Struct({
  ...RunSummary.fields,
  catalogue: Schema.optionalKey(
    Schema.Struct({ total: Schema.Int, sets: Schema.String, adopted: Schema.optionalKey(Schema.Int) })
  )
})
const decodeWire = Schema.decodeUnknownResult(Schema.fromJsonString(Wire))

/** Bytes of a text as JSON, its quotes included. */
const bytes = (text: string) => Buffer.byteLength(JSON.stringify(text))

const ellipsis = "…"

/** The text, or its longest start of `limit` bytes as JSON with an ellipsis; never splits a character. */
const cut = (text: string, limit: number): string => {
  // A character takes at least one byte, so only the start of a huge text is examined.
  if (text.length <= limit && bytes(text) <= limit) return text
  let kept = ""
  let left = limit - bytes(ellipsis)
  for (const character of text.slice(0, limit)) {
    left -= bytes(character) - 2
    if (left < 0) break
    kept += character
  }
  return kept + ellipsis
}

/** As many of the first notes as fit, and the number of the others. */
const cutNotes = (notes: ReadonlyArray<string>): ReadonlyArray<string> => {
  const kept: Array<string> = []
  let left = room.notes
  for (const note of notes) {
    const text = cut(note, room.note)
    left -= bytes(text) + 1
    if (left < 0) return [...kept, `and ${notes.length - kept.length} more`]
    kept.push(text)
  }
  return kept
}

/** The summary without its catalogue, every text cut to its limit. */
const texts = (summary: RunSummary): RunSummary => {
  const { catalogue: _catalogue, ...rest } = summary
  const optional = (key: "backupId" | "reason" | "message" | "advice" | "heldBack") =>
    summary[key] === undefined ? {} : { [key]: cut(summary[key], room[key]) }
  return {
    ...rest,
    startedAt: cut(summary.startedAt, room.instant),
    completedAt: cut(summary.completedAt, room.instant),
    ...optional("backupId"),
    ...optional("reason"),
    ...optional("message"),
    ...optional("advice"),
    ...optional("heldBack"),
    notes: cutNotes(summary.notes)
  }
}

/** The summary as JSON with the newest `count` sets. */
const written = (summary: RunSummary, catalogue: CatalogueSummary | undefined, count: number): string =>
  JSON.stringify(
    catalogue === undefined
      ? summary
      : { ...summary, catalogue: { ...catalogue, sets: SummaryPacking.pack(catalogue.sets.slice(0, count)) } }
  )

const fits = (text: string) => Buffer.byteLength(text) <= maxBytes

/** A set takes more than three bytes, so more sets than this never fit. */
const mostSets = 1000

/**
 * The summary as JSON of at most 4096 bytes in UTF-8. Leaves out what does not fit: the ends of texts, the last notes,
 * the oldest sets, which `catalogue.total` still counts.
 */
export const encode = (summary: RunSummary): string => {
  const short = texts(summary)
  const { catalogue } = summary
  if (catalogue === undefined) return written(short, undefined, 0)
  let some = 0
  let tooMany = Math.min(catalogue.sets.length, mostSets) + 1
  while (tooMany - some > 1) {
    const middle = Math.floor((some + tooMany) / 2)
    if (fits(written(short, catalogue, middle))) some = middle
    else tooMany = middle
  }
  return written(short, catalogue, some)
}

const refuse = (detail: string) => Result.fail(new SummaryUnreadable({ detail }))

/** Reads a summary that `encode` wrote. Total: any other text, such as the end of a log, is a failure. */
export const decode = (text: string): Result.Result<RunSummary, SummaryUnreadable> => {
  // `encode` writes nothing longer, but the text may come from elsewhere.
  if (text.length > maxBytes) return refuse("it is longer than a summary can be")
  const wire = decodeWire(text)
  if (Result.isFailure(wire)) return refuse("it is not a summary")
  const { catalogue, ...rest } = wire.success
  if ((rest.outcome === "success") !== (rest.exitCode === 0)) return refuse("its outcome contradicts its exit code")
  if (catalogue === undefined) return Result.succeed(rest)
  return Result.match(SummaryPacking.unpack(catalogue.sets), {
    onFailure: refuse,
    onSuccess: (sets) =>
      sets.length > catalogue.total
        ? refuse("it counts fewer sets than it holds")
        : Result.succeed({ ...rest, catalogue: { ...catalogue, sets } })
  })
}
