/** A store or broker that work waits for. */
export interface Paused {
  /** For people: `storage s3 bucket kafka-backups`, `kafka broker 2`. */
  readonly target: string
  /** When work began to wait, in milliseconds since 1970. */
  readonly sinceMillis: number
  /** When the next attempt is due, in milliseconds since 1970; in the past while that attempt is under way. */
  readonly nextProbeMillis: number
  /** The failure that opened the breaker last. */
  readonly cause: string
}

/** A store or broker that does not answer. */
export interface Outage {
  readonly target: string
  /** The first failure since it last answered, in milliseconds since 1970. */
  readonly sinceMillis: number
  /** The failure that opened the breaker last. */
  readonly cause: string
  /** Nothing has waited for it since then; undefined while work waits. */
  readonly idleSinceMillis: number | undefined
}

/** How one store or broker interrupted a run. */
export interface Interruption {
  readonly target: string
  /** How often its breaker opened; failed probes of one outage are not counted again. */
  readonly openings: number
  /** Total time that work waited for it, in milliseconds; calls that wait at the same time count once. */
  readonly waitedMillis: number
  /** The failure that opened the breaker last. */
  readonly cause: string
}

/** Where a journal writes what users see. */
export interface Shown {
  paused: Paused | undefined
  interruptions: ReadonlyArray<Interruption>
  /** Every target whose breaker is open, the one that has been away for longest first. */
  outages: ReadonlyArray<Outage>
}

/** Records what all breakers of one run do. Every method takes the present moment in milliseconds since 1970. */
export interface Journal {
  /** A breaker opened, or opened again after a failed probe; `sinceMillis` is the first failure of the outage. */
  readonly opened: (
    target: string,
    cause: string,
    nextProbeMillis: number,
    nowMillis: number,
    sinceMillis?: number
  ) => void
  /** A probe succeeded. Returns how long work has waited since the breaker opened, in milliseconds. */
  readonly closed: (target: string, nowMillis: number) => number
  /** One more call waits for the target. Each call of `held` is followed by one of `released`. */
  readonly held: (target: string, nowMillis: number) => void
  readonly released: (target: string, nowMillis: number) => void
}

interface Entry {
  readonly target: string
  openings: number
  waitedMillis: number
  cause: string
  isOpen: boolean
  nextProbeMillis: number
  waiting: number
  /** When the present wait began; undefined while nothing waits. */
  sinceMillis: number | undefined
  /** `waitedMillis` when the breaker opened. */
  waitedBefore: number
  /** The first failure of the present outage. */
  awaySinceMillis: number
  idleSinceMillis: number | undefined
}

export const make = (shown: Shown): Journal => {
  const entries = new Map<string, Entry>()

  const entryOf = (target: string): Entry => {
    const existing = entries.get(target)
    if (existing !== undefined) return existing
    const entry: Entry = {
      target,
      openings: 0,
      waitedMillis: 0,
      cause: "",
      isOpen: false,
      nextProbeMillis: 0,
      waiting: 0,
      sinceMillis: undefined,
      waitedBefore: 0,
      awaySinceMillis: 0,
      idleSinceMillis: undefined
    }
    entries.set(target, entry)
    return entry
  }

  /** Updates the waiting times and what users see. */
  const update = (entry: Entry, nowMillis: number) => {
    if (entry.isOpen && entry.waiting > 0) entry.sinceMillis ??= nowMillis
    else if (entry.sinceMillis !== undefined) {
      entry.waitedMillis += nowMillis - entry.sinceMillis
      entry.sinceMillis = undefined
    }
    entry.idleSinceMillis = entry.waiting > 0 ? undefined : (entry.idleSinceMillis ?? nowMillis)
    let paused: Paused | undefined
    for (const { cause, nextProbeMillis, sinceMillis, target } of entries.values()) {
      if (sinceMillis === undefined || (paused !== undefined && paused.sinceMillis <= sinceMillis)) continue
      paused = { target, sinceMillis, nextProbeMillis, cause }
    }
    shown.paused = paused
    shown.outages = [...entries.values()]
      .filter(({ isOpen }) => isOpen)
      .map(({ awaySinceMillis, cause, idleSinceMillis, target }) => ({
        target,
        sinceMillis: awaySinceMillis,
        cause,
        idleSinceMillis
      }))
      .toSorted((a, b) => a.sinceMillis - b.sinceMillis)
    shown.interruptions = [...entries.values()]
      .filter(({ openings }) => openings > 0)
      .map(({ cause, openings, target, waitedMillis }) => ({ target, openings, waitedMillis, cause }))
  }

  return {
    opened: (target, cause, nextProbeMillis, nowMillis, sinceMillis = nowMillis) => {
      const entry = entryOf(target)
      entry.cause = cause
      entry.nextProbeMillis = nextProbeMillis
      if (!entry.isOpen) {
        entry.isOpen = true
        entry.openings++
        entry.waitedBefore = entry.waitedMillis
        entry.awaySinceMillis = sinceMillis
        // The call that failed will wait for it.
        entry.idleSinceMillis = nowMillis
      }
      update(entry, nowMillis)
    },
    closed: (target, nowMillis) => {
      const entry = entryOf(target)
      entry.isOpen = false
      update(entry, nowMillis)
      return entry.waitedMillis - entry.waitedBefore
    },
    held: (target, nowMillis) => {
      const entry = entryOf(target)
      entry.waiting++
      update(entry, nowMillis)
    },
    released: (target, nowMillis) => {
      const entry = entryOf(target)
      entry.waiting--
      update(entry, nowMillis)
    }
  }
}
