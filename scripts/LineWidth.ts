/** Longest line of a comment or a page, in characters; the formatter's printWidth for code (.oxfmtrc.json). */
export const maxWidth = 120

/** A line that is too long. */
export interface LongLine {
  /** Counted from 1. */
  readonly line: number
  readonly width: number
}

/** Targets of links cannot be broken, so they do not count. */
const withoutLinks = (line: string): string =>
  line.replaceAll(/\]\([^)]*\)/g, "]()").replaceAll(/https?:\/\/[^\s)>]+/g, "")

/** Pages that a script writes say so in a comment. */
const isGenerated = (text: string): boolean => text.includes("<!-- Made by ")

const isFence = (line: string): boolean => /^\s*(```|~~~)/.test(line)
const isTable = (line: string): boolean => /^\s*\|/.test(line)
const isComment = (line: string): boolean => /^\s*(\/\/|\/\*|\*)/.test(line)

/** Numbers of the lines of a page that are prose: no tables, no code. */
const prose = (lines: ReadonlyArray<string>): ReadonlySet<number> => {
  const numbers = new Set<number>()
  let isCode = false
  for (const [index, line] of lines.entries()) {
    if (isFence(line)) isCode = !isCode
    else if (!isCode && !isTable(line)) numbers.add(index)
  }
  return numbers
}

/** Lines of a Markdown page, or of the comments of a source file, that are longer than `maxWidth`. */
export const longLines = (file: string, text: string): ReadonlyArray<LongLine> => {
  const isPage = file.endsWith(".md")
  if (isPage && isGenerated(text)) return []
  const lines = text.split("\n")
  const pageLines = isPage ? prose(lines) : undefined
  return lines.flatMap((line, index) => {
    const isMeant = pageLines === undefined ? isComment(line) : pageLines.has(index)
    const width = [...withoutLinks(line)].length
    return isMeant && width > maxWidth ? [{ line: index + 1, width }] : []
  })
}
