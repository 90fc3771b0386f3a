/** Splits a text that arrives in pieces into lines. */
export interface Lines {
  /** The lines that this piece completes. */
  readonly take: (piece: Uint8Array) => ReadonlyArray<string>
}

/** A line ends with a newline; the rest after a broken connection is dropped. */
export const make = (): Lines => {
  const decoder = new TextDecoder()
  let rest: Array<string> = []
  return {
    take: (piece) => {
      const parts = decoder.decode(piece, { stream: true }).split("\n")
      const [first = "", ...others] = parts
      rest.push(first)
      if (others.length === 0) return []
      const lines = [rest.join(""), ...others]
      rest = [lines.pop() ?? ""]
      return lines.filter((line) => line.trim() !== "")
    }
  }
}
