import { createHash } from "node:crypto"
import { Context, Effect, Predicate, Schema, Stream } from "effect"
import type { ObjectKey, ObjectStoreShape } from "../storage/ObjectStore.ts"
import { CatalogueError, DocumentUnreadable } from "./CatalogueError.ts"
import { Manifest, type ManifestPartition, type ManifestTopic } from "./Manifest.ts"

/*
 * Reads a manifest. It may name hundreds of thousands of segments, so that little of it is in memory at once: its text
 * is read a single time, is gone before what it says is checked, and its fingerprint is taken of its bytes.
 */

const mebibyte = 1024 * 1024

/** Longest manifest that is read, in bytes: that of a backup with some half a million segments. */
export const longest = 256 * mebibyte

/** The longest one for which this process has memory, in bytes. A longer one is not read, rather than died of. */
export const Affordable = Context.Reference<number>("kafka-backup/manifest/Affordable", {
  defaultValue: () => longest
})

/** What a manifest says. */
export interface Read {
  readonly manifest: Manifest
  /**
   * SHA-256 of the text without the list of documents: what the facts hold of a manifest that is as it was committed.
   * Undefined where the text does not end with such a list, as this program writes it.
   */
  readonly sealedSha256: string | undefined
}

/** The whole object, in memory of its own; undefined where it is longer. */
const bytesOf = Effect.fnUntraced(function* (store: ObjectStoreShape, key: ObjectKey, most: number) {
  const pieces: Array<Uint8Array> = []
  let length = 0
  // Read piece by piece: a file of another application may have this name and any size.
  yield* store.read(key).pipe(
    Stream.takeWhile((piece) => {
      length += piece.byteLength
      if (length <= most) pieces.push(piece)
      return length <= most
    }),
    Stream.runDrain
  )
  if (length > most) return undefined
  const bytes = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (let n = 0; n < pieces.length; n++) {
    bytes.set(pieces[n]!, at)
    at += pieces[n]!.byteLength
    pieces[n] = new Uint8Array()
  }
  return bytes
})

/** How a manifest is written: compact, or, in backups of before that, with indentation. */
const endOf = (documents: unknown, isIndented: boolean) => {
  const last = JSON.stringify({ kb_documents: documents }, null, isIndented ? 2 : 0).slice(1)
  return { listed: Buffer.from(`,${last}\n`), unlisted: isIndented ? "\n}\n" : "}\n" }
}

/**
 * See `Read.sealedSha256`. The text without the list is the text that was committed exactly if their hashes are equal,
 * and the list is as this program writes one: so the text need not be written again to be compared.
 */
const sealedSha256 = (bytes: Buffer, documents: unknown): string | undefined => {
  if (documents === undefined) return undefined
  const { listed, unlisted } = endOf(documents, bytes.subarray(0, 2).equals(Buffer.from("{\n")))
  const at = bytes.byteLength - listed.byteLength
  if (at < 0 || !bytes.subarray(at).equals(listed)) return undefined
  return createHash("sha256").update(bytes.subarray(0, at)).update(unlisted).digest("hex")
}

const decode = Schema.decodeUnknownSync(Manifest)

/** A topic by itself, as the only one of a manifest. */
const decodePart = (part: unknown): ManifestTopic | undefined =>
  decode({ backup_id: "", created_at: 0, topics: [part] }).topics[0]

/** The manifest in a value, which is taken apart meanwhile: it is not to be there twice. */
const takeApart = (value: unknown): Manifest => {
  if (!Predicate.isObject(value) || !("topics" in value) || !Array.isArray(value.topics)) return decode(value)
  const topics: Array<unknown> = value.topics
  const taken = topics.map((topic, n): ManifestTopic => {
    topics[n] = undefined
    if (!Predicate.isObject(topic) || !("partitions" in topic) || !Array.isArray(topic.partitions)) {
      return decodePart(topic)!
    }
    const parts: Array<unknown> = topic.partitions
    const partitions = parts.map((part, p): ManifestPartition => {
      parts[p] = undefined
      return decodePart({ name: "", partitions: [part] })!.partitions[0]!
    })
    return { ...decodePart({ ...topic, partitions: [] })!, partitions }
  })
  return { ...decode({ ...value, topics: [] }), topics: taken }
}

const firstLine = (text: string) => text.split("\n", 1)[0] ?? text

/** Reads a manifest. Fails with `DocumentUnreadable`, and as the store does. */
export const read = Effect.fn("ManifestFile.read")(function* (store: ObjectStoreShape, key: ObjectKey) {
  const unreadable = (detail: string) => new CatalogueError({ reason: new DocumentUnreadable({ key, detail }) })
  const affordable = yield* Affordable
  const most = Math.min(longest, affordable)
  const isLimited = most < longest
  // Else it would be read nearly to its end, for nothing.
  const bytes = isLimited && (yield* store.head(key)).size > most ? undefined : yield* bytesOf(store, key, most)
  if (bytes === undefined) {
    const detail = `it has more than ${Math.floor(most / mebibyte)} MiB`
    if (!isLimited) return yield* unreadable(detail)
    const limited = `${detail}, for which the memory limit is too small`
    return yield* new CatalogueError({ reason: new DocumentUnreadable({ key, detail: limited, isTooLarge: true }) })
  }
  return yield* Effect.try({
    try: (): Read => {
      const value: unknown = JSON.parse(bytes.toString("utf8"))
      const documents: unknown = Predicate.isObject(value) && "kb_documents" in value ? value.kb_documents : undefined
      const sha256 = sealedSha256(bytes, documents)
      // The memory is not shared, and V8 would give it back much later.
      bytes.buffer.transfer(0)
      return { manifest: takeApart(value), sealedSha256: sha256 }
    },
    catch: (error) => unreadable(firstLine(error instanceof Error ? error.message : String(error)))
  })
})

/** The text of a manifest with its list of documents, of that without: in pieces, since it is long. */
export const listing = (unlisted: Uint8Array, documents: Readonly<Record<string, string>>) => {
  const end = endOf(documents, false)
  return [unlisted.subarray(0, unlisted.byteLength - end.unlisted.length), end.listed]
}
