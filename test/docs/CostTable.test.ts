import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as ClusterFigures from "../../src/backup/ClusterFigures.ts"
import * as KeptAges from "../../src/backup/KeptAges.ts"
import * as RereadingTime from "../../src/backup/RereadingTime.ts"
import * as EstimateOutput from "../../src/cli/EstimateOutput.ts"

const guide = readFileSync(new URL("../../docs/guides/incremental-and-retention.md", import.meta.url), "utf8")

const schedule = "0 * * * *"
const intervalMillis = 3_600_000
const rate = 2_777_778

/**
 * What estimate prints for 1 TB in 1,000 partitions, of which a hundredth is new each hour, before the first backup.
 */
const printed = EstimateOutput.text({
  figures: {
    partitions: Array.from({ length: 1000 }, () => ({ bytes: 1e9, bytesPerSecond: rate / 1000 })),
    sentPerByte: 1,
    storedPerByte: ClusterFigures.storedPerByte.zstd,
    bytesPerSecond: 150_000_000,
    intervalMillis,
    keptAgesMillis: KeptAges.of({ keep: 168 }, intervalMillis, Date.parse("2026-11-29T09:00:00Z")).ages,
    checkpointMillis: 30_000,
    sampledPercent: 2,
    mostSampledMillis: RereadingTime.longestMillis({
      schedule,
      job: { parallelism: 1, backoffLimit: 3, ttlSecondsAfterFinished: 86_400 }
    })
  },
  topics: 1,
  lockDays: 0,
  isEndless: false,
  source: { _tag: "Given" },
  isStoredMeasured: false,
  isSpeedMeasured: false,
  notes: []
})

describe("docs/guides/incremental-and-retention.md", () => {
  it("shows what estimate prints for a terabyte, and with which command and manifest", () => {
    const lines = printed.split("\n")
    const table = lines.filter((line) =>
      /^(a run| +(?:FULL|written|of it|read from|writes|reads|time)|stored)/.test(line)
    )
    const month = lines.findIndex((line) => line.startsWith("a month"))
    const shown = table.filter((line) => lines.indexOf(line) < month || line.startsWith("stored"))
    assert.lengthOf(shown, 10)
    assert.include(guide, shown.join("\n"))
    const note = lines.find((line) => line.startsWith("Note: "))
    assert.include(guide.replaceAll(/\s+/gu, " "), note!.slice("Note: ".length))
    assert.include(guide, `kafka-backup estimate -f backup.yaml --rate ${rate}\n`)
    assert.include(guide, `schedule: "${schedule}"\n  retention:\n    backups: 168\n`)
  })
})
