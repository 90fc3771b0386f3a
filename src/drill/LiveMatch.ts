import type { ManifestGap } from "../manifest/Manifest.ts"
import { lengthOf, offsetOf } from "../segment/records/recordFields.ts"

/** Where two logs differ. */
export interface Difference {
  readonly offset: number
  readonly detail: string
}

/**
 * Compares records of a live log with those of a backup, offset by offset. Records that the live log lacks are no
 * difference: retention and compaction remove some. A record at an offset that the backup lacks is one, unless the
 * backup says that it could not read that offset.
 */
export class LiveMatch {
  /** Records that both have, and that are equal. */
  equal = 0
  /** The first difference. */
  difference: Difference | undefined
  readonly #gaps: ReadonlyArray<ManifestGap>
  #stored: Buffer = Buffer.alloc(0)
  #at = 0

  constructor(gaps: ReadonlyArray<ManifestGap>) {
    this.#gaps = gaps
  }

  /** The next records of the backup, ascending; valid until the next call. */
  backup(run: Buffer): void {
    this.#stored = run
    this.#at = 0
  }

  /** The next records of the live log, ascending, none behind the last of those of the backup. */
  live(run: Buffer): void {
    for (let at = 0; at < run.length && this.difference === undefined; at += lengthOf(run, at)) this.#compare(run, at)
  }

  #compare(run: Buffer, at: number): void {
    const offset = offsetOf(run, at)
    const stored = this.#stored
    while (this.#at < stored.length && offsetOf(stored, this.#at) < offset) this.#at += lengthOf(stored, this.#at)
    if (this.#at < stored.length && offsetOf(stored, this.#at) === offset) {
      const length = lengthOf(run, at)
      const isEqual =
        length === lengthOf(stored, this.#at) && run.compare(stored, this.#at, this.#at + length, at, at + length) === 0
      if (isEqual) this.equal++
      else this.difference = { offset, detail: "the record there is not that of the backup" }
    } else if (!this.#gaps.some((gap) => gap.start_offset <= offset && offset < gap.end_offset)) {
      this.difference = { offset, detail: "the live log has a record there, and the backup has none" }
    }
  }
}
