import type { TopicLookup } from "../kafka/KafkaSource.ts"
import { type Memory, rememberedOf } from "./RestoreMemory.ts"
import type { RestorePlan } from "./RestorePlan.ts"

/*
 * Topics that somebody deleted, or made anew, after the restore was complete. A repeat, which many run for the
 * retention hold alone, must not bring them back.
 */

/** Most topics that a note names. */
const mostNamed = 5

const note = (names: ReadonlyArray<string>): string => {
  const named = names.slice(0, mostNamed).join(", ")
  const others = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : ""
  return `these topics were deleted after this restore was complete, and are not restored again: ${named}${others}. To restore them, create a KafkaRestore of another name with only these topics`
}

/**
 * The plan without the topics that are gone, with a note that names them; and what was found of the others. `looked`:
 * the topics of the plan, in its order. A topic gets its own configuration only after all topics of the plan are
 * proven: where one has it, the restore was complete, and what is not remembered is gone. A topic of which nothing can
 * be known for lack of permission stays. Pure.
 */
export const leaveOut = (
  plan: RestorePlan,
  looked: ReadonlyArray<TopicLookup>,
  memory: Memory
): { readonly plan: RestorePlan; readonly found: ReadonlyArray<TopicLookup> } => {
  const remembered = looked.map((one) =>
    one._tag === "Found" ? rememberedOf(memory, plan.digest, one.topic) : undefined
  )
  const isGone = (at: number) => remembered[at] === undefined && looked[at]?._tag !== "Denied"
  const wasComplete = remembered.some((each) => each?.configs !== undefined)
  const gone = wasComplete ? plan.topics.filter((_, at) => isGone(at)) : []
  if (gone.length === 0) return { plan, found: looked }
  return {
    plan: {
      ...plan,
      topics: plan.topics.filter((_, at) => !isGone(at)),
      notes: [...plan.notes, note(gone.map(({ target }) => target))]
    },
    found: looked.filter((_, at) => !isGone(at))
  }
}
