/** What retention must know of one set. */
export interface RetainableSet {
  readonly backupId: string
  /** When the run's slot was, milliseconds since 1970: newest means latest slot. */
  readonly slotMillis: number
  /** Written by this very resource, and proven: nothing else is ever counted or removed. */
  readonly isOwnVerifiedSuccess: boolean
}

/**
 * The sets that `keep` newest successes push out, oldest first. Failed, foreign and unproven sets neither count nor go.
 * The newest success always stays, whatever `keep` says; an absent `keep` keeps everything.
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
