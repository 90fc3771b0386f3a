import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const read = (path: string): string => readFileSync(join(root, path), "utf8")

/** Files below a folder that end so, as paths from the root. */
export const filesBelow = (folder: string, ending: string): ReadonlyArray<string> =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(ending) && !name.includes("node_modules"))
        .map((name) => `${folder}/${name}`)
        .toSorted()
    : []

/** Folders and files directly below the root that are kept in the repository. `dist` is made by `npm run build`. */
const topLevel = new Set(readdirSync(root).filter((name) => !["node_modules", ".git", "dist", ".cache"].includes(name)))

/** The rooms of src, and the files beside them. */
export const rooms: ReadonlyArray<string> = readdirSync(join(root, "src")).toSorted()

/** Every folder of src that holds code, as a path from src. */
export const folders: ReadonlyArray<string> = [
  ...new Set(filesBelow("src", ".ts").map((file) => file.slice("src/".length).split("/").slice(0, -1).join("/")))
].filter((folder) => folder !== "")

/** Names of examples in guides; nothing of theirs is meant to exist. */
const placeholder = /xyz/i

/** A file or folder that a text in backquotes names, or undefined where the text is something else. */
export const pathIn = (quoted: string): string | undefined => {
  const [first = ""] = quoted.split("/")
  const isPath =
    /^\.?[\w.-]+(\/[\w.*-]+)*\/?$/.test(quoted) && (quoted.includes("/") || /\.(ts|mjs|json|md)$/.test(quoted))
  const isOurs = topLevel.has(first) || rooms.includes(first) || /\.(ts|mjs)$/.test(quoted)
  return isPath && isOurs && !placeholder.test(quoted) ? quoted.replace(/\/$/, "") : undefined
}

/** True for a path from the root or from src, with or without `.ts`, and for the end of a path with `.ts`. */
export const exists = (path: string): boolean =>
  [path, `${path}.ts`, `src/${path}`, `src/${path}.ts`].some((candidate) => existsSync(join(root, candidate))) ||
  (path.endsWith(".ts") && ["src", "test", "scripts", "bench"].some((top) => ends(top, path)))

const ends = (folder: string, path: string): boolean =>
  filesBelow(folder, ".ts").some((name) => name.endsWith(`/${path}`))

/** What stands in backquotes outside of blocks of code. */
export const quotedIn = (page: string): ReadonlyArray<string> =>
  [...page.replaceAll(/^ *```[^]*?^ *```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!)

/** The rows of every table of a page, as cells; without heads. */
export const rowsIn = (page: string): ReadonlyArray<ReadonlyArray<string>> =>
  page
    .split("\n")
    .filter(
      (line, index, lines) =>
        line.startsWith("|") && !/^\|[ -]+\|/.test(lines[index + 1] ?? "") && !/^\|[ |-]+$/.test(line)
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim())
    )

/** The part of a page below a heading, up to the next one of the same rank. */
export const section = (page: string, heading: string): string => {
  const [, below] = page.split(`\n## ${heading}\n`)
  if (below === undefined) throw new Error(`there is no heading ${heading}`)
  return below.split("\n## ")[0]!
}
