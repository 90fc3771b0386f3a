import type { ProducerPosition } from "../batch/SealedBatch.ts"
import { ErrorCode } from "../ErrorCode.ts"
import type { Producer } from "../KafkaSink.ts"

/** What the partition knows of the sequence of a batch. */
export type SequenceCheck =
  | { readonly _tag: "Next" }
  /** One of the newest five batches: it is in the log at `baseOffset`. */
  | { readonly _tag: "Repeated"; readonly baseOffset: number }
  | { readonly _tag: "Refused"; readonly errorCode: number }

interface KnownBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

interface ProducerState {
  readonly epoch: number
  /** The newest last. */
  readonly batches: ReadonlyArray<KnownBatch>
  /** Milliseconds since 1970: of the newest batch's largest timestamp, or of a marker. */
  readonly timestamp: number
}

/** What one partition remembers of its idempotent producers (KIP-98), with the broker's limits. Not concurrent. */
export interface ProducerStates {
  readonly check: (position: ProducerPosition, records: number, nowMillis: number) => SequenceCheck
  /** Remembers a batch that `check` let pass. */
  readonly appended: (position: ProducerPosition, records: number, baseOffset: number, timestamp: number) => void
  /** Whether a marker of this producer is taken: false if a newer epoch has written here. */
  readonly admitsMarker: (producer: Producer) => boolean
  readonly marked: (producer: Producer, timestamp: number) => void
  /** What lies at or above `offset` is gone from the log. */
  readonly truncate: (offset: number) => void
  readonly forget: () => void
}

/** Batches that a repetition is recognised by. Source: org.apache.kafka.storage.internals.log.ProducerStateEntry. */
const remembered = 5
/** Defaults of `producer.id.expiration.ms` and `producer.id.expiration.check.interval.ms`. */
const expirationMillis = 24 * 60 * 60 * 1000
const checkMillis = 10 * 60 * 1000
const sequences = 2 ** 31

const plus = (sequence: number, count: number) => (sequence + count) % sequences

export const makeProducerStates = (): ProducerStates => {
  const states = new Map<number, ProducerState>()
  let lastCheck = 0

  /** A state expires by the timestamps of its records, not by the time at which they came. */
  const expire = (nowMillis: number) => {
    const thisCheck = Math.floor(nowMillis / checkMillis)
    if (thisCheck === lastCheck) return
    lastCheck = thisCheck
    const checkedAt = thisCheck * checkMillis
    for (const [id, { timestamp }] of states) if (checkedAt - timestamp >= expirationMillis) states.delete(id)
  }

  const outOfOrder: SequenceCheck = { _tag: "Refused", errorCode: ErrorCode.outOfOrderSequenceNumber }

  return {
    check: ({ baseSequence, producerEpoch, producerId }, records, nowMillis) => {
      expire(nowMillis)
      const state = states.get(producerId)
      if (state === undefined) return { _tag: "Next" }
      if (producerEpoch < state.epoch) return { _tag: "Refused", errorCode: ErrorCode.invalidProducerEpoch }
      if (producerEpoch > state.epoch) return baseSequence === 0 ? { _tag: "Next" } : outOfOrder
      const lastSequence = plus(baseSequence, records - 1)
      const same = state.batches.find((one) => one.baseSequence === baseSequence && one.lastSequence === lastSequence)
      if (same !== undefined) return { _tag: "Repeated", baseOffset: same.baseOffset }
      const newest = state.batches.at(-1)
      const expected = newest === undefined ? 0 : plus(newest.lastSequence, 1)
      return baseSequence === expected ? { _tag: "Next" } : outOfOrder
    },
    appended: ({ baseSequence, producerEpoch, producerId }, records, baseOffset, timestamp) => {
      const state = states.get(producerId)
      const earlier = state?.epoch === producerEpoch ? state.batches : []
      const batch = { baseSequence, lastSequence: plus(baseSequence, records - 1), baseOffset }
      states.set(producerId, { epoch: producerEpoch, batches: [...earlier, batch].slice(-remembered), timestamp })
    },
    admitsMarker: ({ producerEpoch, producerId }) => producerEpoch >= (states.get(producerId)?.epoch ?? producerEpoch),
    marked: ({ producerEpoch, producerId }, timestamp) => {
      const state = states.get(producerId)
      const batches = state?.epoch === producerEpoch ? state.batches : []
      states.set(producerId, { epoch: producerEpoch, batches, timestamp })
    },
    truncate: (offset) => {
      for (const [id, state] of states) {
        const batches = state.batches.filter(({ baseOffset }) => baseOffset < offset)
        if (batches.length === 0) states.delete(id)
        else states.set(id, { ...state, batches })
      }
    },
    forget: () => states.clear()
  }
}
