import { createHash, randomBytes } from "node:crypto"
import { Readable } from "node:stream"
import type { BlockBlobClient } from "@azure/storage-blob"
import { Effect } from "effect"
import type { Content } from "../cloud/Remote.ts"
import * as Writing from "../cloud/Writing.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import * as Pieces from "../Pieces.ts"
import type * as Storing from "./Storing.ts"

/** Content of up to this many bytes goes in one request; more goes in blocks of this size. */
export const blockBytes = 8 * 1024 * 1024

/** Blocks on their way at the same time: enough to fill a line, few enough to hold in buffers. */
const blocksAtOnce = 4

/** Largest blob: 50,000 blocks. Source: Azure Storage, scalability and performance targets for Blob storage. */
export const largestBytes = 50_000 * blockBytes

/** MD5 of all pieces: what the service checks content against. */
export const md5 = (pieces: Pieces.Pieces): Buffer => {
  const hash = createHash("md5")
  for (const piece of pieces) hash.update(piece)
  return hash.digest()
}

/** The same bytes as groups of views with `blockBytes` each, the last one less; nothing is copied. */
export const blocks = (pieces: Pieces.Pieces, size = blockBytes): ReadonlyArray<Pieces.Pieces> => {
  const all: Array<Array<Uint8Array>> = []
  let room = 0
  for (const piece of pieces) {
    for (let at = 0; at < piece.byteLength;) {
      if (room === 0) {
        all.push([])
        room = size
      }
      const view = piece.subarray(at, at + room)
      all.at(-1)?.push(view)
      at += view.byteLength
      room -= view.byteLength
    }
  }
  return all
}

/** What an accepted write answers. */
export interface Stored {
  readonly etag?: string | undefined
  readonly lastModified?: Date | undefined
  readonly versionId?: string | undefined
}

/** Sends one request with `bytes` of content. */
type Request = <A>(request: (signal: AbortSignal) => Promise<A>, bytes: number) => Effect.Effect<A, ObjectStoreError>

/** The SDK may ask for the body; it is destroyed whatever becomes of the request. */
const withBody = async <A>(
  pieces: Pieces.Pieces,
  use: (body: Buffer | (() => NodeJS.ReadableStream)) => Promise<A>
): Promise<A> => {
  const made: Array<Readable> = []
  const [only, ...more] = pieces
  if (more.length === 0) {
    return use(only === undefined ? Buffer.alloc(0) : Buffer.from(only.buffer, only.byteOffset, only.byteLength))
  }
  try {
    return await use(() => {
      const body = Writing.stream(pieces)
      made.push(body)
      return body
    })
  } finally {
    for (const body of made) body.destroy()
  }
}

/**
 * Writes a block blob: small content in one request; large content as staged blocks, which nobody sees until the
 * request that commits their list. Every request that carries content carries its MD5, so the service refuses what was
 * cut or altered on the way. Blocks that are never committed are dropped by the service after a week.
 */
export const upload = (
  blob: BlockBlobClient,
  content: Content,
  ifAbsent: boolean,
  storing: Storing.Options,
  request: Request
): Effect.Effect<Stored, ObjectStoreError> => {
  const conditions = ifAbsent ? { ifNoneMatch: "*" } : {}
  // Blocks are encrypted as the blob that they become.
  const scope = storing.encryptionScope === undefined ? {} : { encryptionScope: storing.encryptionScope }
  const blobContentType = "application/octet-stream"
  if (content.size <= blockBytes) {
    const contentMD5 = md5(content.pieces)
    return request(
      (abortSignal) =>
        withBody(content.pieces, (body) =>
          blob.upload(body, content.size, {
            ...storing,
            abortSignal,
            conditions,
            blobHTTPHeaders: { blobContentType, blobContentMD5: contentMD5 },
            transactionalContentMD5: contentMD5
          })
        ),
      content.size
    )
  }
  // Two writers of one name must not commit each other's blocks.
  const upload = randomBytes(16)
  const id = (index: number) => {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(index)
    return Buffer.concat([upload, number]).toString("base64")
  }
  const parts = blocks(content.pieces)
  return Effect.forEach(
    parts,
    (pieces, index) => {
      const size = Pieces.byteLength(pieces)
      return request(
        (abortSignal) =>
          withBody(pieces, (body) =>
            blob.stageBlock(id(index), body, size, { ...scope, abortSignal, transactionalContentMD5: md5(pieces) })
          ),
        size
      )
    },
    { concurrency: blocksAtOnce, discard: true }
  ).pipe(
    Effect.andThen(
      request(
        (abortSignal) =>
          blob.commitBlockList(
            parts.map((_, index) => id(index)),
            {
              ...storing,
              abortSignal,
              conditions,
              blobHTTPHeaders: { blobContentType },
              // An MD5 of the whole would be checked by nobody and cost as much as those of all blocks.
              ...(content.sha256 === undefined ? {} : { metadata: { sha256: content.sha256 } })
            }
          ),
        0
      )
    )
  )
}

/**
 * Sends the largest request that content of this size takes, one block, with an MD5 that is not its own: the service
 * refuses it at its end, and has nothing of it.
 */
export const rehearse = (
  blob: BlockBlobClient,
  content: Content,
  storing: Storing.Options,
  request: Request
): Effect.Effect<void, ObjectStoreError> => {
  const [pieces = []] = blocks(content.pieces)
  const size = Pieces.byteLength(pieces)
  const scope = storing.encryptionScope === undefined ? {} : { encryptionScope: storing.encryptionScope }
  const id = randomBytes(20).toString("base64")
  return Effect.asVoid(
    request(
      (abortSignal) =>
        withBody(pieces, (body) =>
          blob.stageBlock(id, body, size, { ...scope, abortSignal, transactionalContentMD5: Buffer.alloc(16) })
        ),
      size
    )
  )
}
