import type { KafkaError } from "../kafka/KafkaError.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as Healing from "./Healing.ts"
import { NotProven, RunError } from "./RunError.ts"
import * as SameLog from "./SameLog.ts"
import * as Shards from "./Shards.ts"
import type * as TakenOver from "./TakenOver.ts"

/** What a process that works at a run has met so far that had to be attempted again. */
export interface Course {
  /** Attempts that found a log replaced. */
  readonly replacements: number
  /** How often something that was stored was not as it was stored. */
  readonly rounds: number
}

export const begun: Course = { replacements: 0, rounds: 0 }

/** Why a process is not done with its shards, or with the run, although it had nothing left to read. */
export type Met =
  /** Of the attempt at this shard: the next one finds out what of these partitions is still in the log. */
  | { readonly _tag: "LogReplaced"; readonly shard: number; readonly error: KafkaError }
  /** It has to be read after all, as an attempt of its own: checkpoints say what it does. */
  | ({ readonly _tag: "BaseLost" } & TakenOver.Lost)
  /** What these shards have stored of themselves cannot be read. */
  | { readonly _tag: "Unreadable"; readonly shards: ReadonlyArray<number> }

export type Next =
  | { readonly _tag: "Again"; readonly course: Course; readonly todo: ReadonlyArray<Shards.Todo> }
  | { readonly _tag: "Failed"; readonly error: KafkaError | RunError }

/** A store that alters what it has just taken is of no use. */
const unlessOften = (course: Course, problems: ReadonlyArray<string>, todo: ReadonlyArray<Shards.Todo>): Next => {
  const rounds = course.rounds + Number(problems.length > 0)
  return rounds > course.rounds && rounds >= Healing.mostRounds
    ? { _tag: "Failed", error: new RunError({ reason: new NotProven({ problems }) }) }
    : { _tag: "Again", course: { ...course, rounds }, todo }
}

/** What follows on what was met: further attempts at shards, or the end of the run. Pure. */
export const next = (plan: RunPlan, course: Course, met: Met): Next => {
  switch (met._tag) {
    case "LogReplaced": {
      const replacements = course.replacements + 1
      return replacements >= SameLog.mostReplacements
        ? { _tag: "Failed", error: met.error }
        : { _tag: "Again", course: { ...course, replacements }, todo: Shards.afresh([met.shard]) }
    }
    case "BaseLost": {
      const problems = met.damaged.map(({ detail, segment }) => `${segment.key} ${detail}`)
      return unlessOften(course, problems, Shards.todoFor(plan, met))
    }
    case "Unreadable": {
      const problems = met.shards.map((shard) => `what shard ${shard} has stored of itself cannot be read`)
      return unlessOften(course, problems, Shards.afresh(met.shards))
    }
  }
}
