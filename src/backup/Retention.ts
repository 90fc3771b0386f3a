/** What retention must know about one set. */
export interface RetainableSet {
  readonly backupId: string
  /** When the run's slot was, milliseconds since 1970: newest means latest slot. */
  readonly slotMillis: number
  /** Written by this resource and proven. Nothing else is ever counted or removed. */
  readonly isOwnVerifiedSuccess: boolean
}

/**
 * The sets beyond the `keep` newest successes, oldest first. Failed, foreign and unproven sets are neither counted nor
 * removed. The newest success always stays, even if `keep` is 0; an absent `keep` keeps everything.
 */
export const expired = <S extends RetainableSet>(
  sets: ReadonlyArray<S>,
  keep: number | undefined
): ReadonlyArray<S> => {
  if (keep === undefined) return []
  return sets
    .filter((set) => set.isOwnVerifiedSuccess)
    .toSorted((a, b) => b.slotMillis - a.slotMillis || (a.backupId < b.backupId ? 1 : -1))
    .slice(Math.max(1, keep))
    .toReversed()
}
