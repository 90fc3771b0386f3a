import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { exitCodes } from "../../src/outcome/ExitCodes.ts"
import * as Terminal from "./terminal.ts"

const manifest = (spec: string) => `apiVersion: kafka.oso.sh/v1alpha1
kind: KafkaBackup
metadata: {name: orders}
spec:
  kafkaCluster: {bootstrapServers: ["kafka:9092"]}
  topics: [orders]
  storage: {storageType: s3, s3: {bucket: backups, region: eu-west-1, credentialsSecret: {name: aws}}}
${spec}`

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
      assert.include(err, "not valid YAML")
    })
  )
})
