/** Thrown while a file is read: it is not an array of objects. */
export class Malformed extends Error {}

/** Longest text of one object, in bytes: a record of more than Kafka's brokers take, in base64. */
const longestObject = 1024 * 1024 * 1024

const [quote, backslash, open, close, comma, begin, end] = [...'"\\{},[]'].map((one) => one.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number
]

const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9

/** Cuts a JSON array of objects, which comes in pieces, into the texts of its objects. Keeps one incomplete object. */
export class JsonObjects {
  #state: "before" | "between" | "inside" | "after" = "before"
  /** Braces and brackets that are open inside of the object. */
  #depth = 0
  #inString = false
  #escaped = false
  #parts: Array<Buffer> = []
  #bytes = 0

  /** The objects that this piece completes. */
  push(piece: Buffer): ReadonlyArray<string> {
    const texts: Array<string> = []
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!
      if (this.#state !== "inside") {
        if (this.#outside(byte)) {
          start = at
          this.#state = "inside"
          this.#depth = 1
        }
        continue
      }
      if (!this.#closes(byte)) continue
      texts.push(this.#taken(piece.subarray(start, at + 1)))
      this.#state = "between"
    }
    if (this.#state === "inside") {
      this.#parts.push(piece.subarray(start))
      this.#bytes += piece.length - start
      if (this.#bytes > longestObject) throw new Malformed("has a record that is too long")
    }
    return texts
  }

  /** To be called after the last piece. */
  end(): void {
    if (this.#state !== "after") throw new Malformed("ends in the middle of its records")
  }

  /** True where an object begins. */
  #outside(byte: number): boolean {
    if (isSpace(byte)) return false
    if (this.#state === "before" && byte === begin) this.#state = "between"
    else if (this.#state === "between" && byte === open) return true
    else if (this.#state === "between" && byte === end) this.#state = "after"
    else if (this.#state !== "between" || byte !== comma) throw new Malformed("is not an array of records")
    return false
  }

  /** True where the object ends. */
  #closes(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === backslash) this.#escaped = true
      else if (byte === quote) this.#inString = false
      return false
    }
    if (byte === quote) this.#inString = true
    else if (byte === open || byte === begin) this.#depth++
    else if (byte === close || byte === end) this.#depth--
    return this.#depth === 0
  }

  #taken(last: Buffer): string {
    const text = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last])
    this.#parts = []
    this.#bytes = 0
    return text.toString("utf8")
  }
}
