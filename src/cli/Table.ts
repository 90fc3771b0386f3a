/** One column: its heading and the alignment of its cells. */
export interface Column {
  readonly heading: string
  readonly align?: "left" | "right"
}

/** Rows in aligned columns under their headings, two spaces apart, as kubectl prints them. */
export const format = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = columns.map((column, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), column.heading.length)
  )
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((cell, i) => (columns[i]?.align === "right" ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd()
  return [line(columns.map((column) => column.heading)), ...rows.map(line)].join("\n")
}

/** `name  value` lines, names padded to one width. */
export const facts = (pairs: ReadonlyArray<readonly [name: string, value: string]>): string => {
  const width = Math.max(0, ...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join("\n")
}
