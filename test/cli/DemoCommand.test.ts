import { assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { finished, programs } from "./processes.ts"

const demo = (directory: string) => finished(programs.real, ["demo", "--directory", directory])

const folder = mkdtempSync(join(tmpdir(), "kafka-backup-demo-"))
const directory = join(folder, "data")
let demonstration: Awaited<ReturnType<typeof demo>>

beforeAll(async () => {
  demonstration = await demo(directory)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What was printed for a command, up to the next one. */
const answers = (command: string): ReadonlyArray<string> =>
  demonstration.out
    .split(/^\$ /m)
    .filter((text) => text.startsWith(command))
    .map((text) =>
      text
        .slice(text.indexOf("\n") + 1)
        .replace(/\n+(──.*\n)?[^$]*$/, (end) => end.split("\n──")[0]!)
        .trimEnd()
    )

describe("kafka-backup demo", () => {
  it("exits with 0, prints nothing on standard error, and leaves manifests and backups behind", () => {
    assert.deepStrictEqual([demonstration.exitCode, demonstration.err], [0, ""])
    assert.include(readFileSync(join(directory, "backup.yaml"), "utf8"), "kind: KafkaBackup")
    const sets = readdirSync(join(directory, "volumes/backups")).filter((name) =>
      existsSync(join(directory, "volumes/backups", name, "manifest.json"))
    )
    assert.deepStrictEqual(sets.toSorted(), ["demo-20261125-121500", "demo-20261125-130000", "refunds-20261125-133000"])
  })

  it("shows the resource before its first slot, running with progress, and after it", () => {
    const [before, after] = answers("kubectl get kafkabackups\n")
    assert.match(
      before!,
      /^NAME +SCHEDULE +PHASE +READY .*\ndemo +0 \* \* \* \* +Pending +True +Unknown +2026-11-25T12:00:00Z +2s$/
    )
    assert.match(after!, /\ndemo +0 \* \* \* \* +Completed +True +True +\d+s +100216 +\S+ MB +2026-11-25T13:00:00Z/)
    const [watched] = answers("kubectl get kafkabackup demo --watch")
    assert.match(
      watched!,
      /^PHASE .*\nPending .*\n(Running +<none>.*\n)+(Running +\d+ +\d+\n)+Completed +<none> +<none>$/
    )
  })

  it("triggers a run, and lets lowered retention remove the oldest", () => {
    const [before, after] = answers("kubectl get kafkabackup demo -o json |").map((text) =>
      text.split("\n").map((line) => JSON.parse(line) as { readonly backupId: string; readonly cause: string })
    )
    assert.deepStrictEqual(
      before!.map(({ cause }) => cause),
      ["schedule", "trigger", "schedule"]
    )
    assert.deepStrictEqual(after, before!.slice(0, 2))
  })

  it("shows why a backup failed, and that the next one succeeds", () => {
    const tables = answers("kubectl get kafkabackups\n")
    assert.match(tables[2]!, /\nrefunds +Failed +False/)
    assert.match(
      answers("kubectl get kafkabackup refunds -o jsonpath")[0]!,
      /failed: the cluster has no topic refunds; create the topic/
    )
    assert.match(tables[3]!, /\nrefunds +Completed +True +True +\S+ +12 /)
  })

  it("loses a topic, and shows that a restore brings every record back at its offset", () => {
    const { out } = demonstration
    const readings = [...out.matchAll(/^A consumer that reads all of orders, \w+: +(.*)$/gm)].map(([, read]) => read)
    assert.lengthOf(readings, 2)
    assert.match(readings[0]!, /^105,000 records, SHA-256 [0-9a-f]{16}/)
    assert.strictEqual(readings[1], readings[0])
    assert.match(answers("kubectl get kafkarestores")[0]!, /\norders-again +Completed +demo-\S+ +100 +105000 +True /)
    assert.match(
      answers("kubectl get kafkarestore orders-again -o jsonpath")[0]!,
      /^105,000 records were read back from the target cluster and are equal to those of the backup/
    )
  })

  it("verifies and reads back what it stored, and ends with conditions and Events", () => {
    assert.match(
      demonstration.out,
      /^OK demo-20261125-130000: 105,216 records in \d+ segments .* every checksum is correct$/m
    )
    assert.include(demonstration.out, '"key":"order-1000"')
    const [described] = answers("kubectl describe kafkabackup refunds")
    assert.match(described!, /\n {2}Conditions:\n/)
    assert.match(described!, /\nEvents:\n[^]* BackupFailed [^]* BackupSucceeded /)
  })

  it("shows the same story again in the same directory", async () => {
    const again = await demo(directory)
    const withoutNumbers = (text: string) =>
      text.replaceAll(/^(Running|Completed) .*\n/gm, "").replaceAll(/\b\d+s\b/g, "")
    assert.strictEqual(again.exitCode, 0)
    assert.strictEqual(
      withoutNumbers(again.out).split("\n").length,
      withoutNumbers(demonstration.out).split("\n").length
    )
  })

  it("does not touch files that it did not write", async () => {
    const foreign = join(folder, "foreign")
    mkdirSync(join(foreign, "volumes/backups/precious"), { recursive: true })
    writeFileSync(join(foreign, "backup.yaml"), "kind: KafkaBackup\n")
    const { err, exitCode } = await demo(foreign)
    assert.notStrictEqual(exitCode, 0)
    assert.include(err, "contains files that the demo did not write")
    assert.isTrue(existsSync(join(foreign, "volumes/backups/precious")))
    assert.strictEqual(readFileSync(join(foreign, "backup.yaml"), "utf8"), "kind: KafkaBackup\n")
  })
})
