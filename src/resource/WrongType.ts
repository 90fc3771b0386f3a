import * as Problem from "./Problem.ts"
import type { StructuralSchema } from "./StructuralSchema.ts"
import { firstSentence, isNot, isPlain } from "./Wording.ts"

/*
 * What to write instead of a value of the wrong type. The message holds what would be wrong next, too: who puts 30 in
 * quotes because text is asked for must not learn only then that a unit is missing.
 */

/** Everything that the tree, its bounds and its rules have against a value. */
export type Faults = (node: StructuralSchema, value: unknown) => ReadonlyArray<string>

/** Most fields of a block that are named. */
const mostNamed = 8

/** For a value that is no block although the node has fields. */
export const block = (node: StructuralSchema, value: unknown, field: string, faults: Faults): string => {
  const fields = Object.entries(node.properties ?? {})
  const isWrong = `must be a block of named fields, ${isNot(value)}`
  const fitting = isPlain(value) || typeof value === "string" ? fields.filter(([, child]) => fits(child)) : []
  const [meant] = fitting
  const shown = meant === undefined ? undefined : Problem.shown(Problem.named(field, meant[0]), value)
  if (fitting.length === 1 && shown !== undefined) return `${isWrong}: write ${meant![0]}: ${shown} below it`
  if (fields.length === 0) return isWrong
  const names = fields.slice(0, mostNamed).map(([name]) => name)
  return `${isWrong}; its fields are ${names.join(", ")}${fields.length > mostNamed ? ", …" : ""}`

  function fits(child: StructuralSchema): boolean {
    return faults(child, value).length === 0
  }
}

/** For a value that is no text. A number or a truth value is judged as the text that it would be in quotes. */
export const text = (node: StructuralSchema, value: unknown, faults: Faults): string => {
  if (!isPlain(value)) return `must be text, ${isNot(value)}`
  const more = faults(node, String(value))
  return more.length === 0 ? `must be text, ${isNot(value)}: put it in quotes` : more.join("; ")
}

/** For a value that is no whole number. */
export const integer = (node: StructuralSchema, value: unknown, field: string, faults: Faults): string => {
  const isWrong = `must be a whole number, ${typeof value === "number" ? "not a fraction" : isNot(value)}`
  const also = (number: number) => faults(node, number).map((fault) => `; it ${fault}`)
  if (typeof value === "number") {
    return Number.isFinite(value) ? [isWrong, ...also(Math.floor(value))].join("") : isWrong
  }
  if (typeof value !== "string") return isWrong
  if (/^-?[0-9]+$/u.test(value)) return [`${isWrong}: remove the quotes`, ...also(Number(value))].join("")
  const converted = inUnit(field, value)
  if (converted !== undefined && faults(node, converted).length === 0) {
    return `${isWrong}: write ${converted} for ${value.trim()}`
  }
  const meaning = firstSentence(node.description)
  return meaning === "" ? isWrong : `${isWrong}; it means: ${meaning}`
}

const seconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const bytes = {
  k: 1000,
  M: 1_000_000,
  G: 1_000_000_000,
  Ki: 1024,
  Mi: 1024 * 1024,
  Gi: 1024 * 1024 * 1024
} as const

/**
 * A text with a unit, such as 15m or 5Mi, as the number that a field of seconds or bytes takes; undefined for others.
 */
const inUnit = (field: string, value: string): number | undefined => {
  const units: Readonly<Record<string, number>> | undefined = field.endsWith("Seconds")
    ? seconds
    : /[Bb]ytes(PerSecond)?$/u.test(field)
      ? bytes
      : undefined
  const [, count, unit] = /^ *([0-9]{1,9}) *([A-Za-z]{1,2}) *$/u.exec(value) ?? []
  if (units === undefined || count === undefined || unit === undefined || !Object.hasOwn(units, unit)) return undefined
  return Number(count) * units[unit]!
}
