import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as Terminal from "./terminal.ts"

const manifest = (spec: string) => `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata: {name: orders}
spec:
  schedule: "0 2 * * *"
  kafkaCluster: {bootstrapServers: ["kafka:9092"]}
  topics: [orders]
  storage: {storageType: s3, s3: {bucket: backups, region: eu-west-1, credentialsSecret: {name: aws}}}
${spec}`

/** Converts into files of the folder `ours`; `look` sees that folder, and how the command ended. */
const intoFiles = <A>(text: string, look: (ours: string, typed: Terminal.Typed) => A, prepare?: typeof mkdirSync) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "kafka-backup-convert-"))),
    (folder) => {
      const [file, ours] = [join(folder, "theirs.yaml"), join(folder, "ours")]
      writeFileSync(file, text)
      prepare?.(ours)
      return Effect.map(Terminal.type("convert", "-f", file, "--output-dir", ours), (typed) => look(ours, typed))
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ).pipe(Effect.provide(Terminal.layer))

const converted = (text: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "kafka-backup-convert-"))),
    (folder) => {
      const file = join(folder, "theirs.yaml")
      writeFileSync(file, text)
      return Terminal.type("convert", "-f", file)
    },
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ).pipe(Effect.provide(Terminal.layer))

describe("kafka-backup convert", () => {
  it.effect("prints a manifest that can be applied, and says that nothing has to be decided", () =>
    Effect.gen(function* () {
      const { err, exitCode, out } = yield* converted(manifest("  checkpoint: {intervalSecs: 60}\n"))
      assert.strictEqual(exitCode, exitCodes.success)
      assert.include(out, "checkpointIntervalSecs: 60\n")
      assert.include(out, "accessKeyKey: AWS_ACCESS_KEY_ID\n")
      assert.strictEqual(err, "KafkaBackup orders\n  converted; nothing to decide\n")
    })
  )

  it.effect("ends with 10 where a person has to decide, and prints the manifest all the same", () =>
    Effect.gen(function* () {
      const { err, exitCode, out } = yield* converted(manifest("  continuous: true\n"))
      assert.strictEqual(exitCode, exitCodes.invalidManifest)
      assert.include(out, "kind: KafkaBackup\n")
      assert.match(err, /decide, and edit the manifest:\n {4}spec\.continuous: has no counterpart/)
    })
  )

  it.effect("names a file that is no manifest", () =>
    Effect.gen(function* () {
      const { err, exitCode, out } = yield* converted("a: [")
      assert.strictEqual(exitCode, exitCodes.invalidManifest)
      assert.strictEqual(out, "")
      assert.match(err, /line 1, column \d+: not valid YAML: /)
    })
  )

  it.effect("writes each manifest into a file of its own, which check reads, and prints their names", () =>
    intoFiles(
      `${manifest("")}---\n${manifest("")}---\n${manifest("").replace("{name: orders}", "{name: ../../escape, namespace: shop}")}`,
      (ours, { exitCode, out }) => {
        const names = ["kafkabackup-orders.yaml", "kafkabackup-orders-2.yaml", "kafkabackup-shop-.._.._escape.yaml"]
        assert.strictEqual(exitCode, exitCodes.invalidManifest)
        assert.sameMembers(readdirSync(ours), names)
        assert.strictEqual(out, names.map((name) => `${join(ours, name)}\n`).join(""))
        for (const name of names.slice(0, 2)) {
          const read = ManifestParser.parse(readFileSync(join(ours, name), "utf8"))
          assert.isTrue(Result.isSuccess(read), name)
        }
      }
    )
  )

  it.effect("writes nothing over what is there", () =>
    intoFiles(
      manifest(""),
      (ours, { err, exitCode, out }) => {
        assert.strictEqual(exitCode, exitCodes.usage)
        assert.include(err, `--output-dir ${ours}: exists already`)
        assert.strictEqual(out, "")
        assert.deepStrictEqual(readdirSync(ours), [])
      },
      mkdirSync
    )
  )

  it.effect("names what is left out because it has done its work, and succeeds", () =>
    Effect.gen(function* () {
      const { err, exitCode, out } = yield* converted(`apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaRestore
metadata: {name: incident}
spec: {backupRef: {name: orders}, kafkaCluster: {bootstrapServers: ["kafka:9092"]}}
status: {phase: Completed}
`)
      assert.strictEqual(exitCode, exitCodes.success)
      assert.strictEqual(out, "")
      assert.match(err, /^KafkaRestore incident\n {2}left out:\n {4}status\.phase: was Completed: it was left out/)
    })
  )
})
