/** Outcome of test runs, in tests. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The parts of vitest's JSON report that are used here. */
export interface Report {
  readonly testResults: ReadonlyArray<{
    /** Path of the file. */
    readonly name: string
    readonly status: string
    /** Why the file failed before its tests ran; empty if it failed after them. */
    readonly message?: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly fullName: string
      readonly failureMessages?: ReadonlyArray<string> | null
    }>
  }>
}

/** Lines of a failure's message to repeat at the end: enough to see what differed, without the stack. */
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
 * One text for each failure: file, test and the start of its message. Repeated at the end of the output, because a long
 * log may be cut at its front.
 *
 * @param root folder that file names are relative to, with a trailing slash
 */
export const failures = (report: Report | undefined, exitCode: number, root: string): ReadonlyArray<string> => {
  const found = (report?.testResults ?? []).flatMap((file) => {
    const name = file.name.startsWith(root) ? file.name.slice(root.length) : file.name
    const failed = file.assertionResults.filter(({ status }) => status === "failed")
    if (failed.length === 0 && file.status === "failed") return [`${name}\n${excerpt(file.message || outsideOfTests)}`]
    return failed.map((one) => `${name} > ${one.fullName}\n${excerpt((one.failureMessages ?? []).join("\n"))}`)
  })
  if (found.length > 0) return found
  if (report === undefined) return [`no report was written (exit code ${exitCode})`]
  return exitCode === 0 ? [] : [`exit code ${exitCode} though no test failed: ${outsideOfTests}`]
}

/**
 * Counts one run. A file that fails before its tests is one failure, and so is a failed run without a failed test: an
 * error outside of any test, or a missing report.
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

/** The last line of `npm test`; other programs search for exactly this. */
export const closingLine = ({ passed, failed, skipped }: Count): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`
