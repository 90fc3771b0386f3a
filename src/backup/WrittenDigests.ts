import { KeyedDigest } from "../segment/KeyedDigest.ts"
import type { ObjectKey } from "../storage/ObjectStore.ts"

/** Digests of the segments that this process has written where the store has no fingerprints, to read them back by. */
export interface WrittenDigests {
  /** Before the bytes are written, so that whatever happens to them since then is noticed. */
  readonly digest: (pieces: ReadonlyArray<Uint8Array>) => string | undefined
  /** The object was written; `digest` is what `digest` gave for it. */
  readonly written: (key: ObjectKey, digest: string | undefined, fingerprint: string | undefined) => void
  /** Of an object that this process has written. */
  readonly of: (key: string) => string | undefined
}

export const make = (): WrittenDigests => {
  const digests = new Map<string, string>()
  let hasFingerprints = false
  return {
    digest: (pieces) => {
      if (hasFingerprints) return undefined
      const digest = new KeyedDigest()
      for (const piece of pieces) digest.add(piece)
      return digest.end()
    },
    written: (key, digest, fingerprint) => {
      if (fingerprint !== undefined) hasFingerprints = true
      else if (digest !== undefined) digests.set(key, digest)
    },
    of: (key) => digests.get(key)
  }
}
