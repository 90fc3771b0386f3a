/** What drills show of the newest backup. Reasons of the condition Restorable: see Reasons.ts. */
export const restorableReasons = {
  DrillPassed: {
    of: ["Restorable"],
    meaning:
      "The newest drill restored a part of the newest backup and found it equal. The message has the backup, how much was compared, and how long a restore of the whole backup takes."
  },
  DrillFailed: {
    of: ["Restorable"],
    meaning:
      "The newest drill found that the backup cannot be restored, or that what was restored differs. The message says where. Backups go on, and `Ready` does not change.",
    todo: "Do what the message says, and make a new backup. Then set annotation `kafka.oso.sh/drill` to a new value."
  },
  DrillOverdue: {
    of: ["Restorable"],
    meaning:
      "No drill has passed for more than two intervals of `spec.drill.schedule`, and at least two slots have passed.",
    todo: "See `.status.drill`: drills may wait for their turn, be stopped, or fail to start."
  },
  NewestBackupDamaged: {
    of: ["Restorable"],
    meaning:
      "The newest backup is known to be damaged, whatever the newest drill has shown. `SetsIntact` has the details.",
    todo: "Restore from the backup that the message names, if there is one. The next run makes a new backup."
  },
  NoBackupYet: {
    of: ["Restorable"],
    meaning: "There is no verified backup yet, so no drill starts. One that is due starts after the first backup."
  },
  AwaitingFirstDrill: {
    of: ["Restorable"],
    meaning: "There was no drill yet. The message has the time of the next one."
  },
  DrillRunning: { of: ["Restorable"], meaning: "The first drill is running." },
  DrillIncomplete: {
    of: ["Restorable"],
    meaning: "Every drill so far was stopped or could not be carried out, so nothing is known about the backup.",
    todo: "Do what the message says, then set annotation `kafka.oso.sh/drill` to a new value."
  }
} as const
