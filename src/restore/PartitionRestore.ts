import { Clock, Effect } from "effect"
import { KafkaError, ProtocolFailure } from "../kafka/KafkaError.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import { WindowDigests } from "../segment/records/WindowDigests.ts"
import type { Place } from "./Content.ts"
import * as LargeRecords from "./LargeRecords.ts"
import { append, type Tools as WritingTools, Unsure } from "./PartitionWriting.ts"
import * as Proof from "./Proof.ts"
import { RestoreError, TargetDisturbed } from "./RestoreError.ts"

/** What a partition is restored with. */
export interface Tools extends WritingTools, LargeRecords.Making {
  /** The same cluster, for reading back. */
  readonly source: KafkaSourceShape
  /** How long a partition may make no progress before the attempt fails; to wait for its turn does not count. */
  readonly patienceMillis: number
  /** Waits until the partition may be written. */
  readonly inTurn: <A, E, R>(writing: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * Pauses before the end of a partition's log is asked for again. The first gives requests of a broken connection, which
 * a broker may still carry out, the time to be there before the log is looked at.
 */
const firstPauseMillis = 2000
const longestPauseMillis = 10_000

/**
 * One partition of the target, restored and proven; gives what was compared. `topicId` keeps a topic of the same name
 * from being written to.
 */
export const run = Effect.fn("PartitionRestore.run")(function* (
  place: Place,
  topicId: string | undefined,
  tools: Tools
) {
  const { partition, topic } = place
  const { appendedFrom, end, start } = partition
  const target = { topic: topic.target, partition: partition.partition }
  const disturbed = (offset: number, detail: string) =>
    new RestoreError({
      reason: new TargetDisturbed({
        ...target,
        offset,
        detail,
        ...(appendedFrom === undefined ? {} : { isAppended: true })
      })
    })

  const askEnd = (kind: "logEnd" | "highWatermark") =>
    Effect.map(tools.sink.offsets([target], kind), ([found]) => found?.offset ?? 0)

  /**
   * Where the log ends for everybody. Fails while the leader holds more, which cannot be read: it may stay or vanish,
   * and until then a batch would get an offset behind it.
   */
  const logEnd = Effect.gen(function* () {
    const written = yield* askEnd("logEnd")
    const committed = yield* askEnd("highWatermark")
    if (committed >= written) return committed
    const detail = `offsets ${committed} to ${written - 1} of ${target.topic}[${target.partition}] are on too few replicas`
    return yield* new Unsure({ reason: new ProtocolFailure({ detail, transient: true }) })
  })

  /** Compares what the target holds in the range with the backup. */
  const compare = Effect.fnUntraced(function* (from: number, until: number) {
    if (from >= until) return
    const should = yield* Proof.planned(tools.store, place, from, until, making.asStored)
    const records = yield* Proof.compare(tools, place, topicId, should, from, until, onRead).pipe(
      Effect.catchReason("RestoreError", "Differs", (differs) =>
        Effect.fail(
          disturbed(
            differs.from,
            `the log holds other records than the backup (${differs.detail}): another writer, a late request of an earlier attempt, or one that wrote from a damaged segment`
          )
        )
      )
    )
    compared.push({ from, until, records })
  })

  /** Before the start of the log only fillers of this restore may lie: they are going to be deleted. */
  const compareFillers = Effect.fnUntraced(function* (from: number, until: number) {
    if (from >= until) return
    const first = yield* Effect.map(tools.sink.offsets([target], "logStart"), ([found]) => found?.offset ?? 0)
    const held = Math.max(from, first)
    if (held >= until) return
    const fillers = yield* Proof.countFillers(tools.source, place, topicId, held, until)
    if (fillers === until - held) return
    const detail = `the log holds records that this restore did not write (${until - held - fillers} before offset ${until})`
    return yield* disturbed(held, detail)
  })

  const compared: Array<Proof.ComparedRange> = []

  /** Everything below it is in the log as planned. */
  let proven = appendedFrom ?? 0
  /** Everything below it was acknowledged at its offset. */
  let acknowledged = 0
  const onAcknowledged = (until: number) => void (acknowledged = Math.max(acknowledged, until))
  /** Everything below it was read back. */
  let read = 0
  const onRead = (position: number) => void (read = Math.max(read, position))
  let making: LargeRecords.Making = tools
  /** How far it had come at the newest failure, with writing and reading back, and since when it fails there. */
  let stuckAt = -1
  let stuckSince = 0
  let pause = firstPauseMillis

  /**
   * Looks at the log, goes on at its end, and proves what was appended. Fails with `Unsure` where another look is due.
   */
  const round = Effect.gen(function* () {
    const held = yield* logEnd
    if (held > end) return yield* disturbed(end, `the log ends at ${held}: somebody else writes to this partition`)
    if (appendedFrom !== undefined && held < appendedFrom) {
      return yield* disturbed(held, `the log ends at ${held}, and ended at ${appendedFrom} before the restore`)
    }
    yield* compareFillers(proven, Math.min(start, held))
    yield* compare(Math.max(start, proven), held)
    proven = held
    const from = Math.max(start, proven)
    const digests = new WindowDigests(Proof.windowOffsets, from)
    const asksMillis = yield* Clock.currentTimeMillis
    const hasTurn = Effect.map(Clock.currentTimeMillis, (nowMillis) => void (stuckSince += nowMillis - asksMillis))
    const writing = append(place, topicId, tools, making, proven, digests, onAcknowledged)
    yield* tools.inTurn(Effect.andThen(hasTurn, writing))
    if (from >= end) return
    const records = yield* Proof.compare(tools, place, topicId, Proof.found(digests), from, end, onRead)
    compared.push({ from, until: end, records })
  }).pipe(
    Effect.catchTag("KafkaError", (error): Effect.Effect<never, KafkaError | Unsure> =>
      Effect.fail(error.isRetryable ? new Unsure({ reason: error.reason }) : error)
    )
  )

  for (;;) {
    const outcome = yield* Effect.result(round)
    if (outcome._tag === "Success") return compared
    if (outcome.failure instanceof LargeRecords.TooLarge) {
      const smaller = LargeRecords.smaller(making, outcome.failure)
      if (smaller === undefined) return yield* yield* LargeRecords.refusal(tools.source, target, outcome.failure)
      making = smaller
      continue
    }
    if (!(outcome.failure instanceof Unsure)) return yield* outcome.failure
    const { reason } = outcome.failure
    const nowMillis = yield* Clock.currentTimeMillis
    const reached = Math.max(proven, acknowledged) + read
    if (reached > stuckAt) {
      stuckAt = reached
      stuckSince = nowMillis
      pause = firstPauseMillis
    }
    if (nowMillis - stuckSince > tools.patienceMillis) {
      return yield* new KafkaError({ operation: "produce", reason })
    }
    yield* Effect.logDebug("a partition's log is compared before it is continued").pipe(
      Effect.annotateLogs({ ...target, offset: proven, error: reason.message })
    )
    yield* Effect.sleep(pause)
    pause = Math.min(pause * 2, longestPauseMillis)
  }
})
