import { Misconfigured, type ObjectStoreReason } from "../ObjectStoreError.ts"
import type { ObjectRole } from "../ObjectStore.ts"
import type { Protection } from "../Protection.ts"
import type { Lock } from "../StorageTarget.ts"

/* How a target wants objects stored: encryption, class, lock, tags. Pure. */

const dayMillis = 24 * 60 * 60_000

/** How long a test object is locked, in milliseconds: time enough to see that it is. */
const trialMillis = 60_000

/** Until when an object that is written now is locked, in milliseconds since 1970; undefined: it is not. */
export const lockedUntil = (
  lock: Lock<string> | undefined,
  role: ObjectRole | undefined,
  nowMillis: number
): number | undefined =>
  lock === undefined || role === undefined
    ? undefined
    : nowMillis + (role === "trial" ? trialMillis : lock.days * dayMillis)

/** One thing that a target asks for: the name of its field, and the value as people read it. */
export type Asked = readonly [field: string, value: string | undefined]

/** Of a lock, as people read it. */
export const lockText = (lock: Lock<string> | undefined): string | undefined =>
  lock === undefined ? undefined : `${lock.mode} for ${lock.days} ${lock.days === 1 ? "day" : "days"}`

/** `storageClass GLACIER_IR, objectLock GOVERNANCE for 30 days`; undefined where nothing is asked for. */
export const text = (asked: ReadonlyArray<Asked>): string | undefined => {
  const named = asked.flatMap(([field, value]) => (value === undefined ? [] : [`${field} ${value}`]))
  return named.length === 0 ? undefined : named.join(", ")
}

/** What protects an object by what its server says of it; undefined once that has ended. */
export const protection = (
  untilMillis: number | undefined,
  isHeld: boolean,
  nowMillis: number
): Protection | undefined => {
  const lasts = untilMillis !== undefined && untilMillis > nowMillis
  return lasts || isHeld
    ? { ...(lasts ? { untilMillis } : {}), ...(isHeld ? { isHeld: true as const } : {}) }
    : undefined
}

/** What the server says of a test object that it has just taken. */
export interface Proof {
  /** The field that asked for it. */
  readonly field: string
  readonly asked: string | undefined
  readonly found: string | undefined
  /** What to do if they differ. */
  readonly advice: string
}

/** Why the test object is not stored as it was asked for; undefined if it is. */
export const disproved = (proofs: ReadonlyArray<Proof>): ObjectStoreReason | undefined => {
  const wrong = proofs.find(({ asked, found }) => asked !== undefined && asked !== found)
  return wrong === undefined
    ? undefined
    : new Misconfigured({
        detail: `the store took a test object with ${wrong.field} ${wrong.asked}, and ${wrong.found === undefined ? "says nothing of that" : `stored it with ${wrong.found}`}`,
        advice: wrong.advice
      })
}
