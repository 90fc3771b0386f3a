import { lengthOf, offsetOf } from "../segment/records/recordFields.ts"

/** Where a backup and a live log differ. */
export interface Difference {
  readonly offset: number
  readonly detail: string
}

/** Offsets from the first to the last, both inclusive. */
interface Range {
  readonly first: number
  last: number
}

/** Most differences, and most ranges of records that one side lacks, that are remembered. */
const mostRemembered = 100

const nothing = Buffer.alloc(0)

/** One side: the run that is at hand, and how far it has been compared. */
interface Side {
  run: Buffer
  at: number
  hasEnded: boolean
}

const fresh = (): Side => ({ run: nothing, at: 0, hasEnded: false })

/** The offset of the next record: unknown before the next run is there, infinite at the end. */
const nextOf = ({ at, hasEnded, run }: Side): number | undefined =>
  at < run.length ? offsetOf(run, at) : hasEnded ? Infinity : undefined

/**
 * Compares two streams of records of one partition, record by record, in one pass: the caller gives the next run of the
 * side that it is asked for. Runs are whole records with ascending offsets.
 */
export class LogMatch {
  /** Records that both have, and that are equal. */
  equal = 0
  /** Records that the backup alone has: what compaction removed, for example. */
  onlyStored = 0
  /** Differing records, and records that the live log alone has: how many, and the first ones. */
  differing = 0
  readonly differences: Array<Difference> = []
  /** Where those lie that the backup alone has; the first ranges. */
  readonly missingLive: Array<Range> = []
  readonly #stored = fresh()
  readonly #live = fresh()
  /** The record before was one that the backup alone has. */
  #isMissing = false
  readonly #isGap: (offset: number) => boolean

  /** `isGap`: the backup says that it could not read this offset. */
  constructor(isGap: (offset: number) => boolean) {
    this.#isGap = isGap
  }

  /** The side whose next run is to be given; undefined when both have ended. */
  get wants(): "stored" | "live" | undefined {
    this.#compare()
    if (nextOf(this.#stored) === undefined) return "stored"
    return nextOf(this.#live) === undefined ? "live" : undefined
  }

  /** The next run of a side, valid until its next one; undefined for its end. */
  give(side: "stored" | "live", run: Buffer | undefined): void {
    const to = side === "stored" ? this.#stored : this.#live
    to.run = run ?? nothing
    to.at = 0
    to.hasEnded = run === undefined
  }

  #compare(): void {
    const [stored, live] = [this.#stored, this.#live]
    for (;;) {
      const [here, there] = [nextOf(stored), nextOf(live)]
      if (here === undefined || there === undefined || (here === Infinity && there === Infinity)) return
      if (here < there) {
        this.#missesLive(here)
        stored.at += lengthOf(stored.run, stored.at)
      } else if (there < here) {
        this.#isMissing = false
        if (!this.#isGap(there)) this.#differs(there, "Kafka has a record there, and the backup has none")
        live.at += lengthOf(live.run, live.at)
      } else {
        this.#isMissing = false
        const [a, b] = [lengthOf(stored.run, stored.at), lengthOf(live.run, live.at)]
        const isEqual = a === b && stored.run.compare(live.run, live.at, live.at + b, stored.at, stored.at + a) === 0
        if (isEqual) this.equal++
        else this.#differs(here, "the record in Kafka is not that of the backup")
        stored.at += a
        live.at += b
      }
    }
  }

  #missesLive(offset: number): void {
    this.onlyStored++
    const last = this.missingLive.at(-1)
    if (last !== undefined && this.#isMissing) last.last = offset
    else if (this.missingLive.length < mostRemembered) this.missingLive.push({ first: offset, last: offset })
    this.#isMissing = true
  }

  #differs(offset: number, detail: string): void {
    this.differing++
    if (this.differences.length < mostRemembered) this.differences.push({ offset, detail })
  }
}
