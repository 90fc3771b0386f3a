import { assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { finished, programs } from "./processes.ts"

const demo = (directory: string) => finished(programs.real, ["demo", "--directory", directory])

const folder = mkdtempSync(join(tmpdir(), "kafka-backup-demo-"))
const directory = join(folder, "data")
let told: Awaited<ReturnType<typeof demo>>

beforeAll(async () => {
  told = await demo(directory)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What was printed for a command, up to the next one. */
const answers = (command: string): ReadonlyArray<string> =>
  told.out
    .split(/^\$ /m)
    .filter((text) => text.startsWith(command))
    .map((text) =>
      text
        .slice(text.indexOf("\n") + 1)
        .replace(/\n+(──.*\n)?[^$]*$/, (end) => end.split("\n──")[0]!)
        .trimEnd()
    )

describe("kafka-backup demo", () => {
  it("ends well, says nothing on standard error, and leaves manifests and backups behind", () => {
    assert.deepStrictEqual([told.exitCode, told.err], [0, ""])
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
      /^NAME +SCHEDULE +PHASE +READY .*\ndemo +0 \* \* \* \* +Pending +True +2026-11-25T12:00:00Z +2s$/
    )
    assert.match(after!, /\ndemo +0 \* \* \* \* +Completed +True +\d+s +100216 +\S+ MB +2026-11-25T13:00:00Z/)
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

  it("tells why a backup failed, and that it is well when the cause is gone", () => {
    const tables = answers("kubectl get kafkabackups\n")
    assert.match(tables[2]!, /\nrefunds +Failed +False/)
    assert.match(
      answers("kubectl get kafkabackup refunds -o jsonpath")[0]!,
      /failed: the cluster has no topic refunds; create the topic/
    )
    assert.match(tables[3]!, /\nrefunds +Completed +True +\S+ +12 /)
  })

  it("proves and reads back what it stored, and ends with conditions and Events", () => {
    assert.match(told.out, /^OK demo-20261125-130000: 105,216 records in \d+ segments .* every checksum right$/m)
    assert.include(told.out, '"key":"order-1000"')
    const [described] = answers("kubectl describe kafkabackup refunds")
    assert.match(described!, /\n {2}Conditions:\n/)
    assert.match(described!, /\nEvents:\n[^]* BackupFailed [^]* BackupSucceeded /)
  })

  it("tells the same story again in the same directory", async () => {
    const again = await demo(directory)
    const withoutNumbers = (text: string) =>
      text.replaceAll(/^(Running|Completed) .*\n/gm, "").replaceAll(/\b\d+s\b/g, "")
    assert.strictEqual(again.exitCode, 0)
    assert.strictEqual(withoutNumbers(again.out).split("\n").length, withoutNumbers(told.out).split("\n").length)
  })

  it("does not touch a directory that is not its own", async () => {
    const foreign = join(folder, "foreign")
    mkdirSync(join(foreign, "volumes/backups/precious"), { recursive: true })
    writeFileSync(join(foreign, "backup.yaml"), "kind: KafkaBackup\n")
    const { err, exitCode } = await demo(foreign)
    assert.notStrictEqual(exitCode, 0)
    assert.include(err, "holds something that this demo did not put there")
    assert.isTrue(existsSync(join(foreign, "volumes/backups/precious")))
    assert.strictEqual(readFileSync(join(foreign, "backup.yaml"), "utf8"), "kind: KafkaBackup\n")
  })
})
