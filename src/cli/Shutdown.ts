import { Context, Deferred, Effect, Exit, Fiber } from "effect"

/** How long a run may take to store what it has read after a stop was requested; pods get 30 s by default. */
const graceMillis = 25_000

/** How a process ends that is stopped before its command has ended. */
export interface EndedAtOnce {
  readonly exitCode: number
  /** For the user. */
  readonly message: string
  /** The result for programs; absent: an interruption, without more. */
  readonly document?: string | undefined
}

/** What a command tells the process. */
export interface Told {
  /** The exit code, once the command has ended by itself; a later signal does not change it. */
  exitCode: number | undefined
  /** What the second signal does where it must not look like a work that may simply be repeated. */
  endAtOnce?: () => EndedAtOnce
  /** The error of a stop now, where it is more than the end of the command. Absent: the same command begins again. */
  interruption?: Error | undefined
}

export const Outcome = Context.Reference<Told>("kafka-backup/cli/Outcome", {
  defaultValue: () => ({ exitCode: undefined })
})

/** How a run reacts to a stop. */
export interface StopOptions {
  /** Whether there is anything to store; otherwise the work is interrupted at once. */
  readonly isWorthWaiting: () => boolean
  /** Reports the stop to the user. */
  readonly announce: Effect.Effect<void>
}

/**
 * Runs `work` so that an interruption (SIGTERM, SIGINT) completes `stop`, then waits at most 25 s for the work to end
 * by itself, then interrupts it. Returns the work's exit in every case. Is not interruptible itself; the caller's
 * handling of the exit must not be either.
 */
export const graceful = <A, E, R>(
  work: (stop: Deferred.Deferred<void>) => Effect.Effect<A, E, R>,
  options: StopOptions
): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const stop = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkDetach(work(stop), { startImmediately: true, uninterruptible: false })
      const first = yield* Effect.exit(Effect.interruptible(Fiber.await(fiber)))
      if (Exit.isSuccess(first)) return first.value
      if (options.isWorthWaiting()) {
        yield* options.announce
        yield* Deferred.succeed(stop, undefined)
        const ended = yield* Fiber.await(fiber).pipe(Effect.timeoutOption(graceMillis))
        if (ended._tag === "Some") return ended.value
      }
      yield* Fiber.interrupt(fiber)
      return yield* Fiber.await(fiber)
    })
  )

/** Calls of the operating system in other threads. A process that exits waits for them, on a hung drive for ever. */
const isWaitingForTheSystem = (): boolean =>
  process.getActiveResourcesInfo().some((name) => /^(FSReq|GetAddrInfo|GetNameInfo)/u.test(name))

/**
 * Ends the process with this code, whatever it waits for. Where threads are stuck in a call, another program takes the
 * place of this one, which ends them, and exits with the code.
 */
export const end = (code: number): void => {
  if (isWaitingForTheSystem() && process.execve !== undefined) {
    process.execve(process.execPath, [process.execPath, "-e", `process.exitCode = ${code}`], {})
  }
  process.exit(code)
}

/**
 * A terminal, npm and a shell may each pass on one Ctrl-C: signals this close together count as one, in milliseconds.
 */
const echoMillis = 500

/**
 * Calls `end` on the second SIGINT or SIGTERM. The first one is handled by the runtime, which interrupts the command.
 */
export const onSecondSignal = (end: () => void): void => {
  let firstMillis: number | undefined
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const nowMillis = performance.now()
      firstMillis ??= nowMillis
      if (nowMillis - firstMillis >= echoMillis) end()
    })
  }
}
