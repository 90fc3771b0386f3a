import type { ActiveRun } from "../status/Facts.ts"

/*
 * The pod of a one-time backup waits for a Secret that is missing, and reports it under /progress. The status carries
 * that from one reconcile to the next in `progress.message`, so that conditions stay while the pod is not asked.
 */

const beginning = "waiting for a Secret: "

/** `progress.message` of a run that waits for a Secret. `awaited` is the pod's own sentence. */
export const progressMessage = (awaited: string): string => `${beginning}${awaited}`

/** The run with its trouble, if its progress message says that it waits for a Secret. */
export const withTrouble = (active: ActiveRun, message: string | undefined): ActiveRun =>
  message === undefined || !message.startsWith(beginning) || active.trouble !== undefined
    ? active
    : {
        ...active,
        trouble: {
          reason: "AwaitingSecret",
          message: `${message.slice(beginning.length)}; create or correct it in the namespace of the resource`
        }
      }
