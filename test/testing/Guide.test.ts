import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const guide = readFileSync(join(root, "docs/guides/testing.md"), "utf8")

const blocks = (language: string): ReadonlyArray<string> =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, code]) => code!)

const ofRunner = (runner: string) => blocks("ts").filter((code) => code.includes(`from "${runner}"`))

let project: string

/** A user's project: the package, vitest, and the files of the guide. */
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "kafka-backup-guide-"))
  const modules = join(project, "node_modules")
  const ours = join(modules, "kafka-backup-operator")
  mkdirSync(ours, { recursive: true })
  symlinkSync(join(root, "node_modules/vitest"), join(modules, "vitest"))
  writeFileSync(
    join(ours, "package.json"),
    JSON.stringify({ type: "module", exports: { "./testing": "./testing.mjs" } })
  )
  writeFileSync(
    join(ours, "testing.mjs"),
    `export * from ${JSON.stringify(new URL("../../src/testing/index.ts", import.meta.url).href)}\n`
  )
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }))
  writeFileSync(join(project, "backup.yaml"), blocks("yaml")[0]!)
  for (const runner of ["vitest", "node:test"]) {
    ofRunner(runner).forEach((code, i) => {
      const ending = runner === "vitest" ? "test" : "nodetest"
      writeFileSync(join(project, `example-${i + 1}.${ending}.ts`), code)
    })
  }
})
afterAll(() => rmSync(project, { recursive: true, force: true }))

const tests = (code: ReadonlyArray<string>) => code.join("\n").match(/^test\(/gm)?.length ?? 0

describe("docs/guides/testing.md", () => {
  it("has examples that pass under vitest as they stand", () => {
    const vitest = join(root, "node_modules/vitest/vitest.mjs")
    const done = spawnSync(process.execPath, [vitest, "run", "--root", project, "--reporter", "tap-flat"], {
      cwd: project,
      encoding: "utf8"
    })
    const passed = done.stdout.match(/^ok /gm)?.length
    assert.deepStrictEqual([done.status, passed], [0, tests(ofRunner("vitest"))], done.stdout + done.stderr)
  })

  it("has examples that pass under node:test as they stand", () => {
    const done = spawnSync(process.execPath, ["--test", "--test-reporter", "tap", "*.nodetest.ts"], {
      cwd: project,
      encoding: "utf8",
      env: { ...process.env, NODE_TEST_CONTEXT: undefined }
    })
    assert.strictEqual(done.status, 0, done.stdout + done.stderr)
    assert.include(done.stdout, `# pass ${tests(ofRunner("node:test"))}`)
  })

  it("runs every example of its own", () => {
    assert.strictEqual(ofRunner("vitest").length + ofRunner("node:test").length, blocks("ts").length)
    assert.isAbove(tests(blocks("ts")), 5)
  })
})
