/** Outcome of test runs, in tests. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The part of vitest's JSON report that we read. */
export interface Report {
  readonly testResults: ReadonlyArray<{
    /** Path of the file. */
    readonly name: string
    readonly status: string
    /** Why the file broke before its tests ran; empty when it broke after them. */
    readonly message?: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly fullName: string
      readonly failureMessages?: ReadonlyArray<string> | null
    }>
  }>
}

/** Lines of a failure's message that are repeated at the end: enough to see what differed, not its stack. */
const repeatedLines = 12

const outsideOfTests = "an error outside of any test, see above"

const excerpt = (message: string): string =>
  message
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+at /.test(line))
    .slice(0, repeatedLines)
    .map((line) => `    ${line}`)
    .join("\n")

/**
 * What failed and why, a text for each: file, test and the start of its message. Printed once more after everything else, for
 * the log of a long run may be kept by its end alone.
 *
 * @param root folder that file names are told relative to, ending with a slash
 */
export const failures = (report: Report | undefined, exitCode: number, root: string): ReadonlyArray<string> => {
  const told = (report?.testResults ?? []).flatMap((file) => {
    const name = file.name.startsWith(root) ? file.name.slice(root.length) : file.name
    const failed = file.assertionResults.filter(({ status }) => status === "failed")
    if (failed.length === 0 && file.status === "failed") return [`${name}\n${excerpt(file.message || outsideOfTests)}`]
    return failed.map((one) => `${name} > ${one.fullName}\n${excerpt((one.failureMessages ?? []).join("\n"))}`)
  })
  if (told.length > 0) return told
  if (report === undefined) return [`no report was written (exit code ${exitCode})`]
  return exitCode === 0 ? [] : [`exit code ${exitCode} though no test failed: ${outsideOfTests}`]
}

/**
 * Counts one run. A file that broke before its tests ran is one failure, and so is a run that ended badly though no test
 * failed: an error outside of any test, or a report that was never written.
 */
export const count = (report: Report | undefined, exitCode: number): Count => {
  const statuses = (report?.testResults ?? []).flatMap((file) => file.assertionResults.map(({ status }) => status))
  const passed = statuses.filter((status) => status === "passed").length
  return {
    passed,
    failed: failures(report, exitCode, "").length,
    skipped: statuses.filter((status) => status !== "passed" && status !== "failed").length
  }
}

export const sum = (counts: ReadonlyArray<Count>): Count =>
  counts.reduce(
    (total, one) => ({
      passed: total.passed + one.passed,
      failed: total.failed + one.failed,
      skipped: total.skipped + one.skipped
    }),
    { passed: 0, failed: 0, skipped: 0 }
  )

/** Nothing failed, and something was tested at all. */
export const isGood = (count: Count): boolean => count.failed === 0 && count.passed > 0

/** What `npm test` ends with; other programs look for exactly this. */
export const closingLine = ({ passed, failed, skipped }: Count): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
