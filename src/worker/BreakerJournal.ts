/** A store or broker that work waits for. */
export interface Paused {
  /** For people: `storage s3 bucket kafka-backups`, `kafka broker 2`. */
  readonly target: string
  /** When work began to wait, in milliseconds since 1970. */
  readonly sinceMillis: number
  /** When the next attempt is let through, in milliseconds since 1970; in the past while it is under way. */
  readonly nextProbeMillis: number
  /** The failure that opened the breaker last. */
  readonly cause: string
}

/** What one run suffered from one store or broker. */
export interface Interruption {
  readonly target: string
  /** How often its breaker opened; failed probes of one outage are not counted again. */
  readonly openings: number
  /** How long work waited for it in all, in milliseconds; several waiting at once count once. */
  readonly waitedMillis: number
  /** The failure that opened the breaker last. */
  readonly cause: string
}

/** Where a journal writes what is to be shown. */
export interface Shown {
  paused: Paused | undefined
  interruptions: ReadonlyArray<Interruption>
}

/** Keeps the books of all breakers of one run. Every method takes the present moment in milliseconds since 1970. */
export interface Journal {
  /** A breaker opened, or opened again after a failed probe. */
  readonly opened: (target: string, cause: string, nextProbeMillis: number, nowMillis: number) => void
  /** A probe succeeded; gives how long work has waited since the breaker opened, in milliseconds. */
  readonly closed: (target: string, nowMillis: number) => number
  /** One more call waits for the target; to be followed by one `released`. */
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
  /** Work waits since then; undefined while it does not. */
  sinceMillis: number | undefined
  /** `waitedMillis` when the breaker opened. */
  waitedBefore: number
}

export const make = (shown: Shown): Journal => {
  const entries = new Map<string, Entry>()

  const entryOf = (target: string): Entry => {
    const known = entries.get(target)
    if (known !== undefined) return known
    const entry: Entry = {
      target,
      openings: 0,
      waitedMillis: 0,
      cause: "",
      isOpen: false,
      nextProbeMillis: 0,
      waiting: 0,
      sinceMillis: undefined,
      waitedBefore: 0
    }
    entries.set(target, entry)
    return entry
  }

  /** Brings clocks and what is shown in line with who waits for what. */
  const settle = (entry: Entry, nowMillis: number) => {
    if (entry.isOpen && entry.waiting > 0) entry.sinceMillis ??= nowMillis
    else if (entry.sinceMillis !== undefined) {
      entry.waitedMillis += nowMillis - entry.sinceMillis
      entry.sinceMillis = undefined
    }
    let paused: Paused | undefined
    for (const { cause, nextProbeMillis, sinceMillis, target } of entries.values()) {
      if (sinceMillis === undefined || (paused !== undefined && paused.sinceMillis <= sinceMillis)) continue
      paused = { target, sinceMillis, nextProbeMillis, cause }
    }
    shown.paused = paused
    shown.interruptions = [...entries.values()]
      .filter(({ openings }) => openings > 0)
      .map(({ cause, openings, target, waitedMillis }) => ({ target, openings, waitedMillis, cause }))
  }

  return {
    opened: (target, cause, nextProbeMillis, nowMillis) => {
      const entry = entryOf(target)
      entry.cause = cause
      entry.nextProbeMillis = nextProbeMillis
      if (!entry.isOpen) {
        entry.isOpen = true
        entry.openings++
        entry.waitedBefore = entry.waitedMillis
      }
      settle(entry, nowMillis)
    },
    closed: (target, nowMillis) => {
      const entry = entryOf(target)
      entry.isOpen = false
      settle(entry, nowMillis)
      return entry.waitedMillis - entry.waitedBefore
    },
    held: (target, nowMillis) => {
      const entry = entryOf(target)
      entry.waiting++
      settle(entry, nowMillis)
    },
    released: (target, nowMillis) => {
      const entry = entryOf(target)
      entry.waiting--
      settle(entry, nowMillis)
    }
  }
}
