import { Result, Schema } from "effect"
import * as CheckSummary from "./CheckSummary.ts"
import * as DrillSummary from "./DrillSummary.ts"
import { RestoreSummary } from "./RestoreSummary.ts"
import { RunSummary } from "./RunSummary.ts"
import * as SummaryPacking from "./SummaryPacking.ts"
import * as TopicPacking from "./TopicPacking.ts"

/** Most bytes of an encoded summary: Kubernetes' limit for a container's termination message. */
export const maxBytes = 4096

/** Most bytes of each text as JSON, so that there is room for some sets however long the texts are. */
const room = {
  instant: 40,
  backupId: 260,
  reason: 100,
  message: 1000,
  advice: 500,
  waitedFor: 300,
  note: 300,
  notes: 1000,
  heldBack: 600,
  retention: 300,
  damaged: 310
} as const

/** Not a summary that this version can read. */
export class SummaryUnreadable extends Schema.TaggedError<SummaryUnreadable>()("SummaryUnreadable", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

const Plan = RestoreSummary.fields.plan.schema

/** The encoded form: sets and topics are packed, see SummaryPacking.ts and TopicPacking.ts. */
const Wire = Schema.Struct({
  ...RunSummary.fields,
  catalogue: Schema.optionalKey(
    Schema.Struct({
      total: Schema.Int,
      sets: Schema.String,
      adopted: Schema.optionalKey(Schema.Int),
      pinned: Schema.optionalKey(Schema.Int)
    })
  ),
  restore: Schema.optionalKey(
    Schema.Struct({
      ...RestoreSummary.fields,
      plan: Schema.optionalKey(Schema.Struct({ ...Plan.fields, topics: Schema.String }))
    })
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
const cutNotes = (notes: ReadonlyArray<string>, share: number): ReadonlyArray<string> => {
  const kept: Array<string> = []
  let left = room.notes * share
  for (const note of notes) {
    const text = cut(note, room.note * share)
    left -= bytes(text) + 1
    if (left < 0) return [...kept, `and ${notes.length - kept.length} more`]
    kept.push(text)
  }
  return kept
}

/** The summary without its lists of sets and topics, every text cut to this share of its limit; ids to all of it. */
const texts = (summary: RunSummary, share: number) => {
  const { catalogue: _catalogue, check, damaged, drill, restore: _restore, ...rest } = summary
  const optional = (key: "backupId" | "reason" | "message" | "advice" | "waitedFor" | "heldBack" | "retention") =>
    summary[key] === undefined ? {} : { [key]: cut(summary[key], key === "backupId" ? room[key] : room[key] * share) }
  return {
    ...rest,
    startedAt: cut(summary.startedAt, room.instant),
    completedAt: cut(summary.completedAt, room.instant),
    ...optional("backupId"),
    ...optional("reason"),
    ...optional("message"),
    ...optional("advice"),
    ...optional("waitedFor"),
    ...optional("heldBack"),
    ...optional("retention"),
    ...(damaged === undefined ? {} : { damaged: shortDamage(damaged, share) }),
    ...(drill === undefined ? {} : { drill: DrillSummary.shortened(drill) }),
    ...(check === undefined ? {} : { check: CheckSummary.shortened(check, share) }),
    notes: cutNotes(summary.notes, share)
  }
}

const shortDamage = ({ newest, newestWhole, text, ...rest }: NonNullable<RunSummary["damaged"]>, share: number) => ({
  ...rest,
  text: cut(text, room.damaged * share),
  ...(newest === undefined ? {} : { newest: cut(newest, room.backupId) }),
  ...(newestWhole === undefined ? {} : { newestWhole: cut(newestWhole, room.backupId) })
})

/** The summary as JSON with the first `count` sets or topics; a summary has one of these lists at most. */
const written = ({ catalogue, restore }: RunSummary, short: object, count: number): string => {
  const { plan, ...others } = restore ?? {}
  const packed = plan === undefined ? {} : { plan: { ...plan, topics: TopicPacking.pack(plan.topics.slice(0, count)) } }
  return JSON.stringify({
    ...short,
    ...(catalogue === undefined
      ? {}
      : { catalogue: { ...catalogue, sets: SummaryPacking.pack(catalogue.sets.slice(0, count)) } }),
    ...(restore === undefined ? {} : { restore: { ...others, ...packed } })
  })
}

const fits = (text: string) => Buffer.byteLength(text) <= maxBytes

/** A set or a topic takes more than three bytes, so more of them than this never fit. */
const mostItems = 1000

/**
 * The summary as JSON of at most 4096 bytes in UTF-8. Leaves out what does not fit: the ends of texts, the last notes,
 * the oldest sets, which `catalogue.total` still counts, and the last topics, which the plan of a restore still counts.
 */
export const encode = (summary: RunSummary): string => {
  const items = summary.catalogue?.sets.length ?? summary.restore?.plan?.topics.length ?? 0
  const short =
    [1, 0.75].map((share) => texts(summary, share)).find((some) => fits(written(summary, some, Math.min(items, 10)))) ??
    texts(summary, 0.5)
  let some = 0
  let tooMany = Math.min(items, mostItems) + 1
  while (tooMany - some > 1) {
    const middle = Math.floor((some + tooMany) / 2)
    if (fits(written(summary, short, middle))) some = middle
    else tooMany = middle
  }
  return written(summary, short, some)
}

const refuse = (detail: string) => Result.fail(new SummaryUnreadable({ detail }))

/** Reads a summary that `encode` wrote. Total: any other text, such as the end of a log, is a failure. */
export const decode = (text: string): Result.Result<RunSummary, SummaryUnreadable> => {
  // `encode` writes nothing longer, but the text may come from elsewhere.
  if (text.length > maxBytes) return refuse("it is longer than a summary can be")
  const wire = decodeWire(text)
  if (Result.isFailure(wire)) return refuse("it is not a summary")
  const { catalogue, restore, ...rest } = wire.success
  if ((rest.outcome === "success" || rest.outcome === "shardEnded") !== (rest.exitCode === 0))
    return refuse("its outcome contradicts its exit code")
  return Result.gen(function* () {
    const read: RunSummary = {
      ...rest,
      ...(catalogue === undefined ? {} : { catalogue: yield* unpackedSets(catalogue) }),
      ...(restore === undefined ? {} : { restore: yield* unpackedTopics(restore) })
    }
    return read
  })
}

const unpackedSets = (catalogue: NonNullable<typeof Wire.Type.catalogue>) =>
  Result.match(SummaryPacking.unpack(catalogue.sets), {
    onFailure: refuse,
    onSuccess: (sets) =>
      sets.length > catalogue.total
        ? refuse("it counts fewer sets than it holds")
        : Result.succeed({ ...catalogue, sets })
  })

const unpackedTopics = ({ plan, ...others }: NonNullable<typeof Wire.Type.restore>) => {
  if (plan === undefined) return Result.succeed(others)
  return Result.match(TopicPacking.unpack(plan.topics), {
    onFailure: refuse,
    onSuccess: (topics) =>
      topics.length > plan.exact + plan.renumbered
        ? refuse("it counts fewer topics than it holds")
        : Result.succeed({ ...others, plan: { ...plan, topics } })
  })
}
