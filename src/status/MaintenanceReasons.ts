/**
 * How storage is listed, old backups are removed, and those of a deleted resource. Reasons of the conditions
 * StorageListed, RetentionApplied and CleanedUp: see Reasons.ts.
 */
export const maintenanceReasons = {
  Listed: { of: ["StorageListed"], meaning: "Storage was listed; the message says how many backups it holds." },
  StatusLost: {
    of: ["StorageListed"],
    meaning:
      "The status was empty although the resource is not new. Storage is listed to find its backups; the history is incomplete until then."
  },
  ListingDue: {
    of: ["StorageListed"],
    meaning:
      "A Job was deleted before its end was observed. Storage is listed to find out whether its backup is complete."
  },
  ListingFailed: {
    of: ["StorageListed"],
    meaning: "Storage could not be listed, so the history may name backups that are gone. No backup was harmed.",
    todo: "Do what the message says. Storage is listed again by the next successful run, and once an hour."
  },

  RetentionApplied: { of: ["RetentionApplied"], meaning: "Old backups were removed, as `spec.retention` says." },
  RetentionHeldBack: {
    of: ["RetentionApplied"],
    meaning:
      "Old backups stay, because newer backups lost what they hold: a topic is gone, was created again or was emptied, or the cluster is another one.",
    todo: "Find out whether the loss is intended. If it is, set annotation `kafka.oso.sh/accept-loss` to the id of the newest backup, or to `topic:PATTERN` for topics that are removed regularly. If not, the named backup holds the data."
  },
  BackupsLocked: {
    of: ["RetentionApplied"],
    meaning:
      "Retention was applied. Backups that no rule keeps stay all the same, whole, because the store locks their objects; the message says how many and until when. That is no failure: the first retention after that removes them.",
    todo: "Nothing, if the lock is meant. It costs the room of these backups: align the lock with `spec.retention`, or have whoever holds them take that back."
  },
  PruneFailed: {
    of: ["RetentionApplied"],
    meaning: "Old backups could not be removed. None was damaged; more backups are kept than wanted.",
    todo: "Do what the message says. The operator tries again about an hour later, and each run applies retention, too."
  },

  RemovingBackups: { of: ["CleanedUp"], meaning: "The clean-up Job is removing this resource's backups." },
  CleanupRetrying: {
    of: ["CleanedUp"],
    meaning:
      "An attempt to remove the backups failed. The message says why, when the next attempt starts, and when the clean-up is given up: one hour after the deletion.",
    todo: "Remove the cause that the message names. To keep the backups instead, set `spec.deletionPolicy` to Retain."
  },
  EndingRuns: { of: ["CleanedUp"], meaning: "The clean-up waits for the resource's own Jobs to stop." },
  CleanupTrouble: {
    of: ["CleanedUp"],
    meaning: "The clean-up Job is stuck.",
    todo: "Do what the message says. The clean-up is given up one hour after the deletion."
  },
  CleanupGivenUp: {
    of: ["CleanedUp"],
    meaning:
      "The clean-up did not succeed within an hour, or the namespace takes no more Jobs. It was given up so that the deletion can finish: the data stays in storage.",
    todo: "If the data should go, run the command in the message. It resumes a suspended Job that was left behind; to keep the data, delete that Job."
  },
  Retained: { of: ["CleanedUp"], meaning: "`deletionPolicy` is Retain: the backups stay in storage." },
  CleanedUp: { of: ["CleanedUp"], meaning: "This resource's backups are gone." }
} as const
