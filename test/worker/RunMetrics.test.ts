import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { BackupId } from "../../src/identity/BackupId.ts"
import * as RunMetrics from "../../src/worker/RunMetrics.ts"
import * as RunProgress from "../../src/worker/RunProgress.ts"

const storage = "storage s3 bucket kafka-backups"

const progress = (): RunProgress.RunProgress => ({
  ...RunProgress.make(),
  step: "reading",
  backupId: BackupId.make("nightly-20261123-120000"),
  attempt: 2,
  partitions: 6,
  partitionsDone: 1,
  offsets: 1000,
  offsetsDone: 400,
  records: 390,
  fetchedBytes: 12_345,
  storedBytes: 6000,
  segments: 3,
  paused: { target: storage, sinceMillis: 10_000, nextProbeMillis: 70_000, cause: "no route" },
  interruptions: [
    { target: storage, openings: 2, waitedMillis: 61_000, cause: "no route" },
    { target: "kafka broker 1", openings: 1, waitedMillis: 500, cause: "reset" }
  ]
})

describe("RunMetrics.text", () => {
  it.effect("shows the progress, each metric with its help and type", () =>
    Effect.gen(function* () {
      const lines = (yield* RunMetrics.text(progress(), 40_000)).trimEnd().split("\n")
      for (const line of [
        "# TYPE kafka_backup_run_records_total counter",
        "kafka_backup_run_records_total 390",
        "kafka_backup_run_fetched_bytes_total 12345",
        "kafka_backup_run_stored_bytes_total 6000",
        "kafka_backup_run_segments_total 3",
        "# TYPE kafka_backup_run_partitions gauge",
        "kafka_backup_run_partitions 6",
        "kafka_backup_run_partitions_done 1",
        "kafka_backup_run_offsets 1000",
        "kafka_backup_run_offsets_done 400",
        "kafka_backup_run_attempt 2",
        'kafka_backup_run_step{step="reading"} 1',
        'kafka_backup_run_step{step="verifying"} 0',
        `kafka_backup_run_paused{target="${storage}"} 1`,
        'kafka_backup_run_paused{target="kafka broker 1"} 0',
        `kafka_backup_circuit_openings_total{target="${storage}"} 2`
      ]) {
        assert.include(lines, line)
      }
      const names = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2])
      assert.strictEqual(new Set(names).size, 13)
      assert.strictEqual(lines.filter((line) => line.startsWith("# HELP")).length, names.length)
    })
  )

  it.effect("counts a wait that has not ended, and is the same at every scrape of the same moment", () =>
    Effect.gen(function* () {
      const waited = `kafka_backup_circuit_waited_seconds_total{target="${storage}"} 91`
      const first = yield* RunMetrics.text(progress(), 40_000)
      assert.include(first.split("\n"), waited)
      assert.strictEqual(yield* RunMetrics.text(progress(), 40_000), first)
    })
  )
})
