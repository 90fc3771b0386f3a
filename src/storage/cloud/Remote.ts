import type { Readable } from "node:stream"
import type { Effect } from "effect"
import type { ObjectStoreError, ObjectStoreReason } from "../ObjectStoreError.ts"
import type * as Pieces from "../Pieces.ts"

export type Operation = ObjectStoreError["operation"]

/** What a server says of one object; `name` is its whole name, prefix included. */
export interface Found {
  readonly name: string
  readonly size: number
  readonly fingerprint: string
  readonly modifiedMillis?: number
}

/** A part of a listing. */
export interface Page {
  readonly objects: ReadonlyArray<Found>
  /** Whole names that end with a slash. */
  readonly folders: ReadonlyArray<string>
  /** Absent: this was the last one. */
  readonly next?: string
}

/** An object's bytes from some position to its end, on their way. */
export interface Body {
  readonly stream: Readable
  /** How many bytes this body has. */
  readonly bytes: number
  readonly fingerprint: string
  /** Follows all bytes of a body that begins at the beginning, and says at the end why they are not what is stored. */
  readonly verifier?: {
    readonly update: (piece: Uint8Array) => void
    readonly refusal: () => string | undefined
  }
}

/** What is to be written. */
export interface Content {
  readonly pieces: Pieces.Pieces
  readonly size: number
  /** SHA-256 of all pieces, lower-case hex, checked; absent where nobody announced one. */
  readonly sha256?: string
}

/**
 * What differs from one cloud to the next: single requests on whole names, none of them repeated, their failures
 * translated. `CloudObjectStore` makes the port's promises of them.
 */
export interface Remote<Seen extends Found = Found> {
  /** For people: `gcs bucket kafka-backups, prefix production/hourly`. */
  readonly location: string
  /** What stands before every key in a whole name: nothing, or a prefix with a slash behind it. */
  readonly root: string
  /** After so many milliseconds without a byte a body that is being read counts as broken. */
  readonly idleMillis: number
  readonly error: (operation: Operation, reason: ObjectStoreReason) => ObjectStoreError
  /** Why no object can have this size, or undefined. */
  readonly sizeRefusal: (size: number) => string | undefined
  /** Readers see all of it or nothing; the server compares what arrived with a checksum that went along. */
  readonly put: (name: string, content: Content, ifAbsent: boolean) => Effect.Effect<Found, ObjectStoreError>
  /** True when the object holds this content, by the server's own checksum; undefined when the server keeps none. */
  readonly holds: (seen: Seen, content: Content) => boolean | undefined
  readonly head: (name: string) => Effect.Effect<Seen, ObjectStoreError>
  /** The body from byte `at`; with a fingerprint, of that content or `ContentMismatch`. */
  readonly body: (
    operation: "get" | "read",
    name: string,
    at: number,
    fingerprint: string | undefined
  ) => Effect.Effect<Body, ObjectStoreError>
  /** Names that start with `prefix`; with `foldersOnly` what follows the next slash is gathered into folders. */
  readonly page: (
    operation: "open" | "list",
    prefix: string,
    options: { readonly token?: string | undefined; readonly limit: number; readonly foldersOnly: boolean }
  ) => Effect.Effect<Page, ObjectStoreError>
  /** True when listings come in the order of the names' UTF-8 bytes; else they are collected and sorted. */
  readonly listsInOrder: boolean
  /** Missing objects may be reported as `ObjectNotFound`. */
  readonly remove: (name: string) => Effect.Effect<void, ObjectStoreError>
}
