import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as VersionPlaces from "./VersionPlaces.ts"

/*
 * node scripts/versions.ts             writes the version of package.json wherever else it stands
 * node scripts/versions.ts --check     exits with 1 if another one stands somewhere
 *
 * `npm version 0.2.0` runs it, so that package.json is the one place where the version is chosen.
 */

const at = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))
const { version } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { readonly version: string }

for (const name of VersionPlaces.files) {
  const before = readFileSync(at(name), "utf8")
  const after = VersionPlaces.write(name, before, version)
  if (before === after) continue
  if (!process.argv.includes("--check")) writeFileSync(at(name), after)
  else {
    console.error(`${name} names another version than package.json, which has ${version}`)
    process.exitCode = 1
  }
}
