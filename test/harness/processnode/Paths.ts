import { basename, dirname } from "node:path"

/*
 * A process has no file system of its own as a container has, so what a container calls `/data` is a folder elsewhere,
 * and every mention of it has to be translated.
 */

/** Where a path of the container lies here. */
export interface Mapping {
  readonly containerPath: string
  readonly hostPath: string
}

/**
 * The mappings, and what follows from them for the folders above: where `/volumes/backups` is `/here/backups`,
 * `/volumes` is `/here`. A container's top-level folders are never mapped so.
 */
export const withParents = (mappings: ReadonlyArray<Mapping>): ReadonlyArray<Mapping> => {
  const known = new Map(mappings.map(({ containerPath, hostPath }) => [normalize(containerPath), hostPath]))
  for (const { containerPath, hostPath } of mappings) {
    let [inside, here] = [normalize(containerPath), hostPath]
    while (basename(inside) === basename(here)) {
      inside = dirname(inside)
      here = dirname(here)
      if (dirname(inside) === "/" || known.has(inside)) break
      known.set(inside, here)
    }
  }
  return [...known].map(([containerPath, hostPath]) => ({ containerPath, hostPath }))
}

const normalize = (path: string): string => path.replace(/\/+$/, "")

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/**
 * Replaces every path that is one of the mappings' or below it; the longest mapping counts. `/data` is meant by
 * `--to=/data/x`, `"/data"` and `file:///data`, but not by `/database`, `s3://bucket/data` or `/other/data`.
 */
export const translated = (text: string, mappings: ReadonlyArray<Mapping>): string => {
  if (mappings.length === 0) return text
  const longestFirst = mappings
    .map(({ containerPath, hostPath }) => ({ from: normalize(containerPath), to: hostPath }))
    .toSorted((one, other) => other.from.length - one.from.length)
  const any = longestFirst.map(({ from }) => escaped(from)).join("|")
  const paths = new RegExp(String.raw`(?<=^|[^\w.\-/]|:\/\/)(?:${any})(?![\w\-]|\.\w)`, "g")
  return text.replaceAll(paths, (found) => longestFirst.find(({ from }) => from === found)?.to ?? found)
}
