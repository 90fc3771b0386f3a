/** Thrown while a stored segment is read: what is wrong with it. `KbakReader` turns it into `SegmentDamaged`. */
export class SegmentCorruption extends Error {
  constructor(detail: string, cause?: unknown) {
    super(detail, cause === undefined ? {} : { cause })
  }
}
