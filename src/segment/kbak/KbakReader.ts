import type { SegmentReader } from "../SegmentReader.ts"
import * as StreamedReader from "../StreamedReader.ts"
import * as BinaryReading from "./BinaryReading.ts"
import * as JsonReading from "./json/JsonReading.ts"
import { decodedRecords } from "../records/decodedRecords.ts"

/** Reads KBAK files, and those that its first tools wrote as JSON under the same names: the beginning decides. */
class Reading implements StreamedReader.Reading {
  readonly #key: string
  readonly #pieces: AsyncIterator<Uint8Array>
  #chosen: StreamedReader.Reading | undefined

  constructor(key: string, pieces: AsyncIterator<Uint8Array>) {
    this.#key = key
    this.#pieces = pieces
  }

  async *runs(mayFree: boolean): AsyncGenerator<Buffer, void> {
    let head: Buffer = Buffer.alloc(0)
    const first: Array<Uint8Array> = []
    while (head.length < JsonReading.shownBytes) {
      const { done, value } = await this.#pieces.next()
      if (done === true) break
      first.push(value)
      head = Buffer.concat([head, value.subarray(0, JsonReading.shownBytes)])
    }
    const begin = JsonReading.looksLike(this.#key, head) ? JsonReading.begin : BinaryReading.begin
    this.#chosen = begin(this.#key, after(first, this.#pieces))
    yield* this.#chosen.runs(mayFree)
  }

  content() {
    return this.#chosen!.content()
  }
}

async function* after(first: ReadonlyArray<Uint8Array>, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* first
  for (;;) {
    const { done, value } = await rest.next()
    if (done === true) return
    yield value
  }
}

export const reader: SegmentReader = StreamedReader.make((key, pieces) => new Reading(key, pieces), decodedRecords)
