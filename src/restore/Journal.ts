import { Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { KafkaError } from "../kafka/KafkaError.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import type { TargetTopic } from "./TargetTopic.ts"

/** What one attempt knows of its topics as it goes, which is also what the next one is going to find. */
export interface Journal {
  readonly memory: () => RestoreMemory.Memory
  /** False: without permission on the group, nothing is remembered for others. */
  readonly isKept: () => boolean
  readonly remember: (changed: RestoreMemory.Memory) => Effect.Effect<void, KafkaError>
  /** Changes what is remembered of these topics. */
  readonly change: (
    targets: ReadonlyArray<TargetTopic>,
    change: (known: RestoreMemory.Remembered) => RestoreMemory.Remembered
  ) => Effect.Effect<void, KafkaError>
}

/** `first`: every topic of the restore. Nothing is written down before the first change. */
export const make = (sink: KafkaSinkShape, owner: Owner, first: RestoreMemory.Memory): Journal => {
  let memory = first
  let isKept = true
  const remember = Effect.fnUntraced(function* (changed: RestoreMemory.Memory) {
    memory = new Map([...memory, ...changed])
    // Without permission once, this attempt asks no more.
    if (isKept) isKept = yield* RestoreMemory.save(sink, owner, changed)
  })
  return {
    memory: () => memory,
    isKept: () => isKept,
    remember,
    change: (targets, change) =>
      remember(new Map(targets.map(({ topic: { target } }) => [target, change(memory.get(target)!)])))
  }
}
