import { Unreadable } from "./LinkBroken.ts"
import * as Api from "./protocol/Api.ts"
import { Reader } from "./protocol/Reader.ts"
import { Writer } from "./protocol/Writer.ts"

export const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)))

/** A request in pieces that follow each other. The first begins with the length of all, key, version and ids. */
export const encodeRequest = <A>(call: Api.Call<A>, clientId: string, correlationId: number): ReadonlyArray<Buffer> => {
  const header = new Writer(false)
  header.int32(0).int16(call.api.key).int16(call.version).int32(correlationId).string(clientId)
  const body = new Writer(Api.isFlexible(call.api, call.version))
  body.noTags()
  call.encode(body)
  const [bodyStart, ...rest] = body.pieces()
  const start = Buffer.concat([header.finish(), bodyStart])
  start.writeInt32BE(rest.reduce((sum, piece) => sum + piece.length, start.length) - 4, 0)
  return [start, ...rest]
}

/** Reads the answer of `call` from its frame, which begins with the correlation id; throws `Unreadable`. */
export const decodeAnswer = <A>(call: Api.Call<A>, frame: Buffer): A => {
  const reader = new Reader(frame, 4, Api.isFlexible(call.api, call.version))
  try {
    reader.tags()
    return call.decode(reader)
  } catch (cause) {
    throw new Unreadable(call.api, call.version, asError(cause))
  }
}
