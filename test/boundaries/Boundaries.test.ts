import { assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Imports that must not be: from a new file in a room to an existing one, and the rule that refuses it. */
const planted = [
  ["src/operator/Planted.ts", "src/worker/Memory.ts", "may-import-operator"],
  ["src/operator/Planted.ts", "src/worker/Memory.ts", "operator-cannot-reach-the-data"],
  // Two steps: the room in between may be imported, what it leads to may not.
  ["src/status/Planted.ts", "src/backup/Pruning.ts", "operator-cannot-reach-the-data"],
  ["src/status/Planted.ts", "src/restore/Restore.ts", "operator-cannot-reach-the-data"],
  ["src/status/Planted.ts", "src/RestoreWorker.ts", "operator-cannot-reach-the-data"],
  ["src/operator/restore/Planted.ts", "src/restore/RestorePlan.ts", "operator-cannot-reach-the-data"],
  ["src/operator/restore/Planted.ts", "src/schedule/Due.ts", "restores-have-no-schedule"],
  ["src/status/restore/Planted.ts", "src/schedule/Due.ts", "restores-have-no-schedule"],
  ["src/restore/groups/Planted.ts", "src/restore/Restore.ts", "groups-write-no-records"],
  ["src/restore/Planted.ts", "src/backup/Planning.ts", "may-import-restore"],
  ["src/worker/Planted.ts", "src/backup/Run.ts", "may-import-worker"],
  ["src/outcome/Planted.ts", "src/kafka/KafkaError.ts", "may-import-outcome"],
  ["src/schedule/Planted.ts", "src/status/Facts.ts", "may-import-schedule"],
  ["src/identity/Planted.ts", "src/schedule/Due.ts", "may-import-identity"],
  ["src/compression/Planted.ts", "src/kafka/batch/RecordBatch.ts", "may-import-compression"],
  ["src/kafka/Planted.ts", "src/storage/ObjectStore.ts", "may-import-kafka"],
  ["src/backup/Planted.ts", "src/kafka/memory/InMemoryCluster.ts", "kafka-adapters-behind-their-table"],
  ["src/cli/Planted.ts", "src/storage/S3ObjectStore.ts", "storage-adapters-behind-their-table"],
  ["src/segment/Planted.ts", "src/kafka/KafkaSource.ts", "segment-reads-batches-only"],
  ["src/manifest/Planted.ts", "src/segment/kbak/KbakReader.ts", "formats-behind-their-table"],
  // Formats and backends that are added later.
  ["src/segment/xyz/Planted.ts", "src/segment/kbak/KbakReader.ts", "formats-know-no-other-format"],
  ["src/manifest/Planted.ts", "src/segment/xyz/Planted.ts", "formats-behind-their-table"],
  ["src/storage/xyz/Planted.ts", "src/kafka/KafkaError.ts", "may-import-storage"],
  ["src/cli/Planted.ts", "src/storage/xyz/Planted.ts", "storage-adapters-behind-their-table"],
  ["src/plugin/Planted.ts", "src/cli/Resource.ts", "plugin-may-import"],
  ["src/plugin/Planted.ts", "src/cli/Resource.ts", "plugin-cannot-reach-the-data"],
  ["src/operator/Planted.ts", "src/plugin/Plugin.ts", "nothing-needs-the-plugin"],
  ["src/schedule/Slots.ts", "src/schedule/Planted.ts", "no-cycle"],
  ["src/schedule/Planted.ts", "src/schedule/Due.ts", "no-cycle"]
] as const

interface Violation {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
  readonly cycle?: ReadonlyArray<{ readonly name: string }>
}

/** Violations in a copy of the tree that holds the planted imports. */
const cruise = (): ReadonlyArray<Violation> => {
  const copy = mkdtempSync(join(tmpdir(), "kafka-backup-boundaries-"))
  try {
    for (const name of ["src", "package.json", "tsconfig.json", ".dependency-cruiser.mjs"]) {
      cpSync(join(root, name), join(copy, name), { recursive: true })
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
    const lines = new Map<string, Array<string>>()
    for (const [from, to] of planted) {
      const path = relative(join(from, ".."), to)
      const line = `import ${JSON.stringify(path.startsWith(".") ? path : `./${path}`)}\n`
      lines.set(from, [...(lines.get(from) ?? []), line])
    }
    // The operator needs a way to the room in between.
    lines.get("src/operator/Planted.ts")!.push(`import "../status/Planted.ts"\n`)
    for (const [file, content] of lines) {
      mkdirSync(dirname(join(copy, file)), { recursive: true })
      writeFileSync(join(copy, file), content.join(""), { flag: "a" })
    }
    const tool = join(root, "node_modules", "dependency-cruiser", "bin", "dependency-cruiser.mjs")
    const made = spawnSync(
      process.execPath,
      [tool, "src", "--config", ".dependency-cruiser.mjs", "--output-type", "json"],
      {
        cwd: copy,
        encoding: "utf8",
        maxBuffer: 256 * 1024 * 1024
      }
    )
    return (JSON.parse(made.stdout) as { readonly summary: { readonly violations: ReadonlyArray<Violation> } }).summary
      .violations
  } finally {
    rmSync(copy, { recursive: true })
  }
}

describe("the boundaries of the rooms", () => {
  let violations: ReadonlyArray<Violation> = []
  beforeAll(() => {
    violations = cruise()
  })

  it.each(planted)("refuse that %s imports %s (%s)", (from, to, rule) => {
    const found = violations.some(
      (violation) =>
        violation.rule.name === rule &&
        (violation.to === to
          ? // Who reaches what by way of another room is refused where the way begins.
            violation.from === from || violation.from.startsWith("src/operator/")
          : violation.cycle?.some(({ name }) => name === from) === true)
    )
    assert.isTrue(
      found,
      JSON.stringify(violations.filter((violation) => violation.from === from || violation.to === to))
    )
  })
})
