import { readFileSync, writeFileSync } from "node:fs"
import { assert } from "vitest"

/** What one run does, by kind. Whole numbers are counts; others are ratios. */
export type Figures = Readonly<Record<string, number | Readonly<Record<string, number>>>>

const file = new URL("figures.json", import.meta.url)

/** Ratios may differ by as much: documents hold times and ids, whose lengths differ. */
const share = 0.02

const isNear = (found: number, expected: number): boolean =>
  Number.isInteger(expected) ? found === expected : Math.abs(found - expected) <= share * expected

const read = (): Record<string, Figures> => JSON.parse(readFileSync(file, "utf8")) as Record<string, Figures>

const differences = (
  path: string,
  found: Figures[string] | undefined,
  expected: Figures[string] | undefined
): string[] => {
  if (typeof found === "number" && typeof expected === "number") {
    return isNear(found, expected) ? [] : [`${path}: ${found} instead of ${expected}`]
  }
  if (typeof found === "object" && typeof expected === "object") {
    const names = new Set([...Object.keys(found), ...Object.keys(expected)])
    return [...names].flatMap((name) => differences(`${path}, ${name}`, found[name] ?? 0, expected[name] ?? 0))
  }
  return [`${path}: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`]
}

/**
 * Compares what was counted with the table, `figures.json`: more is a regression, and less is to be written down, too.
 * `KBO_FIGURES=write` writes what was found into it instead.
 */
export const assertFigures = (name: string, found: Figures): void => {
  const all = read()
  if (process.env["KBO_FIGURES"] === "write") {
    const sorted = Object.entries({ ...all, [name]: found }).toSorted(([a], [b]) => (a < b ? -1 : 1))
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
    return
  }
  assert.deepStrictEqual(
    Object.keys({ ...found, ...all[name] }).flatMap((each) => differences(each, found[each], all[name]?.[each])),
    [],
    `${name}: where this is intended, KBO_FIGURES=write npx vitest run --project unit test/cost writes the new figures`
  )
}

/** The difference of two counts, without kinds that did not occur. */
export const since = (
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>
): Record<string, number> =>
  Object.fromEntries(
    Object.keys(now)
      .toSorted()
      .map((kind) => [kind, now[kind]! - (before[kind] ?? 0)] as const)
      .filter(([, count]) => count !== 0)
  )

export const ratio = (part: number, whole: number): number => Math.round((1000 * part) / whole) / 1000

/** What each of `count` more costs, without kinds that do not grow. */
export const perOne = (
  few: Readonly<Record<string, number>>,
  many: Readonly<Record<string, number>>,
  count: number
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(since(few, many)).flatMap(([kind, more]) => {
      const each = ratio(more, count)
      return each === 0 ? [] : [[kind, each]]
    })
  )
