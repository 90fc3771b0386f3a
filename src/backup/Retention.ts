import { Effect } from "effect"
import * as BackupId from "../identity/BackupId.ts"
import * as AcceptedLoss from "./AcceptedLoss.ts"
import * as KeepRules from "./KeepRules.ts"
import * as Lineage from "./Lineage.ts"

/** What retention must know of one backup of the resource: complete, proven, and whole when it was looked at last. */
export interface RetainableSet {
  readonly backupId: string
  /** When it was completed, milliseconds since 1970: newest means completed last. */
  readonly completedMillis: number
}

export interface Rules extends KeepRules.Rules {
  /**
   * The backup that the present run has just written and verified, or found and opened: it stays, however old its slot
   * is, and is proof for others whether or not there is memory to open it once more.
   */
  readonly own?: string | undefined
  /** Backups that stay, however old they are: those of an earlier resource that may still be at work. */
  readonly pinned?: ReadonlySet<string> | undefined
  /** Backups that somebody wants to keep: they stay, and no rule counts them. */
  readonly pins?: ReadonlySet<string> | undefined
  /**
   * Id of a backup of this resource, which may be gone: backups older than this one no longer stay for what later ones
   * lost, because somebody confirmed that the loss is intended.
   */
  readonly acceptedLoss?: string | undefined
  /** Patterns of topics whose losses hold nothing back, whenever they happen. */
  readonly acceptedTopics?: ReadonlyArray<string>
}

/** A backup that no rule keeps and that stays, because the newer ones do not hold what it holds. */
export interface HeldBack<S> {
  readonly set: S
  readonly losses: ReadonlyArray<Lineage.Loss>
}

export interface Decision<S> {
  /** The whole ones that stay, newest first. */
  readonly kept: ReadonlyArray<S>
  /** Among those that stay: newest first. */
  readonly heldBack: ReadonlyArray<HeldBack<S>>
  /** Oldest first. */
  readonly expired: ReadonlyArray<S>
  /** Why each backup stays that a rule keeps, by id. */
  readonly reasons: ReadonlyMap<string, ReadonlyArray<string>>
}

/** Newest first: completed last. Equal instants are told apart by id, so that every process decides alike. */
export const newestFirst = <S extends Pick<RetainableSet, "backupId" | "completedMillis">>(
  sets: ReadonlyArray<S>
): ReadonlyArray<S> =>
  sets.toSorted((a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1))

/** Reads what a backup holds: a few at a time are enough, however many are compared. */
export type LineageOf<S, E> = (set: S) => Effect.Effect<Lineage.Lineage, E>

/** The order that answers soonest: the next newer backup, the newest, then the others. */
const soonestFirst = <S>(newer: ReadonlyArray<S>): ReadonlyArray<S> =>
  newer.length < 3 ? newer : [newer[0]!, newer.at(-1)!, ...newer.slice(1, -1)]

/**
 * What none of the newer backups that stay stands for, of the topics that `isAsked` names. `newer` begins with the next
 * newer one. Only backups that stay count: else one that expires in the same pass would answer for what it takes along.
 */
export const lostSince = Effect.fnUntraced(function* <S, E>(
  lineageOf: LineageOf<S, E>,
  set: S,
  newer: ReadonlyArray<S>,
  isAsked: (topic: string) => boolean = () => true
) {
  const held = yield* lineageOf(set)
  const newest = newer.at(-1)
  let open = [...held.topics.values()]
    .filter(({ name }) => isAsked(name))
    .map((topic): { topic: Lineage.Topic; first: Lineage.Loss | undefined } => ({ topic, first: undefined }))
  for (const one of soonestFirst(newer)) {
    if (open.length === 0) break
    const later = yield* lineageOf(one)
    open = open.flatMap(({ first, topic }) => {
      // A backup in between, made while the spec did not select the topic, says nothing about it.
      if (one !== newest && !later.topics.has(topic.name) && !later.isSelected(topic.name)) return [{ topic, first }]
      const loss = Lineage.lossOf(held, topic, later)
      return loss === undefined ? [] : [{ topic, first: first ?? loss }]
    })
  }
  return open.flatMap(({ first }) => first ?? [])
})

/** What none of these newer backups, the next newer one first, stands for. */
export type LossesOf<S, E> = (set: S, newer: ReadonlyArray<S>) => Effect.Effect<ReadonlyArray<Lineage.Loss>, E>

/**
 * Which backups no rule keeps. The newest always stays, and so do the run's own and whatever holds records that all
 * newer ones lost, until that loss is accepted. Asks for losses only of what no rule keeps.
 *
 * `damaged` ones count for nothing. One of them stays as long as it would if it were whole, and until a newer whole one
 * holds what it holds: docs/adr/0043 has the reasons. They are not among `kept`.
 */
export const decide = Effect.fnUntraced(function* <S extends RetainableSet, E>(
  sets: ReadonlyArray<S>,
  rules: Rules,
  lossesOf: LossesOf<S, E>,
  damaged: ReadonlyArray<S> = []
) {
  const ordered = newestFirst([...sets, ...damaged])
  const isDamaged = new Set<S>(damaged)
  const isPinned = ({ backupId }: S) => rules.pins?.has(backupId) === true
  const counting = ordered.filter((set) => !isPinned(set) && !isDamaged.has(set))
  const reasons = new Map(KeepRules.reasons(counting, rules))
  for (const set of ordered.filter(isPinned)) reasons.set(set.backupId, ["pinned"])
  const accepted = ordered.findIndex(({ backupId }) => backupId === rules.acceptedLoss)
  const acceptedMillis = accepted === -1 ? BackupId.slotMillis(rules.acceptedLoss ?? "") : undefined
  const isAccepted = (set: S, index: number): boolean =>
    accepted === -1 ? acceptedMillis !== undefined && set.completedMillis < acceptedMillis : index > accepted
  const isIntended = AcceptedLoss.coversTopic(rules.acceptedTopics ?? [])
  const kept: Array<S> = []
  const heldBack: Array<HeldBack<S>> = []
  const expired: Array<S> = []
  const stays = (set: S) =>
    reasons.has(set.backupId) || set.backupId === rules.own || rules.pinned?.has(set.backupId) === true
  for (const [index, set] of ordered.entries()) {
    if (stays(set)) {
      if (!isDamaged.has(set)) kept.push(set)
      continue
    }
    // `kept` are the whole ones that stay and are newer.
    if (isDamaged.has(set) && (kept.length === 0 || KeepRules.wouldKeep(set, counting, rules))) continue
    const found = isAccepted(set, index) ? [] : yield* lossesOf(set, kept.toReversed())
    const losses = found.filter((loss) => !isIntended(loss))
    if (losses.length === 0) expired.push(set)
    else {
      if (!isDamaged.has(set)) kept.push(set)
      heldBack.push({ set, losses })
    }
  }
  return { kept, heldBack, expired: expired.toReversed(), reasons } satisfies Decision<S>
})
