import { Effect } from "effect"
import type { Resource } from "../manifest/Adoption.ts"
import type { FullReason } from "../manifest/FullReason.ts"
import * as ObjectsThere from "../manifest/ObjectsThere.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as Verification from "../manifest/Verification.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Base from "./Base.ts"

/*
 * A partition that is read in full because of damaged objects heals none of them: the new backup is whole without the
 * base. The base, and all others that name these objects, stay damaged.
 */

const reasons: ReadonlySet<FullReason | undefined> = new Set(["DamagedCompacted", "EarlierGone", "ObjectsMissing"])

/** The partitions that are read in full because of damaged objects. Pure. */
const partitions = (plan: RunPlan, state: RunState.RunState): ReadonlySet<string> =>
  new Set(
    plan.topics.flatMap(({ name, partitions: all }) =>
      all.flatMap((one) =>
        reasons.has(RunState.of(state, name, one).full ?? one.full) ? [`${name}/${one.partition}`] : []
      )
    )
  )

/**
 * What the base names in partitions that are read in full because of damaged objects. A plan that takes nothing over
 * names no base: it is looked for again, unless it names more segments than can be held.
 */
export const suspects = Effect.fn("GoneObjects.suspects")(function* (
  store: ObjectStoreShape,
  resource: Resource,
  plan: RunPlan,
  state: RunState.RunState,
  named: Base.Base | undefined,
  mostSegments: number
) {
  const full = partitions(plan, state)
  if (full.size === 0) return { base: named, suspects: [] }
  const base =
    named ??
    (yield* Base.find(store, resource, plan.backupId, plan.createdMillis, mostSegments).pipe(
      // The plan says what that means for the run.
      Effect.catchTag("CatalogueError", () => Effect.succeed(undefined))
    ))
  if (base === undefined || Base.isTooLarge(base)) return { base: undefined, suspects: [] }
  const { facts, manifest } = base
  const all = Verification.locatedSegments({ backupId: base.named.backupId, facts, manifest })
  return { base, suspects: all.filter(({ partition, topic }) => full.has(`${topic}/${partition}`)) }
})

/** Those of them that are not there, or have another size. */
export const find = (store: ObjectStoreShape, all: ReadonlyArray<Verification.LocatedSegment>) =>
  Effect.map(
    ObjectsThere.missing(
      store,
      all.map(({ segment }) => segment)
    ),
    (missing) => all.filter(({ segment }) => missing.has(segment.key))
  )
