import { Clock, Effect } from "effect"
import * as Access from "./Access.ts"
import * as Cleaning from "./Cleaning.ts"
import * as Configuring from "./Configuring.ts"
import * as Groups from "./groups/Groups.ts"
import * as LargeRecords from "./LargeRecords.ts"
import * as OwnConfigs from "./OwnConfigs.ts"
import * as Targets from "./TargetTopic.ts"
import * as TopicConfigs from "./TopicConfigs.ts"
import type { Underway } from "./Underway.ts"

/* The last steps of a restore, once all records are proven. */

/** What a topic gets in the end. */
const finalConfigs = ({ journal, request }: Underway, target: Targets.TargetTopic) => {
  const { topic } = target
  const create = Targets.made(target)
  return {
    ...(Cleaning.isFilled(topic) ? Cleaning.undone : {}),
    ...TopicConfigs.final(
      topic.configs,
      create === undefined || TopicConfigs.haveBounds(create.configs),
      request.retentionHold !== 0,
      OwnConfigs.wanted(topic, request.configs, journal.memory().get(topic.target)?.own),
      LargeRecords.knownBytes(topic)
    )
  }
}

/** Gives topics their own configuration; those that are appended to keep theirs. */
export const configure = Effect.fnUntraced(function* (underway: Underway) {
  const { hasBegun, journal, means, request, systems, targets } = underway
  const unconfigured = targets.filter(({ topic }) => journal.memory().get(topic.target)?.configs === undefined)
  const configs = new Map(
    unconfigured
      .filter(Targets.isConfigured)
      .map((target) => [target.topic.target, finalConfigs(underway, target)] as const)
  )
  const filled = unconfigured.map(({ topic }) => topic).filter(Cleaning.isFilled)
  const tools = { ...systems, owner: request.owner, means, hasBegun }
  const cleaned = yield* Cleaning.cleanAll(tools, filled, journal.memory(), configs)
  const refused = yield* Effect.forEach(configs, ([topic, given]) =>
    Configuring.giveConfigs(systems.sink, topic, given)
  )
  if (unconfigured.length > 0) {
    const inPlace = request.retentionHold === 0 ? "final" : "held"
    yield* journal.change(unconfigured, (known) => ({
      ...known,
      configs: known.bases === undefined ? inPlace : "final"
    }))
  }
  return { configs, cleaned, refusedConfigs: refused.flat() }
})

/** Gives consumer groups their offsets, once: consumers that have read on since then must not be set back. */
export const setGroups = Effect.fnUntraced(function* (
  { journal, plan, systems, targets }: Underway,
  groups: Groups.PreparedGroups | undefined
) {
  const areSet = targets.every(({ topic }) => journal.memory().get(topic.target)?.groupsSetMillis !== undefined)
  const offsetReset = areSet ? undefined : yield* Groups.reset(systems, plan, groups)
  if (offsetReset !== undefined) {
    const groupsSetMillis = yield* Clock.currentTimeMillis
    const { length } = offsetReset.groupsSkipped
    const left = length === 0 ? {} : { groupsLeft: length }
    yield* journal.change(targets, (known) => ({ ...known, groupsSetMillis, ...left }))
  }
  return { offsetReset, wereGroupsSet: areSet && groups?.strategy !== undefined }
})

/**
 * Adds ACLs and quotas, once: what somebody has taken away since then must not come back. It is the last step, because
 * an ACL may deny the restore itself.
 */
export const addAccess = Effect.fnUntraced(function* (
  { journal, systems, targets }: Underway,
  access: Access.PreparedAccess | undefined
) {
  if (access === undefined) return { accessDone: undefined, wasAccessDone: false }
  const wasAccessDone = targets.every(({ topic }) => journal.memory().get(topic.target)?.accessMillis !== undefined)
  if (wasAccessDone) return { accessDone: undefined, wasAccessDone }
  const accessDone = yield* Access.create(systems.sink, access)
  if (Access.isWhole(accessDone)) {
    const accessMillis = yield* Clock.currentTimeMillis
    yield* journal.change(targets, (known) => ({ ...known, accessMillis }))
  }
  return { accessDone, wasAccessDone }
})
