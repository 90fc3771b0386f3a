import type { Block } from "./Block.ts"

/*
 * What does its work once there: a KafkaRestore, and a KafkaBackup without schedule that does not run on. Here it would
 * do that work again, since what was done there is not known here.
 */

/** True for a KafkaBackup that makes one backup and no other. */
export const isOneTimeBackup = (spec: Block): boolean =>
  spec.take("schedule") === undefined && spec.take("continuous") !== true

/** Says what applying a one-time resource would begin. True if it is to be left out: it has ended well. */
export const isDone = (resource: Block, does: string): boolean => {
  const phase = resource.block("status")?.take("phase")
  if (phase === "Completed" || phase === "RolledBack") {
    resource.note("status.phase", `was ${phase}: it was left out, since here it would ${does} again once it is applied`)
    return true
  }
  if (phase === undefined || phase === "" || phase === "Pending") {
    resource.note("status.phase", `does not say that it has ended: it would ${does} once it is applied`)
  } else {
    const was = typeof phase === "string" ? phase.slice(0, 40) : "of another form"
    resource.decide("status.phase", `was ${was}: remove the manifest unless it shall ${does} once it is applied`)
  }
  return false
}
