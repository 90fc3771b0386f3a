import { Effect } from "effect"
import { random } from "../../segment/arbitraryRecords.ts"

/*
 * The steps of a history, chosen at random from a seed. Their two numbers choose among what is there, so that a
 * history is valid whichever steps are left out of it.
 */

export interface Step {
  readonly action: Action
  /** 0 to 999, like `b`. */
  readonly a: number
  readonly b: number
}

/** The actions, and how often each is chosen. */
const weights = {
  produce: 12,
  transact: 4,
  compact: 3,
  dropTombstones: 3,
  deleteRecords: 2,
  recreate: 1,
  grow: 1,
  configure: 1,
  loseTail: 2,
  run: 9,
  runFull: 1,
  runKilled: 5,
  resume: 4,
  raceOfAttempts: 2,
  raceWithPrune: 3,
  prune: 3,
  pruneKilled: 3,
  damage: 2,
  edit: 2,
  pin: 1,
  reown: 1,
  clockJump: 1,
  pass: 2
} as const
export type Action = keyof typeof weights

export const actions = Object.keys(weights) as ReadonlyArray<Action>

export const history = (seed: number, length: number): ReadonlyArray<Step> => {
  const next = random(seed)
  // The first numbers of neighbouring seeds are alike.
  for (let skipped = 0; skipped < 8; skipped++) next()
  const all = actions.flatMap((action) => Array.from({ length: weights[action] }, () => action))
  return Array.from({ length }, () => ({
    action: all[Math.floor(next() * all.length)]!,
    a: Math.floor(next() * 1000),
    b: Math.floor(next() * 1000)
  }))
}

export const text = ({ a, action, b }: Step): string => `${action}(${a}, ${b})`

/** The shortest history that still goes wrong, found by leaving out ever smaller parts. */
export const shrink = Effect.fnUntraced(function* <E, R>(
  steps: ReadonlyArray<Step>,
  fails: (steps: ReadonlyArray<Step>) => Effect.Effect<boolean, E, R>
) {
  let left = steps
  for (let size = Math.ceil(left.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < left.length;) {
      const shorter = [...left.slice(0, at), ...left.slice(at + size)]
      if (yield* fails(shorter)) left = shorter
      else at += size
    }
  }
  return left
})
