import { assert, describe, it } from "@effect/vitest"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"
import * as Quantities from "../../src/cli/Quantities.ts"
import * as RunDisplay from "../../src/cli/RunDisplay.ts"
import * as Format from "../../src/status/Format.ts"

describe("quantities", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [9_994, "9.99 kB"],
    [9_996, "10.0 kB"],
    [999_499, "999 kB"],
    [999_950, "1.00 MB"],
    [1_270_000_000, "1.27 GB"],
    [3e18, "3000 PB"]
  ])("%i bytes are %s", (n, shown) => assert.strictEqual(Format.bytes(n), shown))

  it.each([
    [0, "0.0s"],
    [-5, "0.0s"],
    [480, "0.5s"],
    [9_949, "9.9s"],
    [9_951, "10s"],
    [59_600, "1m 0s"],
    [3_599_000, "59m 59s"],
    [90_000_000, "25h 0m"]
  ])("%i milliseconds are %s", (millis, shown) => assert.strictEqual(Quantities.duration(millis), shown))

  it("show one offset alone, and a range with its last offset", () => {
    assert.deepStrictEqual([Quantities.offsets(20, 21), Quantities.offsets(20, 30)], ["offset 20", "offsets 20-29"])
  })
})

describe("the progress line", () => {
  const reading = {
    ...RunProgress.make(),
    step: "reading" as const,
    backupId: BackupId.make("nightly-20261123-120000"),
    partitions: 4,
    partitionsDone: 1,
    offsets: 1000,
    offsetsDone: 600,
    records: 200,
    fetchedBytes: 4_000_000,
    storedBytes: 1_500_000
  }

  it("shows the rate of this attempt, without earlier ones", () => {
    // 400 offsets were done before; 200 took ten seconds, so 400 more take twenty.
    assert.strictEqual(
      RunDisplay.line(reading, 400, 10_000),
      "nightly-20261123-120000  60%  20s left  200 records  4.00 MB read  400 kB/s  1/4 partitions  1.50 MB stored"
    )
  })

  it("shows no rate in the first second, and 100 % only at the end", () => {
    assert.notMatch(RunDisplay.line(reading, 400, 200), /left|\/s/)
    assert.match(RunDisplay.line({ ...reading, offsetsDone: 999 }, 400, 5000), / 99% /)
  })

  it("shows the step where there is nothing to count", () => {
    assert.strictEqual(RunDisplay.line(RunProgress.make(), 0, 0), "connecting …")
    assert.strictEqual(
      RunDisplay.line({ ...reading, step: "verifying" }, 0, 1000),
      "nightly-20261123-120000  verifying …"
    )
  })
})
