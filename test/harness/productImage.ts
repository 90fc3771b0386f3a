import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Recipe } from "../../scripts/services/OciImage.ts"

const build = fileURLToPath(new URL("../../scripts/build.ts", import.meta.url))

/** The libraries that programs of this machine are linked with, by the paths where they look for them. */
const libraries = (programs: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const listed = execFileSync("ldd", programs, { encoding: "utf8" })
  const paths = [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "")
  return Object.fromEntries(paths.filter((path) => existsSync(path)).map((path) => [path, path]))
}

/** An image of what `npm run build` makes, with Node and what both are linked with. The build in `folder` is the caller's to remove. */
export const productImage = (name: string): { readonly folder: string; readonly recipe: Recipe } => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-dist-"))
  execFileSync(process.execPath, [build, folder], { stdio: ["ignore", "ignore", "pipe"] })
  const built = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const compiled = built.filter((file) => file.endsWith(".node"))
  const recipe = {
    name,
    files: {
      ...libraries([process.execPath, ...compiled]),
      "usr/bin/node": process.execPath,
      ...Object.fromEntries(built.map((file) => [`app${file.slice(folder.length)}`, file]))
    },
    folders: ["tmp"],
    entrypoint: ["/usr/bin/node", "/app/kafka-backup.mjs"],
    user: "1000"
  }
  return { folder, recipe }
}
