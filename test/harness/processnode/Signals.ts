export type Signal = "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGINT" | "SIGHUP"

/** Signals a process, or with a negative id its group; nothing happens when it is gone. */
export const send = (id: number, what: Signal): void => {
  try {
    process.kill(id, what)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error
  }
}
