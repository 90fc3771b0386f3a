import type { ManifestSegment } from "../manifest/Manifest.ts"

/*
 * A backup that builds on others names all their segments, and its manifest must be read whole. Where there are too
 * many, the partitions that consist of small segments are read in full: they come back as few large ones.
 */

/**
 * How many segments a backup takes over at most, as far as reading again makes them fewer: some 370 bytes of the
 * manifest for each are 53 MiB, a fifth of the longest manifest that is read.
 */
export const mostTakenOver = 150_000

/**
 * How many are taken over where a backup of `mostOpened` segments can be opened again: the next one names what is new,
 * too. Pure.
 */
export const within = (mostOpened: number): number => Math.min(mostTakenOver, Math.floor((mostOpened * 3) / 4))

/** What could be taken over of one partition. */
export interface Part {
  readonly segments: ReadonlyArray<Pick<ManifestSegment, "uncompressed_size">>
}

/** How many segments there would be, about, if the partition was read again. */
const whenReadAgain = ({ segments }: Part, segmentBytes: number): number =>
  Math.ceil(segments.reduce((sum, { uncompressed_size = segmentBytes }) => sum + uncompressed_size, 0) / segmentBytes)

/**
 * The partitions that are to be read in full, so that no more than `most` segments are taken over: those that become
 * most segments fewer come first. A partition that would keep more than half of its segments is never among them, since
 * it would be read again each time. `segmentBytes` is the size of a full segment, in bytes of its record stream.
 */
export const beyond = <P extends Part>(
  parts: ReadonlyArray<P>,
  segmentBytes: number,
  most: number
): ReadonlyArray<P> => {
  let left = parts.reduce((sum, { segments }) => sum + segments.length, 0)
  if (left <= most) return []
  const found: Array<P> = []
  const fewer = parts
    .map((part) => ({ part, saved: part.segments.length - whenReadAgain(part, segmentBytes) }))
    .filter(({ part, saved }) => saved > 0 && 2 * saved >= part.segments.length)
    .toSorted((a, b) => b.saved - a.saved)
  for (const { part } of fewer) {
    if (left <= most) break
    left -= part.segments.length
    found.push(part)
  }
  return found
}
