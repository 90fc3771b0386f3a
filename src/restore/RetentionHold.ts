import { Clock, Effect } from "effect"
import type { Owner } from "../identity/RunIdentity.ts"
import type { Hold } from "../resource/RetentionHoldSpec.ts"
import type { KafkaSinkShape } from "../kafka/KafkaSink.ts"
import type { KafkaSourceShape } from "../kafka/KafkaSource.ts"
import * as Configuring from "./Configuring.ts"
import { RestoreError, RestoreIncomplete } from "./RestoreError.ts"
import * as RestoreMemory from "./RestoreMemory.ts"

/** The hold of a restore's topics. */
export type HoldState =
  /**
   * The topics have the retention of the backup. `ended`: how many of them got it just now. `refused`: what the brokers
   * did not take just now.
   */
  | {
      readonly _tag: "Final"
      readonly ended: number
      readonly refused?: ReadonlyArray<Configuring.RefusedConfig>
    }
  /** Brokers remove none of the records by age or size. `untilMillis` is absent for a hold without an end. */
  | {
      readonly _tag: "Held"
      readonly untilMillis: number | undefined
      readonly refused?: ReadonlyArray<Configuring.RefusedConfig>
    }

/** When the hold of a topic ends, in milliseconds since 1970; undefined: never by itself. Pure. */
export const endMillis = ({ provenMillis = 0 }: RestoreMemory.Remembered, hold: Hold): number | undefined =>
  hold === "forever" ? undefined : provenMillis + hold

/** Whether the hold of a topic is to end now. Pure. */
export const isDue = (remembered: RestoreMemory.Remembered, hold: Hold, nowMillis: number): boolean => {
  const end = endMillis(remembered, hold)
  return remembered.configs === "held" && end !== undefined && nowMillis >= end
}

const heldValue = "-1"
const heldValues: Readonly<Record<string, string>> = { "retention.ms": heldValue, "retention.bytes": heldValue }

/**
 * Gives a topic the retention of the backup. A value that is not -1 any more is somebody's choice since, and stays.
 */
const release = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  topic: string,
  { retention }: RestoreMemory.Remembered
) {
  const present = yield* source.topicConfigs([topic]).pipe(
    Effect.map((configs) => configs.get(topic) ?? {}),
    // Without DescribeConfigs nobody's choice can be told from the hold.
    Effect.catchReason("KafkaError", "KafkaAuthorizationFailed", () => Effect.succeed(heldValues))
  )
  const due = Object.entries(retention).filter(([name]) => present[name] === heldValue)
  return due.length === 0 ? [] : yield* Configuring.giveConfigs(sink, topic, Object.fromEntries(due))
})

/** Ends the hold of these topics, and remembers it. Returns what the brokers refuse: those topics keep -1. */
export const end = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  owner: Owner,
  memory: RestoreMemory.Memory
) {
  const refused = yield* Effect.forEach(memory, ([topic, remembered]) => release(sink, source, topic, remembered))
  const ended = [...memory].map(([topic, remembered]) => [topic, { ...remembered, configs: "final" as const }] as const)
  yield* RestoreMemory.save(sink, owner, new Map(ended))
  return refused.flat()
})

const unlessNone = (refused: ReadonlyArray<Configuring.RefusedConfig>) => (refused.length === 0 ? {} : { refused })

/** What ending the hold by command did. */
export interface Ended {
  /** Topics that have the retention of the backup since now. */
  readonly topics: ReadonlyArray<string>
  /** Topics that had it before. */
  readonly earlier: ReadonlyArray<string>
  /** What the brokers did not take: those topics keep -1. */
  readonly refused?: ReadonlyArray<Configuring.RefusedConfig>
}

/**
 * The topics of the plan whose proof is the newest, of those plans of which every topic has its configuration. One name
 * has several plans where its manifest was edited. Undefined: no plan is complete. Pure.
 */
export const newestComplete = (memory: RestoreMemory.Memory): RestoreMemory.Memory | undefined =>
  [...Map.groupBy(memory, ([, { plan }]) => plan).values()]
    .filter((entries) => entries.every(([, { configs }]) => configs !== undefined))
    .map((entries) => ({
      entries,
      provenMillis: entries.reduce((newest, [, { provenMillis = 0 }]) => Math.max(newest, provenMillis), 0)
    }))
    .toSorted((a, b) => b.provenMillis - a.provenMillis)
    .map(({ entries }) => new Map(entries))
    .at(0)

/** What is remembered of topics that are still those that were written to. */
const present = (sink: KafkaSinkShape, known: RestoreMemory.Memory) =>
  Effect.map(
    sink.lookup([...known.keys()]),
    (found): RestoreMemory.Memory =>
      new Map(
        found.flatMap((one) => {
          if (one._tag !== "Found") return []
          const remembered = known.get(one.topic.name)!
          return remembered.topicId === one.topic.topicId ? [[one.topic.name, remembered] as const] : []
        })
      )
  )

/**
 * Ends the hold of a complete restore at once: of several under one name, of the one that was proven last. Needs
 * neither the backup nor its plan. Topics that were deleted or made anew since are left alone.
 */
export const endNow = Effect.fn("RetentionHold.endNow")(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  owner: Owner
) {
  const known = yield* RestoreMemory.load(sink, owner)
  const name = owner.name
  if (known === undefined || known.size === 0) {
    const reason = new RestoreIncomplete({
      detail: `the target cluster does not know a restore ${name}`,
      advice: "give the manifest of a restore that is complete, or set retention.ms of the topics with kafka-configs"
    })
    return yield* new RestoreError({ reason })
  }
  const same = yield* present(sink, known)
  const complete = same.size === 0 ? same : newestComplete(same)
  if (complete === undefined) {
    const unproven = [...same].filter(([, { configs }]) => configs === undefined).map(([topic]) => topic)
    const reason = new RestoreIncomplete({
      detail: `restore ${name} is not complete: ${unproven.join(", ")}`,
      advice: "run the restore to its end first"
    })
    return yield* new RestoreError({ reason })
  }
  const held = new Map([...complete].filter(([, { configs }]) => configs === "held"))
  const refused = yield* end(sink, source, owner, held)
  const isRefused = (topic: string) => refused.some((one) => one.topic === topic)
  const topics = [...held.keys()].filter((topic) => !isRefused(topic))
  const earlier = [...complete.keys()].filter((topic) => !held.has(topic))
  return { topics, earlier, ...unlessNone(refused) } satisfies Ended
})

/** Where the hold stands, after topics that are due have got their retention. */
export const advance = Effect.fnUntraced(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  owner: Owner,
  memory: RestoreMemory.Memory,
  hold: Hold
) {
  const nowMillis = yield* Clock.currentTimeMillis
  const due = new Map([...memory].filter(([, remembered]) => isDue(remembered, hold, nowMillis)))
  const refused = due.size > 0 ? yield* end(sink, source, owner, due) : []
  const held = [...memory].filter(([topic, { configs }]) => configs === "held" && !due.has(topic))
  if (held.length === 0) return { _tag: "Final", ended: due.size, ...unlessNone(refused) } satisfies HoldState
  const ends = held.map(([, remembered]) => endMillis(remembered, hold))
  const untilMillis = ends.includes(undefined) ? undefined : Math.max(...ends.map((end) => end ?? 0))
  return { _tag: "Held", untilMillis, ...unlessNone(refused) } satisfies HoldState
})

/**
 * The same where there is no plan, because the backup is gone: of the restore of this name that was proven last.
 * Undefined: the cluster remembers none that is complete.
 */
export const advanceKnown = Effect.fn("RetentionHold.advanceKnown")(function* (
  sink: KafkaSinkShape,
  source: KafkaSourceShape,
  owner: Owner,
  hold: Hold
) {
  const known = yield* RestoreMemory.load(sink, owner)
  const memory = known === undefined || known.size === 0 ? undefined : newestComplete(yield* present(sink, known))
  if (memory === undefined) return undefined
  return { topics: [...memory.keys()], state: yield* advance(sink, source, owner, memory, hold) }
})
