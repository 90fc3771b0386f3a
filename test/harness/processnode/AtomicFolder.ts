import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** Content of a file by its path in a volume. */
export type Files = ReadonlyMap<string, { readonly bytes: Buffer; readonly mode: number }>

const same = (one: Files, other: Files): boolean =>
  one.size === other.size &&
  [...one].every(([path, { bytes, mode }]) => {
    const file = other.get(path)
    return file !== undefined && file.mode === mode && file.bytes.equals(bytes)
  })

/**
 * A folder whose files all change at one moment, as the kubelet's do: they are links through `..data`, which is a link
 * to a folder that is never changed.
 */
export class AtomicFolder {
  readonly path: string
  #files: Files | undefined
  #version = 0

  constructor(path: string) {
    this.path = path
    mkdirSync(path, { recursive: true })
  }

  /** Makes the folder hold these files. True when that changed anything. */
  hold(files: Files): boolean {
    if (this.#files !== undefined && same(this.#files, files)) return false
    const name = `..version_${++this.#version}`
    const folder = join(this.path, name)
    mkdirSync(folder)
    for (const [path, { bytes, mode }] of files) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
      chmodSync(file, mode)
    }
    symlinkSync(name, join(this.path, "..data_tmp"))
    renameSync(join(this.path, "..data_tmp"), join(this.path, "..data"))
    this.#link(new Set([...files.keys()].map((path) => path.split("/")[0] ?? path)))
    if (this.#version > 1) rmSync(join(this.path, `..version_${this.#version - 1}`), { recursive: true })
    this.#files = files
    return true
  }

  #link(tops: ReadonlySet<string>): void {
    const present = readdirSync(this.path).filter((name) => !name.startsWith(".."))
    for (const name of present) if (!tops.has(name)) rmSync(join(this.path, name))
    for (const name of tops) {
      const link = join(this.path, name)
      if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(join("..data", name), link)
    }
  }
}
