/** A terminal, npm and a shell may each pass one Ctrl-C on: signals this close together are one, in milliseconds. */
const echoMillis = 500

/** Calls `end` on the second SIGINT or SIGTERM; the first one is the runtime's, which stops the command in order. */
export const onSecond = (end: () => void): void => {
  let firstMillis: number | undefined
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const nowMillis = performance.now()
      firstMillis ??= nowMillis
      if (nowMillis - firstMillis >= echoMillis) end()
    })
  }
}
