import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Cache from "./services/Cache.ts"

/*
 * node scripts/lockfile.ts [--check]        run it after every `npm install` that changes package-lock.json
 *
 * npm leaves a platform's optional package out of the lock file if the registry in use does not have it, and `npm ci`
 * then refuses that lock file on every platform. This script adds the missing entries: the version from the dependent's
 * exact pin, the platform from the name. Such an entry has no integrity; it is only fetched on its own platform.
 */

interface Entry {
  readonly version?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

interface Lock {
  packages: Record<string, Entry>
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"]

/** npm's platform fields for a name such as `@scope/binding-linux-x64-musl`. */
const platformOf = (name: string) => {
  const words = name.split(/[-/]/)
  const os = systems.filter((system) => words.includes(system))
  const cpu = processors.filter((processor) => words.includes(processor))
  if (cpu.length === 0 || (os.length === 0 && !cpu.includes("wasm32"))) return undefined
  const libc = words.some((word) => word.startsWith("musl")) ? "musl" : "glibc"
  return {
    ...(os.length === 0 ? {} : { os }),
    cpu,
    ...(os.includes("linux") && words.some((word) => /^(gnu|musl)/.test(word)) ? { libc: [libc] } : {})
  }
}

/** The path at which Node finds `name` from the package at `from`; undefined if there is none. */
const resolve = (packages: Lock["packages"], from: string, name: string): string | undefined => {
  for (let base = from; ;) {
    const candidate = `${base === "" ? "" : `${base}/`}node_modules/${name}`
    if (packages[candidate] !== undefined) return candidate
    if (base === "") return undefined
    base = base.slice(0, Math.max(0, base.lastIndexOf("node_modules/") - 1))
  }
}

const file = join(Cache.root, "package-lock.json")
const lock = JSON.parse(readFileSync(file, "utf8")) as Lock
const added: Array<string> = []
const unclear: Array<string> = []
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (!/^\d/.test(version)) continue
    const found = resolve(lock.packages, path, name)
    if (found !== undefined && lock.packages[found]?.version === version) continue
    const platform = platformOf(name)
    if (platform === undefined) {
      unclear.push(`${name}@${version}`)
      continue
    }
    const missing = `${found === undefined || path === "" ? "" : `${path}/`}node_modules/${name}`
    const isDev = entry.dev === true ? { dev: true } : {}
    lock.packages[missing] = { version, ...platform, ...isDev, optional: true }
    added.push(missing)
  }
}

const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, "en"))
if (unclear.length > 0) {
  console.log(`the platform is not known for ${unclear.join(", ")}`)
  process.exitCode = 1
} else if (process.argv.includes("--check")) {
  for (const missing of added) console.log(`missing: ${missing}`)
  if (added.length > 0) process.exitCode = 1
} else if (added.length > 0) {
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
}
console.log(`${added.length} entries ${process.argv.includes("--check") ? "missing" : "added"}`)
