/** The width of a column: its longest cell plus `padding`, at least `minWidth`. */
export interface Style {
  readonly padding: number
  readonly minWidth: number
}

/** The tables of `kubectl get`. */
export const table: Style = { padding: 3, minWidth: 6 }

/** The fields of `kubectl describe`. */
export const description: Style = { padding: 2, minWidth: 0 }

/** The cells of one line. The last one is never padded, so a line of one cell has no column. */
export type Line = ReadonlyArray<string>

/**
 * Lines of cells as text, aligned as by kubectl: a column spans consecutive lines that have it and is as wide as its
 * longest cell there; a line without the column ends it. Trailing spaces are removed.
 */
export const format = (lines: ReadonlyArray<Line>, { minWidth, padding }: Style): string => {
  const text: Array<string> = []
  const hasColumn = (line: Line | undefined, column: number) => line !== undefined && column < line.length - 1

  const write = (from: number, until: number, widths: ReadonlyArray<number>) => {
    for (const line of lines.slice(from, until))
      text.push(
        line
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("")
          .trimEnd()
      )
  }

  const block = (from: number, until: number, widths: ReadonlyArray<number>) => {
    let unwritten = from
    for (let at = from; at < until;) {
      if (!hasColumn(lines[at], widths.length)) {
        at++
        continue
      }
      write(unwritten, at, widths)
      const begin = at
      let width = minWidth
      for (; at < until && hasColumn(lines[at], widths.length); at++) {
        width = Math.max(width, lines[at]![widths.length]!.length + padding)
      }
      block(begin, at, [...widths, width])
      unwritten = at
    }
    write(unwritten, until, widths)
  }

  block(0, lines.length, [])
  return text.join("\n")
}
