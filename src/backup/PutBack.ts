import { createHash } from "node:crypto"
import { Clock, Deferred, Effect, Stream } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import { isSameOwner, type Owner } from "../identity/RunIdentity.ts"
import type { Resource } from "../manifest/Adoption.ts"
import * as BackupKeys from "../manifest/BackupKeys.ts"
import type { CatalogueError } from "../manifest/CatalogueError.ts"
import type { DurableSegment } from "../manifest/Checkpoint.ts"
import * as Damage from "../manifest/Damage.ts"
import * as DamageMarking from "../manifest/DamageMarking.ts"
import { isThere } from "../manifest/ObjectsThere.ts"
import * as OwnerLock from "../manifest/OwnerLock.ts"
import type { RunPlan } from "../manifest/RunPlan.ts"
import * as RunState from "../manifest/RunState.ts"
import * as Seal from "../manifest/Seal.ts"
import * as SetRemoval from "../manifest/SetRemoval.ts"
import type { LocatedSegment } from "../manifest/Verification.ts"
import { ObjectKey, type ObjectStoreShape } from "../storage/ObjectStore.ts"
import type { ObjectStoreError } from "../storage/ObjectStoreError.ts"
import type { ReadOptions } from "./Reading.ts"
import type * as Base from "./Base.ts"
import * as GoneObjects from "./GoneObjects.ts"
import * as LostOffsets from "./LostOffsets.ts"

/*
 * What was read again of damaged objects is a segment of the new backup. Where it has the very bytes that the damaged
 * object had, it is stored in that one's place, too: then every backup that names it is whole again.
 */

/** How many objects are put back at the same time: each is held in memory. */
const putBackAtOnce = 2

type Found = ReturnType<typeof RunState.healed>[number]

/** The segment that has the bytes of the damaged one; undefined without one. */
const equal = ({ found, segment }: Found): DurableSegment | undefined => {
  const [made] = found.segments
  return found.segments.length === 1 && segment.sha256 !== undefined && made?.sha256 === segment.sha256
    ? made
    : undefined
}

const folderOf = ({ segment }: Found): string => segment.key.split("/", 1)[0]!

const sha256Of = (store: ObjectStoreShape, key: ObjectKey) =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    return store.read(key).pipe(
      Stream.runForEach((piece) => Effect.sync(() => void hash.update(piece))),
      Effect.map(() => hash.digest("hex")),
      Effect.catchReason("ObjectStoreError", "ObjectNotFound", () => Effect.succeed("missing" as const)),
      Effect.catchReason("ObjectStoreError", "ContentMismatch", () => Effect.succeed("altered" as const))
    )
  })

/** True if the folder is that of a backup, or of a removed one that others need: it will be removed one day. */
const isKnown = Effect.fnUntraced(function* (store: ObjectStoreShape, folder: string) {
  const backupId = BackupId.parse(folder)
  if (backupId === undefined) return false
  return (yield* isThere(store, BackupKeys.manifest(backupId))) || (yield* isThere(store, BackupKeys.retired(backupId)))
})

/**
 * True if the damaged object is as its manifest says, after the bytes were stored in its place if need be and possible.
 */
const isRight = Effect.fnUntraced(function* (store: ObjectStoreShape, one: Found, isKnownFolder: boolean) {
  const { key: name, sha256 } = one.segment
  if (sha256 === undefined) return false
  const key = ObjectKey.make(name)
  const now = yield* sha256Of(store, key)
  if (now === sha256) return true
  const made = equal(one)
  if (made === undefined || !isKnownFolder) return false
  const bytes = yield* store.get(ObjectKey.make(made.key))
  if (Seal.sha256(bytes) !== sha256) return false
  // What is there is replaced only after it was read and found to be something else.
  const put = store.put(key, [bytes], { sha256, role: "data", ...(now === "missing" ? { ifAbsent: true } : {}) })
  // Where it was missing, somebody else may have been faster.
  yield* now === "missing" ? Effect.catchReason(put, "ObjectStoreError", "ObjectExists", () => Effect.void) : put
  return (yield* sha256Of(store, key)) === sha256
})

/** True for what the store refuses. Not for an index that another process wrote: this one has lost the owner's lock. */
const isRefusal = (error: ObjectStoreError | CatalogueError): error is ObjectStoreError =>
  error._tag === "ObjectStoreError" && !error.isRetryable && error.reason._tag !== "ObjectExists"

type Placed = Pick<Found, "partition" | "segment" | "topic">

const placeOf = ({ partition, topic }: Placed, { from, until }: LostOffsets.Range): string =>
  `${topic}[${partition}] offsets ${from}-${until - 1}`

const place = (one: Placed): string =>
  placeOf(one, { from: one.segment.start_offset, until: one.segment.end_offset + 1 })

/** What became of the objects that were read again, and what of all damaged ones nobody has any more. */
const lossNotes = (
  plan: RunPlan,
  healed: ReadonlyArray<Found>,
  gone: ReadonlyArray<LocatedSegment>
): ReadonlyArray<string> => {
  const read = healed.flatMap((one) => LostOffsets.read(one).map((range) => placeOf(one, range)))
  const lost = [
    ...healed.flatMap((one) => LostOffsets.lost(one).map((range) => placeOf(one, range))),
    ...gone.flatMap((one) => LostOffsets.belowStart(plan, one).map((range) => placeOf(one, range)))
  ]
  const [was, it] = healed.length === 1 ? ["was", "it"] : ["were", "them"]
  const what =
    read.length === 0
      ? `Kafka has deleted all that was in ${it}`
      : `what Kafka still has of ${it} was read again: ${some(read)}`
  return [
    ...(healed.length === 0
      ? []
      : [`${objects(healed.length)} of earlier backups ${was} missing or damaged, and ${what}`]),
    ...(lost.length === 0
      ? []
      : [
          `Kafka has deleted what damaged objects held at ${some(lost)}: these offsets are gone for good, ` +
            `unless a backup that does not name those objects holds them`
        ])
  ]
}

/** The first of them, and how many more. */
const some = (all: ReadonlyArray<string>, named = 3): string =>
  all.length <= named ? all.join(", ") : `${all.slice(0, named).join(", ")} and ${all.length - named} more`

const objects = (count: number): string => (count === 1 ? "1 object" : `${count} objects`)

/**
 * Puts back what can be, and records in all backups of the resource which of the damaged objects are right now and
 * which are not; until the stop, and nothing of those that it has not looked at by then. Gives notes. A store that
 * refuses is no failure: the new backup is whole without. The caller holds the locks of the owners.
 */
const putAll = Effect.fnUntraced(function* (
  store: ObjectStoreShape,
  resource: Resource,
  plan: RunPlan,
  base: Base.Base,
  healed: ReadonlyArray<Found>,
  suspects: ReadonlyArray<LocatedSegment>,
  stop: Deferred.Deferred<void>
) {
  const refusals: Array<string> = []
  // By the time of a stop there may be others, of which nothing is known.
  const looked = new Set<Found>()
  const unknown: Array<string> = []
  const orElse = <A, B>(look: Effect.Effect<A, ObjectStoreError>, other: B) =>
    Effect.catchIf(look, isRefusal, ({ message }) => Effect.sync((): A | B => (unknown.push(message), other)))
  // A base that is being removed takes its objects along.
  const isStanding = yield* orElse(
    Effect.flatMap(SetRemoval.isCondemned(store, base.named.backupId), (isGoing) =>
      isGoing ? Effect.succeed(false) : isThere(store, BackupKeys.manifest(base.named.backupId))
    ),
    false
  )
  const folders = new Map<string, boolean>()
  for (const folder of new Set(healed.map(folderOf))) {
    folders.set(folder, isStanding && (yield* orElse(isKnown(store, folder), false)))
  }
  const gone = isStanding && suspects.length > 0 ? yield* orElse(GoneObjects.find(store, suspects), []) : []
  yield* Effect.forEach(
    healed,
    Effect.fnUntraced(function* (one: Found) {
      if (yield* Deferred.isDone(stop)) return
      one.found.isPutBack = yield* isRight(store, one, folders.get(folderOf(one)) === true).pipe(
        Effect.catchIf(
          (error) => !error.isRetryable,
          ({ message }) =>
            Effect.as(
              Effect.sync(() => refusals.push(message)),
              false
            )
        )
      )
      looked.add(one)
    }),
    { concurrency: putBackAtOnce, discard: true }
  )
  const sinceMillis = yield* Clock.currentTimeMillis
  const right = healed.filter(({ found }) => found.isPutBack)
  const wrong = [...looked].filter(({ found }) => !found.isPutBack)
  const open = healed.length - looked.size
  const marking = DamageMarking.mark(store, resource, {
    found: [
      ...wrong.map((one) => DamageMarking.foundIn(one, Damage.vague, sinceMillis)),
      ...gone.map((one) => DamageMarking.foundIn(one, "is missing, or has another size", sinceMillis))
    ],
    right: new Set(right.map(({ segment }) => segment.key))
  })
  const damaged = yield* orElse(marking, [])
  const [first] = refusals
  const [unclear] = unknown
  return [
    ...lossNotes(plan, healed, gone),
    ...(gone.length === 0
      ? []
      : [
          `${objects(gone.length)} of earlier backups ${gone.length === 1 ? "is" : "are"} missing or damaged, ` +
            `and the ${gone.length === 1 ? "partition was" : "partitions were"} read in full: ${some(gone.map(place))}`
        ]),
    ...(right.length === 0
      ? []
      : [`${objects(right.length)} of earlier backups ${right.length === 1 ? "is" : "are"} right again in storage`]),
    ...(first === undefined
      ? []
      : [`${objects(refusals.length)} could not be put back, and the earlier backups stay damaged: ${first}`]),
    ...(open === 0 ? [] : [`the run was stopped before it looked at ${objects(open)} of earlier backups in storage`]),
    ...(unclear === undefined
      ? []
      : [`it is not recorded which earlier backups are damaged, because the store refused a request: ${unclear}`]),
    // Retention, which comes next, names them.
    ...(damaged.length === 0
      ? []
      : [damaged.length === 1 ? "1 earlier backup stays damaged" : `${damaged.length} earlier backups stay damaged`])
  ]
})

/** Runs `work` while this process holds the lock of the resource, and that of the earlier one that made the base. */
const locked = <A, E>(
  store: ObjectStoreShape,
  { backupId, identity: { owner } }: RunPlan,
  attempt: number,
  base: Base.Base,
  work: Effect.Effect<A, E>
) => {
  const holding = <B, F>(of: Owner, inner: Effect.Effect<B, F>) =>
    OwnerLock.holding(store, of, `attempt ${attempt} of ${backupId}`, inner, "whileRenewed")
  const earlier = base.facts.identity.owner
  return holding(owner, isSameOwner(earlier, owner) ? work : holding(earlier, work))
}

/**
 * Puts back what the run has read again of damaged objects, where that has the same bytes, and records what stays
 * damaged of earlier backups, also where the run had no use for it. Gives notes.
 */
export const run = Effect.fn("PutBack.run")(function* (
  store: ObjectStoreShape,
  resource: Resource,
  plan: RunPlan,
  attempt: number,
  state: RunState.RunState,
  named: Base.Base | undefined,
  { mostSegments, stop }: Pick<ReadOptions, "mostSegments" | "stop">
) {
  const healed = RunState.healed(plan, state)
  const { base, suspects } = yield* GoneObjects.suspects(
    store,
    resource,
    plan,
    state,
    named,
    mostSegments?.(0) ?? Infinity
  )
  if (base === undefined || healed.length + suspects.length === 0) return []
  return yield* locked(store, plan, attempt, base, putAll(store, resource, plan, base, healed, suspects, stop))
})
