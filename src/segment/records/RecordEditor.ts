import type { HeaderAppender } from "./HeaderAppender.ts"
import { countOf, lengthOf, offsetOf } from "./recordFields.ts"
import type { RecordFilter } from "./RecordFilter.ts"

/** How the records of a segment become the records that are restored. */
export interface Edit {
  /** First offset that is kept. */
  readonly from: number
  /** First offset that is NOT kept. */
  readonly until: number
  /** Present: records for which it is false are left out. */
  readonly keeps?: RecordFilter
  /**
   * Keys of the headers that the backup appended, in order. Records that do not end with all of them stay as they are.
   */
  readonly addedHeaders: ReadonlyArray<string>
  /** Present: kept records get these headers, after those of the backup are gone and before the offset is changed. */
  readonly appends?: HeaderAppender
  /** Present: kept records get consecutive offsets from this one on. Absent: they keep their own. */
  readonly renumberFrom?: number
}

/**
 * Edits the record stream of one partition, run by run, without an object per record. Runs are whole, scanned records
 * with ascending offsets. A run that needs no change comes out as it is or as a view.
 */
export class RecordEditor {
  readonly #edit: Edit
  readonly #keys: ReadonlyArray<Buffer>
  readonly #copies: boolean
  #nextOffset: number

  constructor(edit: Edit) {
    this.#edit = edit
    this.#keys = edit.addedHeaders.map((key) => Buffer.from(key))
    this.#copies =
      this.#keys.length > 0 || edit.renumberFrom !== undefined || edit.keeps !== undefined || edit.appends !== undefined
    this.#nextOffset = edit.renumberFrom ?? 0
  }

  push(run: Buffer): Buffer {
    const kept = this.#inRange(run)
    return this.#copies && kept.length > 0 ? this.#copied(kept) : kept
  }

  /** Where the first of the records that come next would go: `offset`, or the next one where they are renumbered. */
  placeOf(offset: number): number {
    return this.#edit.renumberFrom === undefined ? offset : this.#nextOffset
  }

  /** So many kept records go past it unchanged but for their offsets. */
  pass(records: number): void {
    this.#nextOffset += records
  }

  #inRange(run: Buffer): Buffer {
    const { from, until } = this.#edit
    let start = 0
    while (start < run.length && offsetOf(run, start) < from) start += lengthOf(run, start)
    let end = start
    if (run.length > 0 && until < Number.MAX_SAFE_INTEGER) {
      while (end < run.length && offsetOf(run, end) < until) end += lengthOf(run, end)
    } else end = run.length
    return start === 0 && end === run.length ? run : run.subarray(start, end)
  }

  #copied(run: Buffer): Buffer {
    const { appends, keeps, renumberFrom } = this.#edit
    const target = Buffer.allocUnsafe(run.length + (appends === undefined ? 0 : countOf(run) * appends.mostBytes))
    let out = 0
    for (let at = 0; at < run.length;) {
      const start = at
      at += lengthOf(run, start)
      if (keeps !== undefined && !keeps(run, start)) continue
      const recordOut = out
      out =
        this.#keys.length === 0 ? copied(run, start, at, target, out) : this.#withoutAdded(run, start, at, target, out)
      if (appends !== undefined) out = appends.append(target, recordOut, out)
      if (renumberFrom === undefined) continue
      target.writeUInt32LE(this.#nextOffset % 0x1_0000_0000, recordOut + 12)
      target.writeInt32LE(Math.floor(this.#nextOffset / 0x1_0000_0000), recordOut + 16)
      this.#nextOffset++
    }
    return target.subarray(0, out)
  }

  /** Copies a record without the headers that the backup appended. Returns where it ends. */
  #withoutAdded(run: Buffer, start: number, end: number, target: Buffer, to: number): number {
    let at = start + 24 + Math.max(0, run.readInt32LE(start + 20))
    at += 4 + Math.max(0, run.readInt32LE(at))
    const count = run.readUInt16LE(at)
    const kept = count - this.#keys.length
    if (kept < 0) return copied(run, start, end, target, to)
    const countAt = at
    at += 2
    let keptEnd = at
    for (let i = 0; i < count; i++) {
      if (i === kept) keptEnd = at
      const length = run.readUInt16LE(at)
      at += 2
      const key = i < kept ? undefined : this.#keys[i - kept]!
      if (key !== undefined && (key.length !== length || run.compare(key, 0, length, at, at + length) !== 0)) {
        return copied(run, start, end, target, to)
      }
      at += length
      at += 4 + Math.max(0, run.readInt32LE(at))
    }
    const out = copied(run, start, keptEnd, target, to)
    target.writeUInt32LE(keptEnd - start - 4, to)
    target.writeUInt16LE(kept, to + countAt - start)
    return out
  }
}

const copied = (source: Buffer, start: number, end: number, target: Buffer, to: number): number =>
  to + source.copy(target, to, start, end)
