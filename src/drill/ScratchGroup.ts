import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import * as Attempt from "../restore/Attempt.ts"
import type { RestorePlan } from "../restore/RestorePlan.ts"
import { Differs, DrillError } from "./DrillError.ts"

/** A consumer group of the drill's own: what a restore does with the groups of a backup. */

const metadata = "drill"

/** The group: its name begins as those of restores do, so that one permission is enough. */
export const nameOf = (owner: Owner): string => `${Attempt.nameOf(owner)}-group`

/** Commits an offset for every scratch partition, reads all of them back, and forgets them. */
export const attempt = Effect.fn("ScratchGroup.attempt")(function* (
  sink: KafkaSinkShape,
  owner: Owner,
  { backupId, topics }: RestorePlan
) {
  const group = nameOf(owner)
  const wanted = topics.flatMap(({ partitions, target }) =>
    partitions.map(({ end, partition }) => ({ topic: target, partition, offset: end, metadata }))
  )
  if (wanted.length === 0) return
  yield* sink.commitOffsets(group, wanted)
  const found = new Map(
    (yield* sink.committedOffsets(group)).map((one) => [`${one.topic} ${one.partition}`, one] as const)
  )
  const other = wanted.find(({ offset, partition, topic }) => {
    const is = found.get(`${topic} ${partition}`)
    return is?.offset !== offset || is.metadata !== metadata
  })
  // Without permission they go with the topics.
  yield* sink
    .deleteOffsets(group, wanted)
    .pipe(Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.void))
  if (other === undefined) return
  const is = found.get(`${other.topic} ${other.partition}`)?.offset
  const detail = `offset ${other.offset} was committed, and ${is ?? "none"} was read back`
  const place = `consumer group ${group}`
  return yield* new DrillError({ reason: new Differs({ backupId, place, detail }) })
})
