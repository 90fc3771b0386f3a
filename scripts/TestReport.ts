/** Outcome of test runs, in tests. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** The part of vitest's JSON report that we read. */
export interface Report {
  readonly testResults: ReadonlyArray<{
    readonly status: string
    readonly assertionResults: ReadonlyArray<{ readonly status: string }>
  }>
}

/**
 * Counts one run. A file that broke before its tests ran is one failure, and so is a run that ended badly though no test
 * failed: an error outside of any test, or a report that was never written.
 */
export const count = (report: Report | undefined, exitCode: number): Count => {
  const files = report?.testResults ?? []
  const statuses = files.flatMap((file) => file.assertionResults.map(({ status }) => status))
  const failedTests = statuses.filter((status) => status === "failed").length
  const passed = statuses.filter((status) => status === "passed").length
  const brokenFiles = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed")
  ).length
  const failed = failedTests + brokenFiles
  return {
    passed,
    failed: failed === 0 && (exitCode !== 0 || report === undefined) ? 1 : failed,
    skipped: statuses.length - passed - failedTests
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
