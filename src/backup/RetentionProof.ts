import * as Retention from "./Retention.ts"

/*
 * Whether the backups that stay are proof enough for removing others. A backup that nobody found damaged counts for the
 * rules; that alone removes no other one: docs/adr/0046 has the reasons.
 */

/** What a pass knows of a backup that stays, and of which no damage is known. */
export type Proof =
  /** It was opened and compared with storage in this pass, or this process has just written and verified it. */
  | "Whole"
  /** It was not opened; its facts, which have a checksum, say that it was completed. */
  | "Complete"
  /** It was not opened, and nothing says more. */
  | "Unknown"

/** What becomes of the backups that no rule keeps. */
export interface Proven<S> {
  /** In the order in which they were given, like the others. */
  readonly goes: ReadonlyArray<S>
  /** They stay until a pass can prove more. */
  readonly stays: ReadonlyArray<S>
}

/**
 * Which of these backups may go for those that stay. One of `kept` must have been found whole, whatever its age, and
 * the newest of them must at least be complete. A damaged backup goes only if a newer one was found whole, since an
 * older one does not hold what is damaged in it.
 */
export const of = <S extends Retention.RetainableSet>(
  { expired, kept }: Pick<Retention.Decision<S>, "expired" | "kept">,
  isDamaged: (set: S) => boolean,
  proofOf: (set: S) => Proof
): Proven<S> => {
  const [newest] = Retention.newestFirst(kept)
  const whole = kept.filter((set) => proofOf(set) === "Whole")
  const isProven = newest !== undefined && whole.length > 0 && proofOf(newest) !== "Unknown"
  const isNewer = (one: S, other: S) => Retention.newestFirst([one, other])[0] === one
  const mayGo = (set: S) => isProven && (!isDamaged(set) || whole.some((one) => isNewer(one, set)))
  return { goes: expired.filter(mayGo), stays: expired.filter((set) => !mayGo(set)) }
}
