/** A transaction that was rolled back, as a Fetch answer lists it for its own range of offsets. */
export interface AbortedTransaction {
  readonly producerId: number
  /** Offset of the transaction's first record. */
  readonly firstOffset: number
}

/** Which producers' transactional batches are to be dropped at the batch now looked at; one per Fetch answer. */
export interface AbortedTransactions {
  /**
   * To be asked for every batch in order, control batches included: true when the batch lies in an aborted transaction.
   * The caller decides by the batch's own flags what that means.
   */
  readonly covers: (producerId: number, lastOffset: number) => boolean
  /** An abort marker of this producer was passed: what it writes next belongs to another transaction. */
  readonly end: (producerId: number) => void
}

/**
 * Filtering state for one answer. Nothing is carried from one answer to the next, because every answer lists the
 * transactions of its own range, those begun before it included. Source: KIP-98 and the Java consumer's CompletedFetch.
 */
export const abortedTransactions = (listed: ReadonlyArray<AbortedTransaction>): AbortedTransactions => {
  const pending = listed.length < 2 ? listed : listed.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const aborted = new Set<number>()
  let next = 0
  return {
    covers: (producerId, lastOffset) => {
      while (next < pending.length && pending[next]!.firstOffset <= lastOffset) aborted.add(pending[next++]!.producerId)
      return aborted.has(producerId)
    },
    end: (producerId) => {
      aborted.delete(producerId)
    }
  }
}
