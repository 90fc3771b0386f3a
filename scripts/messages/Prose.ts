import type { Text } from "./Text.ts"

/** True for a text that reads like words of a person, wherever it stands. */
export const isProse = ({ filled, fixed }: Text): boolean => {
  const text = fixed.trim()
  if (!text.includes(" ") && !(filled.length > 0 && /(^ *| )[a-z]{3,}( *$| )/.test(fixed))) return false
  const words = text.match(/(?<![\w./:@-])[A-Za-z][a-z']+(?![\w/@=(]|\.\w|:\/\/)/g) ?? []
  return words.length + Math.min(filled.length, 1) >= 2 && words.length > 0 && !isDocument(text)
}

/** A document for a machine: JSON, a style sheet, or YAML, most of whose lines are keys with values. */
const isDocument = (text: string): boolean => {
  if (text.startsWith('{"')) return true
  const lines = text.split("\n").filter((line) => line.trim() !== "")
  if (lines.length > 2 && lines.filter((line) => /[{};]\s*$/.test(line)).length > lines.length / 2) return true
  return (
    lines.length > 2 && lines.filter((line) => /^\s*(- )?[\w.-]+:( |$)|^\s*- /.test(line)).length > lines.length / 2
  )
}
