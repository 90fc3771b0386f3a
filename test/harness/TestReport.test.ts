import { assert, describe, it } from "@effect/vitest"
import * as TestReport from "../../scripts/TestReport.ts"

const file = (status: string, ...tests: ReadonlyArray<string>) => ({
  name: "/here/test/some.test.ts",
  status,
  assertionResults: tests.map((one) => ({ status: one, fullName: `a thing is ${one}` }))
})

describe("TestReport", () => {
  it("counts skipped and todo tests as skipped", () => {
    const report = { testResults: [file("passed", "passed", "pending", "todo"), file("passed", "skipped", "passed")] }
    assert.deepStrictEqual(TestReport.count(report, 0), { passed: 2, failed: 0, skipped: 3 })
  })

  it("counts a file that fails before its tests as one failure", () => {
    const report = { testResults: [file("failed"), file("failed", "failed", "passed")] }
    assert.deepStrictEqual(TestReport.count(report, 1), { passed: 1, failed: 2, skipped: 0 })
  })

  it("counts a run that ended badly as failed though every test passed", () => {
    const count = TestReport.count({ testResults: [file("passed", "passed")] }, 1)
    assert.deepStrictEqual(count, { passed: 1, failed: 1, skipped: 0 })
    assert.isFalse(TestReport.isGood(count))
  })

  it("counts a missing report as one failure", () => {
    assert.deepStrictEqual(TestReport.count(undefined, 0), { passed: 0, failed: 1, skipped: 0 })
  })

  it("repeats failures at the end, without their stacks", () => {
    const failed = {
      ...file("failed", "passed"),
      assertionResults: [
        { status: "passed", fullName: "a thing works", failureMessages: [] },
        {
          status: "failed",
          fullName: "a thing stays whole",
          failureMessages: ["AssertionError: expected 1 to be 2\n\n    at it (/here/test/some.test.ts:3:1)"]
        }
      ]
    }
    const broken = { ...file("failed"), message: "Error: no such module\n    at load (/here/x.ts:1:1)" }
    const brokenAfterwards = { ...file("failed", "passed"), message: "" }
    assert.deepStrictEqual(TestReport.failures({ testResults: [failed, broken, brokenAfterwards] }, 1, "/here/"), [
      "test/some.test.ts > a thing stays whole\n    AssertionError: expected 1 to be 2",
      "test/some.test.ts\n    Error: no such module",
      "test/some.test.ts\n    an error outside of any test, see above"
    ])
  })

  it("counts a run without tests as failed", () => {
    assert.isFalse(TestReport.isGood(TestReport.sum([])))
  })

  it("sums both kinds of tests into one closing line", () => {
    const total = TestReport.sum([
      { passed: 10, failed: 0, skipped: 1 },
      { passed: 5, failed: 2, skipped: 3 }
    ])
    assert.strictEqual(TestReport.closingLine(total), "15 passed, 2 failed, 4 skipped")
  })
})
