import { join } from "node:path"
import { type JavaKafka, readDump } from "../harness/JavaKafka.ts"
import { type DigestedRecord, RecordDigest } from "../harness/RecordDigest.ts"

/** What a consumer reads of some topics, by partition, and what a compacted topic says last. */
export interface View {
  readonly digests: ReadonlyArray<{ readonly place: string; readonly records: number; readonly sha256: string }>
  /** Last value of each key; deleted keys are left out. */
  readonly last: ReadonlyArray<readonly [string, string]>
}

export interface ViewedRecord extends DigestedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const bytes = (text: string | null) => (text === null ? null : Buffer.from(text, "base64"))

/** Every committed record of these topics, by Kafka's own consumer; `folder` takes a file meanwhile. */
export async function* dumped(
  java: JavaKafka,
  folder: string,
  topics: ReadonlyArray<string>
): AsyncGenerator<ViewedRecord> {
  const file = join(folder, "dump")
  await java.dumpTo(file, ...topics)
  for await (const { headers, key, value, ...record } of readDump(file)) {
    yield {
      ...record,
      key: bytes(key),
      value: bytes(value),
      headers: headers.map(([name, content]) => [Buffer.from(name), bytes(content)] as const)
    }
  }
}

/** `topic/partition`. */
export const placeOf = ({ partition, topic }: ViewedRecord): string => `${topic}/${partition}`

/** Adds up records to a view, in the order of offsets within each partition. */
export class Viewing {
  readonly #compacted: string
  readonly #digests = new Map<string, RecordDigest>()
  readonly #last = new Map<string, string>()

  constructor(compacted: string) {
    this.#compacted = compacted
  }

  add(record: ViewedRecord): void {
    if (record.topic === this.#compacted) {
      const key = Buffer.from(record.key!).toString()
      if (record.value === null) this.#last.delete(key)
      else this.#last.set(key, Buffer.from(record.value).toString())
      return
    }
    const place = placeOf(record)
    const digest = this.#digests.get(place) ?? new RecordDigest()
    this.#digests.set(place, digest)
    digest.add(record)
  }

  end(): View {
    return {
      digests: [...this.#digests]
        .map(([place, digest]) => ({ place, records: digest.records, sha256: digest.hex() }))
        .toSorted((one, other) => (one.place < other.place ? -1 : 1)),
      last: [...this.#last].toSorted(([one], [other]) => (one < other ? -1 : 1))
    }
  }
}
