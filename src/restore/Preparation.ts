import { Effect } from "effect"
import * as Catalogue from "../manifest/Catalogue.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import * as Memory from "../worker/Memory.ts"
import * as AccessPreflight from "./AccessPreflight.ts"
import * as Appending from "./Appending.ts"
import * as Counting from "./Counting.ts"
import * as Covers from "./Covers.ts"
import * as Groups from "./groups/Groups.ts"
import * as DamagedBackup from "./DamagedBackup.ts"
import * as FinalConfigs from "./FinalConfigs.ts"
import * as GroupNotes from "./GroupNotes.ts"
import * as HolePlan from "./HolePlan.ts"
import type { Means } from "./HoleMeans.ts"
import * as Preflight from "./Preflight.ts"
import * as Recreating from "./Recreating.ts"
import * as RecordMemory from "./RecordMemory.ts"
import { preflightFailed, refusals } from "./RestoreError.ts"
import * as RestoreMemory from "./RestoreMemory.ts"
import * as RestorePlan from "./RestorePlan.ts"
import type { RestoreRequest } from "./RestoreRequest.ts"
import type { Prepared, Systems } from "./RestoreWork.ts"
import { isProven, type TargetTopic } from "./TargetTopic.ts"

/** The backup, its plan, and what is damaged of it. Asks the store alone. Fails with all objections at once. */
export const planOf = Effect.fn("Restore.planOf")(function* (store: ObjectStoreShape, request: RestoreRequest) {
  const set = yield* Catalogue.open(store, request.backupId)
  const { elsewhere, isMetadataDamaged, notes, objections: damaged } = yield* DamagedBackup.find(store, set, request)
  // What is damaged or missing cannot be counted, and nothing is going to be written.
  const counted = damaged.length > 0 ? RestorePlan.nothingCounted : yield* Counting.count(store, set, request)
  const planned = RestorePlan.make(set, request, counted)
  /** The plan for what the principal may do about holes in logs; by default everything. */
  const planFor = (planned: RestorePlan.Planned) =>
    planned._tag === "Refused"
      ? Effect.fail(preflightFailed([...damaged, ...planned.objections]))
      : Effect.succeed({ ...planned.plan, notes: [...planned.plan.notes, ...notes] })
  return {
    set,
    plan: yield* planFor(planned),
    damaged,
    elsewhere,
    isMetadataDamaged,
    planWith: (means: Means) => planFor(RestorePlan.make(set, request, counted, means))
  }
})

/** Plans and asks everything beforehand. Writes nothing. Fails with all objections at once. */
export const prepare = Effect.fn("Restore.prepare")(function* (systems: Systems, request: RestoreRequest) {
  const { damaged, elsewhere, isMetadataDamaged, plan: whole, planWith, set } = yield* planOf(systems.store, request)
  const { means, plan } = yield* HolePlan.fitted(systems.sink, request, whole, planWith)
  const groups = yield* Groups.prepare(systems, request, set, plan)
  const access = isMetadataDamaged
    ? AccessPreflight.nothing
    : yield* AccessPreflight.prepare(systems, request, set, plan)
  const standing = (targets: ReadonlyArray<TargetTopic>) => [
    ...damaged,
    ...DamagedBackup.ofRecreated(set.backupId, elsewhere, targets),
    ...groups.objections,
    ...access.objections
  ]
  const { appendNotes, ...asked } = yield* askTarget(systems, request, plan, means, standing)
  const notes = [...asked.plan.notes, ...Recreating.notes(asked.targets, request), ...appendNotes]
  const resolved = Covers.of(set, request.chosen?.why)
  const expectedRefusals = yield* FinalConfigs.refusals(systems.sink, asked.targets, request.configs)
  const groupNotes = yield* GroupNotes.beforehand(systems, request, set, groups.prepared)
  const planned = { ...asked.plan, notes }
  return {
    ...asked,
    plan: planned,
    resolved,
    expectedRefusals,
    groups: groups.prepared,
    groupNotes,
    access: access.prepared
  } satisfies Prepared
})

/** Compares the plan with the target cluster. Fails with what stands against it, and with `others`. */
export const askTarget = Effect.fnUntraced(function* (
  { sink, source }: Systems,
  request: RestoreRequest,
  plan: RestorePlan.RestorePlan,
  means: Means,
  others: (targets: ReadonlyArray<TargetTopic>) => ReadonlyArray<RestorePlan.Objection> = () => [],
  state?: string
) {
  const memory = yield* RestoreMemory.load(sink, request.owner)
  const { objections, plan: left, targets } = yield* Preflight.ofTarget(sink, plan, request, memory, means)
  const unproven = targets.filter((target) => !isProven(target)).map(({ topic }) => topic)
  const ofAppended = yield* Appending.ofTarget(source, unproven, request)
  const ofMemory = RecordMemory.objections(unproven, Memory.limitBytes())
  const all = [...others(targets), ...objections, ...ofAppended.objections, ...ofMemory]
  if (all.length > 0) {
    const hasWritten = [...(memory?.values() ?? [])].some((remembered) => remembered.plan === plan.digest)
    return yield* preflightFailed(all, state ?? (hasWritten ? refusals.later : refusals.first))
  }
  return { plan: left, targets, wanted: request.configs, means, appendNotes: ofAppended.notes }
})
