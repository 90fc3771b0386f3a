import { Console, Effect, Exit } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"
import type { RunSummary } from "../outcome/RunSummary.ts"
import * as RestoreMetrics from "../restore/RestoreMetrics.ts"
import * as RestoreProgress from "../restore/RestoreProgress.ts"
import * as Explanation from "../worker/Explanation.ts"
import * as KeptProof from "./KeptProof.ts"
import * as ReportFile from "./ReportFile.ts"
import * as Resource from "./Resource.ts"
import * as RunDisplay from "./RunDisplay.ts"
import { RunFailed } from "./RunFailed.ts"
import type { ListenAddress } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import * as StandardOutput from "./StandardOutput.ts"
import * as SummaryFile from "./SummaryFile.ts"

/* What restore, drill and offsets apply have in common: a Job runs them once, and people run them by hand. */

/** Serves progress and metrics at the address, if one is given, for as long as the scope lasts. */
export const listening = Effect.fnUntraced(function* (
  address: ListenAddress | undefined,
  progress: RestoreProgress.RestoreProgress
) {
  if (address === undefined) return
  // Loaded only if needed: the HTTP server is a third of the code that a run loads at its start.
  const { open } = yield* Effect.promise(() => import("./RunListener.ts"))
  yield* open(address, {
    progress: () => RestoreProgress.report(progress),
    metrics: () => RestoreMetrics.text(progress)
  })
})

/** Why a command did not succeed: in the words of its report, with the problems that the failure itself lists. */
export const explained = (
  { error, exitCode }: { readonly exitCode: number; readonly error?: Omit<Explanation.Explained, "exitCode"> },
  exit: Exit.Exit<void, unknown>
): Explanation.Explained | undefined => {
  if (error === undefined) return undefined
  const { advice, isRetryable, message, reason } = error
  const { headline, problems } = Exit.isFailure(exit) ? Explanation.explain(exit.cause) : {}
  const listed = headline === undefined || problems === undefined ? {} : { headline, problems }
  return { reason, message, advice, isRetryable, exitCode, ...listed }
}

/** How a command ended. */
export interface Ended<E> {
  readonly what: "restore" | "drill" | "offsets"
  readonly exit: Exit.Exit<void, E>
  readonly exitCode: number
  /** Why it did not succeed. */
  readonly error: Explanation.Explained | undefined
  readonly summary: RunSummary
  /** The whole report: the last line of a Job's output, and what `--report` writes. */
  readonly report: object
}

/** What people and programs are told where the command runs by hand. */
export interface Told {
  /** Of a stop, in one line: what stays, and how to go on. */
  readonly stopped: string
  /** The result of a success, and with `json` that of a failure. */
  readonly result: Effect.Effect<string | undefined>
}

/** In a Job: how it ended, as the last JSON line and, where it failed, in the log. */
const showJob = Effect.fnUntraced(function* ({ error, exitCode, report, what }: Ended<unknown>) {
  if (error !== undefined) yield* RunDisplay.failed(error, exitCode, what)
  // The work does not fail because its output has no reader.
  yield* Effect.ignore(StandardOutput.print(JSON.stringify({ type: "report", ...report })))
  if (exitCode !== exitCodes.success) return yield* new RunFailed({ exitCode })
})

/** Writes the files that were asked for, and tells how the command ended. Fails as the command did. */
export const conclude = Effect.fnUntraced(function* <E>(
  given: { readonly file: string; readonly summary: string | undefined; readonly report?: string | undefined },
  ended: Ended<E>,
  told: Told
) {
  yield* SummaryFile.write(given.summary, ended.summary)
  const isFree = ended.what !== "restore" || (yield* KeptProof.moveAside(given.report))
  if (isFree) yield* ReportFile.write(ended.report, given.report)
  const outcome = yield* Shutdown.Outcome
  outcome.exitCode = ended.exitCode
  if (Resource.isRunSpec(given.file)) return yield* showJob(ended)
  if (ended.exitCode === exitCodes.interrupted) yield* Console.error(told.stopped)
  const result = yield* told.result
  if (result !== undefined && result !== "") yield* StandardOutput.print(result)
  if (Exit.isFailure(ended.exit)) return yield* ended.exit
})
