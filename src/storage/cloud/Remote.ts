import type { Readable } from "node:stream"
import type { Effect } from "effect"
import type { ObjectRole } from "../ObjectStore.ts"
import type { Protection } from "../Protection.ts"
import type { ObjectStoreError, ObjectStoreReason, Operation } from "../ObjectStoreError.ts"
import type * as Pieces from "../Pieces.ts"

/** What a server says of one object; `name` is its whole name, prefix included. */
export interface Found {
  readonly name: string
  readonly size: number
  /** Absent where a server has none: then a broken read is taken up again by its length alone. */
  readonly fingerprint?: string
  readonly modifiedMillis?: number
  readonly protection?: Protection | null
}

/** A part of a listing. */
export interface Page {
  readonly objects: ReadonlyArray<Found>
  /** Whole names that end with a slash. */
  readonly folders: ReadonlyArray<string>
  /** Where to go on. Absent: this was the last one. Empty: more was announced, and no way to it. */
  readonly next?: string
}

/** An object's bytes from some position to its end, on their way. */
export interface Body {
  readonly stream: Readable
  /** How many bytes this body has. */
  readonly bytes: number
  readonly fingerprint?: string
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
  /**
   * SHA-256 of all pieces, lower-case hex; absent where nobody announced one and the server checks none. Compared with
   * the pieces already, unless the server does that.
   */
  readonly sha256?: string
  readonly role?: ObjectRole
}

/** What a server makes of objects that are removed. */
export interface Locks {
  /**
   * What protects the object from removal, by a request if it takes one; `ObjectNotFound` if it is not there. Fails
   * where objects may be locked and this identity may not see it.
   */
  readonly protection: (name: string) => Effect.Effect<Protection | undefined, ObjectStoreError>
  /** What to do about a lock that lasts. */
  readonly advice: string
  /** `ObjectStoreShape.afterlife`. */
  readonly afterlife: Effect.Effect<string | undefined>
}

/**
 * What differs from one store over HTTP to the next: single requests on whole names, none of them repeated, their
 * failures translated. `CloudObjectStore` makes the port's promises of them.
 */
export interface Remote<Seen extends Found = Found> {
  /** For people: `s3 bucket kafka-backups, prefix production/hourly`. */
  readonly location: string
  /** `ObjectStoreShape.storing`. */
  readonly storing?: string | undefined
  /** What stands before every key in a whole name: nothing, or a prefix with a slash behind it. */
  readonly root: string
  /** After so many milliseconds without a byte a body that is being read counts as broken. */
  readonly idleMillis: number
  readonly error: (operation: Operation, reason: ObjectStoreReason) => ObjectStoreError
  /**
   * True where the server itself compares what arrived with its SHA-256. Then every content has one: made where nobody
   * announced it, and not made a second time to compare it. Else an announced one is compared before anything is sent.
   */
  readonly checksSha256?: boolean
  /** Why no object can have this size, or undefined. */
  readonly sizeRefusal: (size: number) => string | undefined
  /** Readers see all of it or nothing; the server compares what arrived with a checksum that went along. */
  readonly put: (name: string, content: Content, ifAbsent: boolean) => Effect.Effect<Found, ObjectStoreError>
  /** `ObjectStoreShape.rehearse`. Absent: the server has no checksum that it refuses content by. */
  readonly rehearse?: (name: string, content: Content) => Effect.Effect<void, ObjectStoreError>
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
  /** Missing objects may be reported as `ObjectNotFound`. A locked one may be hidden: `protection` says so before. */
  readonly remove: (name: string) => Effect.Effect<void, ObjectStoreError>
  /** Absent: the server refuses to delete what it locks, and keeps nothing of what it deletes. */
  readonly locks?: Locks
}
