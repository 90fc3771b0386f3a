const start = performance.now()

/** Prints one progress line with the seconds since the start of the script; to stderr, so that stdout stays data. */
export const say = (message: string): void => {
  const seconds = Math.round((performance.now() - start) / 1000)
  process.stderr.write(`[${String(seconds).padStart(4)} s] ${message}\n`)
}

/** Prints `describe()` every 15 s until the work settles, so that minutes of compiling do not look like a hang. */
export const whileWorking = async <A>(describe: () => string, work: Promise<A>): Promise<A> => {
  const timer = setInterval(() => say(describe()), 15_000)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
