import { Effect } from "effect"
import type { Announcement } from "../../status/Announcements.ts"
import { EventRecorder } from "../EventRecorder.ts"
import type { OneTimeObserved } from "./OneTimeObserved.ts"

/** Emits Events about a resource of this kind, and logs them. */
export const announce = Effect.fnUntraced(function* (
  kind: string,
  { name, namespace, uid }: Pick<OneTimeObserved, "name" | "namespace" | "uid">,
  announcements: ReadonlyArray<Announcement>
) {
  const recorder = yield* EventRecorder
  for (const announcement of announcements) {
    yield* recorder.emit({ kind, namespace, name, uid }, announcement)
    const log =
      announcement.type === "Warning" ? Effect.logWarning(announcement.note) : Effect.logInfo(announcement.note)
    const field = kind === "KafkaRestore" ? "restore" : "resource"
    yield* Effect.annotateLogs(log, { [field]: `${namespace}/${name}`, reason: announcement.reason })
  }
  // The status that is written next keeps them from being announced again.
  if (announcements.length > 0) yield* recorder.settled
})
