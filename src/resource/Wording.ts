import { nearest } from "./Near.ts"

/* How a mistake is put into words; knows no field. */

export const checkCount = (
  count: number,
  minimum: number | undefined,
  maximum: number | undefined,
  unit: string,
  report: (message: string) => void
) => {
  if (minimum !== undefined && count < minimum) report(`must have at least ${minimum} ${unit}`)
  if (maximum !== undefined && count > maximum) report(`must have at most ${maximum} ${unit}, has ${count}`)
}

export const checkRange = (
  value: number,
  minimum: number | undefined,
  maximum: number | undefined,
  report: (message: string) => void
) => {
  if ((minimum === undefined || value >= minimum) && (maximum === undefined || value <= maximum)) return
  report(
    minimum === undefined
      ? `must be ${maximum} or less`
      : maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
        ? `must be ${minimum} or more${value > minimum ? ` and at most ${maximum}` : ""}`
        : `must be from ${minimum} to ${maximum}`
  )
}

export const notAmong = (value: string, all: ReadonlyArray<string>): string => {
  // The empty word stands for "as if absent": nobody is advised to write it.
  const words = all.filter((word) => word !== "")
  const near = nearest(value, words)
  const choices = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`
  return `must be ${choices}${near === undefined ? "" : `; did you mean ${near}?`}`
}

export const isPlain = (value: unknown) =>
  typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"

export const isNot = (value: unknown): string => {
  if (Array.isArray(value)) return "not a list"
  switch (typeof value) {
    case "string":
      return "not text"
    case "number":
    case "bigint":
      return "not a number"
    case "boolean":
      return "not true or false"
    default:
      return "not a block"
  }
}

export const firstSentence = (description: string | undefined): string =>
  (description ?? "").split(/[.;](?:\s|$)/, 1)[0] ?? ""
