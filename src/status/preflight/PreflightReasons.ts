/** What checks of everything that a run needs say. Reasons of the condition Ready: see Reasons.ts. */
export const preflightReasons = {
  Checking: {
    of: ["Ready"],
    meaning:
      "Nothing shows yet that a run of this spec can work: the check that follows every edit has not ended. The message says what it waits for.",
    todo: "Wait: a check takes seconds. `kubectl wait --for=condition=Ready` does."
  },
  CheckFailed: {
    of: ["Ready"],
    meaning:
      "A check found that a run would fail: credentials, a topic, rights, the bucket, an address. The message says what was found, and when the check is repeated.",
    todo: "Do what the message says. An edit is checked at once; after a change elsewhere, set annotation `kafka.oso.sh/check` to a new value, or wait."
  },
  CheckPassed: {
    of: ["Ready"],
    meaning:
      "The newest run failed, and a check that ended after it found that the cause is gone. `.status.phase` and the history show the failure until a run succeeds. Only for what a check tries: connections, credentials, rights, topics, storage, and the start of the pod.",
    todo: "Nothing: the next slot makes the backup. To have it now, set the trigger annotation to a new value."
  },
  CheckIncomplete: {
    of: ["Ready"],
    meaning:
      "A check ended without an answer: its pod did not start within two minutes, or was stopped. The message says why, and when the check is repeated.",
    todo: "Do what the message says."
  }
} as const

/** The same as reasons of Events: see EventReasons.ts. */
export const preflightEvents = {
  CheckPassed: {
    type: "Normal",
    action: "Check",
    meaning:
      "A check found everything that a run needs, for the first time since the last edit or after a failure. Once, not for each repetition."
  },
  CheckFailed: {
    type: "Warning",
    action: "Check",
    meaning:
      "A check found that a run would fail. The note says why and what to do. Again when the reason is another one."
  }
} as const
