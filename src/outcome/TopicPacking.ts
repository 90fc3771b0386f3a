import { deflateRawSync, inflateRawSync } from "node:zlib"
import { Result, Schema } from "effect"
import { RestoredTopic } from "./RestoreSummary.ts"

/* A compact form of topics: a column for each field, all deflated. Names that resemble each other take little room. */

const Packed = Schema.fromJsonString(
  Schema.Struct({
    names: Schema.Array(Schema.String),
    records: Schema.Array(Schema.Int),
    /** Why each has new offsets; empty for the others. */
    renumbered: Schema.Array(Schema.String)
  })
)
const decodePacked = Schema.decodeUnknownResult(Packed)

/** Longest inflated text in bytes, since the packed text may come from elsewhere. */
const maxInflated = 1024 * 1024

/** The topics as Base64, in their order. */
export const pack = (topics: ReadonlyArray<RestoredTopic>): string => {
  const columns = {
    names: topics.map(({ name }) => name),
    records: topics.map(({ records }) => records),
    renumbered: topics.map(({ renumbered = "" }) => renumbered)
  }
  return deflateRawSync(JSON.stringify(columns), { level: 9 }).toString("base64")
}

/** Reads topics that `pack` encoded; total. */
export const unpack = (text: string): Result.Result<ReadonlyArray<RestoredTopic>, string> => {
  const inflated = Result.try(() =>
    inflateRawSync(Buffer.from(text, "base64"), { maxOutputLength: maxInflated }).toString("utf8")
  )
  const decoded = Result.isSuccess(inflated) ? decodePacked(inflated.success) : undefined
  if (decoded === undefined || Result.isFailure(decoded)) return Result.fail("its topics are damaged")
  const { names, records, renumbered } = decoded.success
  if (records.length !== names.length || renumbered.length !== names.length) {
    return Result.fail("its topics are incomplete")
  }
  return Result.succeed(
    names.map((name, n): RestoredTopic => {
      const why = renumbered[n]!
      return { name, records: records[n]!, ...(why === "" ? {} : { renumbered: why }) }
    })
  )
}
