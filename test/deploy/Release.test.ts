import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse } from "yaml"
import * as VersionPlaces from "../../scripts/VersionPlaces.ts"
import { version } from "../../src/version.ts"
import { root } from "./manifests.ts"

interface Step {
  readonly run?: string
  readonly uses?: string
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<
    Record<string, { readonly permissions?: Readonly<Record<string, string>>; readonly steps: ReadonlyArray<Step> }>
  >
}

const read = (...names: ReadonlyArray<string>) => readFileSync(join(root, ...names), "utf8")
const folder = join(root, ".github/workflows")
const workflows = readdirSync(folder).map((name) => [name, parse(read(".github/workflows", name)) as Workflow] as const)
const scripts = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts)

describe("a release", () => {
  it.each(workflows)("%s may read the repository, and each job says what else it may", (_, workflow) => {
    assert.deepStrictEqual(workflow.permissions, { contents: "read" })
  })

  it.each(workflows)("%s runs only scripts and files that are here", (_, workflow) => {
    const commands = Object.values(workflow.jobs).flatMap(({ steps }) => steps.map(({ run }) => run ?? ""))
    for (const command of commands) {
      for (const [, script = ""] of command.matchAll(/npm run (?:-s )?([\w-]+)/g)) assert.include(scripts, script)
      for (const [path] of command.matchAll(/(?:deploy|scripts|crds|\.ci)\/[\w./-]+/g)) {
        assert.isTrue(existsSync(join(root, path)), `${path} is missing`)
      }
    }
  })

  it("has one version, which `npm version` writes wherever else it stands", () => {
    for (const file of VersionPlaces.files) {
      const text = read(file)
      assert.strictEqual(VersionPlaces.write(file, text, version), text)
      const next = VersionPlaces.write(file, text, "9.8.7-rc.1")
      assert.notInclude(next, version, file)
      assert.include(next, "9.8.7-rc.1", file)
      assert.strictEqual(VersionPlaces.write(file, next, version), text)
    }
  })

  it("has the version everywhere after `npm version`, also in the chart", () => {
    const copy = mkdtempSync(join(tmpdir(), "kafka-backup-version-"))
    const run = (command: string, ...args: ReadonlyArray<string>) =>
      execFileSync(command, args, { cwd: copy, encoding: "utf8", stdio: "pipe" })
    try {
      for (const name of ["package.json", "package-lock.json", "deploy", "scripts", "crds"]) {
        cpSync(join(root, name), join(copy, name), { recursive: true })
      }
      const git = (...args: ReadonlyArray<string>) =>
        run("git", "-c", "user.name=test", "-c", "user.email=test@example.com", ...args)
      git("init", "--quiet")
      git("add", ".")
      git("commit", "--quiet", "--message", "before")
      run("npm", "version", "9.8.7", "--no-git-tag-version")
      run(process.execPath, "scripts/versions.ts", "--check")
      run(process.execPath, "scripts/chart.ts", "--check")
      const named = git("grep", "--files-with-matches", "--fixed-strings", "kafka-backup:9.8.7", "--", "deploy")
      assert.include(named.split("\n"), "deploy/helm/kafka-backup-operator/files/admission-policy.yaml")
      assert.include(run("cat", "deploy/helm/kafka-backup-operator/Chart.yaml"), 'appVersion: "9.8.7"')
      assert.strictEqual(git("diff", "--name-only", "--", "deploy"), "", "what changed is added to the commit")
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })

  it("is built by a job that may write nothing, and published by one that runs no code of the repository", () => {
    const { jobs } = parse(read(".github/workflows/release.yml")) as Workflow
    for (const { permissions, steps } of Object.values(jobs)) {
      const uses = steps.map((step) => step.uses ?? "")
      const commands = steps.map((step) => step.run ?? "").join("\n")
      const writes = Object.values(permissions ?? {}).includes("write")
      if (/\b(?:npm|node|bash) /.test(commands)) assert.isFalse(writes)
      if (permissions?.["contents"] === "write")
        assert.isFalse(uses.some((action) => action.startsWith("actions/checkout")))
    }
  })

  it("refuses a file in which the version no longer stands where it is looked for", () => {
    assert.throws(
      () => VersionPlaces.write("deploy/base/deployment.yaml", "image: other\n", "1.0.0"),
      /no longer holds/
    )
  })
})

describe("the list of parts", () => {
  it("names what the build put in, and Node.js, and nothing else", () => {
    const copy = mkdtempSync(join(tmpdir(), "kafka-backup-sbom-"))
    try {
      for (const name of ["package.json", "package-lock.json"]) cpSync(join(root, name), join(copy, name))
      mkdirSync(join(copy, "scripts"))
      cpSync(join(root, "scripts/sbom.ts"), join(copy, "scripts/sbom.ts"))
      mkdirSync(join(copy, "dist"))
      const line = `\n\n${"-".repeat(80)}\n\n`
      const locked = JSON.parse(read("package-lock.json")) as {
        packages: Readonly<Record<string, { readonly version: string }>>
      }
      const of = (name: string) => locked.packages[`node_modules/${name}`]!.version
      const notices = (...names: ReadonlyArray<string>) =>
        names.map((name) => `${name} ${of(name)} (MIT)\n\nThe licence.`).join(line)
      const sbom = () =>
        JSON.parse(execFileSync(process.execPath, ["scripts/sbom.ts"], { cwd: copy, encoding: "utf8" })) as {
          readonly specVersion: string
          readonly metadata: { readonly component: { readonly name: string; readonly version: string } }
          readonly components: ReadonlyArray<{ readonly name: string; readonly version: string }>
          readonly dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn: ReadonlyArray<string> }>
        }

      writeFileSync(join(copy, "dist/LICENSES.txt"), notices("effect", "kafkajs"))
      const bom = sbom()
      assert.strictEqual(bom.specVersion, "1.5")
      assert.deepInclude(bom.metadata.component, { name: "kafka-backup", version })
      const parts = bom.components.map((part) => `${part.name}@${part.version}`)
      assert.sameMembers(parts, [`effect@${of("effect")}`, `kafkajs@${of("kafkajs")}`, `node@${of("node")}`])
      const refs = bom.dependencies.map(({ ref }) => ref)
      for (const { dependsOn } of bom.dependencies) assert.includeMembers(refs, [...dependsOn])

      writeFileSync(join(copy, "dist/LICENSES.txt"), "left-pad 1.3.0 (WTFPL)\n\nThe licence.")
      assert.throws(sbom, /left-pad@1\.3\.0/)
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })
})
