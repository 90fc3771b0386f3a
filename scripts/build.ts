import { spawnSync } from "node:child_process"
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import * as Plugin from "./plugin/Bundle.ts"

/*
 * npm run build [-- DIR]
 *
 * Writes dist/, or DIR: everything that `node dist/kafka-backup.mjs` and `import "kafka-backup-operator/testing"` need
 * on this platform, without node_modules; and the plugin of kubectl, one file for every platform. Nothing is minified:
 * it starts as fast either way, and stack traces with function names are worth the kilobytes.
 */

const root = fileURLToPath(new URL("..", import.meta.url))
const dist = resolve(process.argv[2] ?? join(root, "dist"))

/** Packages that load a compiled library from their own folder: copied, not bundled. */
const natives = ["@node-rs/crc32", "lz4-napi", "snappy"]

/** Refuses an old Node with a clear message. */
const launcher = `#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import("./main.mjs")
} else {
  process.stderr.write(\`kafka-backup: Node 24 or newer is needed, this is \${process.version}\\n\`)
  process.exitCode = 1
}
`

interface Package {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const packageIn = (folder: string): Package => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package

/** A package and its compiled library for this platform. */
const withLibrary = (name: string): ReadonlyArray<string> => {
  const folder = join(root, "node_modules", name)
  const libraries = Object.keys(packageIn(folder).optionalDependencies ?? {})
    .map((library) => join(root, "node_modules", library))
    .filter((library) => existsSync(library))
  if (libraries.length === 0)
    throw new Error(`${name} has no library for ${process.platform}-${process.arch}: run npm ci`)
  return [folder, ...libraries]
}

/**
 * The package's folder for `…/node_modules/a/src/b.js` or `…/node_modules/@x/a/b.js`; undefined for the project's
 * files.
 */
const packageOf = (file: string): string | undefined =>
  /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file.replace(/^\0/, "").replace(/\?.*$/, ""))?.[0]

/** Names and licence texts of the bundled packages; most licences require them. */
const notices = (folders: Iterable<string>): string =>
  [...new Set(folders)]
    .filter((folder) => existsSync(join(folder, "package.json")))
    .toSorted()
    .map((folder) => {
      const { license, name, version } = packageIn(folder)
      const texts = readdirSync(folder)
        .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
        .map((file) => readFileSync(join(folder, file), "utf8").trim())
      return [`${name} ${version}${license === undefined ? "" : ` (${license})`}`, ...texts].join("\n\n")
    })
    .join(`\n\n${"-".repeat(80)}\n\n`)

const sizeOf = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((bytes, name) => bytes + sizeOf(join(path, name)), 0)
    : statSync(path).size

const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1000).toLocaleString("en-US")} kB`.padStart(10)

rmSync(dist, { recursive: true, force: true })
const { output } = await build({
  cwd: root,
  input: { main: "src/main.ts", "testing/index": "src/testing/index.ts" },
  platform: "node",
  external: natives,
  // Modules that are imported on demand, such as the AWS SDK, become chunks of their own.
  output: { dir: dist, format: "esm", entryFileNames: "[name].mjs", chunkFileNames: "chunks/[name]-[hash].mjs" }
})
writeFileSync(join(dist, "kafka-backup.mjs"), launcher, { mode: 0o755 })

const plugin = await Plugin.write(root, join(dist, "plugin"))
const isFolder = (folder: string | undefined): folder is string => folder !== undefined
writeFileSync(join(dist, "plugin", "LICENSES.txt"), `${notices(plugin.map(packageOf).filter(isFolder))}\n`)

const tsc = join(root, "node_modules/typescript/bin/tsc")
const types = ["-p", join(root, "scripts/types.tsconfig.json"), "--outDir", join(dist, "testing/types")]
const typed = spawnSync(process.execPath, [tsc, ...types], { cwd: root, encoding: "utf8" })
if (typed.status !== 0) throw new Error(`the types of kafka-backup-operator/testing do not compile:\n${typed.stdout}`)

const copied = natives.flatMap(withLibrary)
for (const folder of copied) {
  cpSync(folder, join(dist, relative(root, folder)), {
    recursive: true,
    filter: (file) => !/\.d\.ts$|README\.md$/.test(file)
  })
}

const bundled = output.flatMap((part) => (part.type === "chunk" ? part.moduleIds.map(packageOf) : []))
writeFileSync(join(dist, "LICENSES.txt"), `${notices([...copied, ...bundled.filter(isFolder)])}\n`)

const parts = [
  ["kafka-backup.mjs", "the command: node dist/kafka-backup.mjs --help"],
  ["main.mjs", "the code of the command"],
  ["plugin", "kubectl kafka-backup, for any platform with Node: put kubectl-kafka_backup into the PATH"],
  ["testing", "kafka-backup-operator/testing, for users' tests"],
  ["chunks", "code that both share, and code loaded on demand, such as the AWS SDK"],
  ["node_modules", `compiled libraries for ${process.platform}-${process.arch}`],
  ["LICENSES.txt", "licences of the bundled packages"]
] as const
for (const [part, what] of parts) console.log(`${kilobytes(sizeOf(join(dist, part)))}  dist/${part.padEnd(18)}${what}`)
console.log(`${kilobytes(sizeOf(dist))}  in total`)
