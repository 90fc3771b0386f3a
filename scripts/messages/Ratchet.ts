import type { Counts } from "./Style.ts"

/** How many messages of a file may break a rule, and how many do. */
export interface Difference {
  readonly rule: string
  readonly file: string
  readonly allowed: number
  readonly actual: number
}

/** Where the exceptions are kept, from the root of the repository. */
export const path = "test/messages/exceptions.json"

/** Every file whose exceptions are not exactly those that are allowed. */
export const differences = (actual: Counts, allowed: Counts): ReadonlyArray<Difference> =>
  [...new Set([...Object.keys(actual), ...Object.keys(allowed)])].flatMap((rule) => {
    const [is, may] = [actual[rule] ?? {}, allowed[rule] ?? {}]
    return [...new Set([...Object.keys(is), ...Object.keys(may)])].toSorted().flatMap((file) => {
      const difference = { rule, file, allowed: may[file] ?? 0, actual: is[file] ?? 0 }
      return difference.allowed === difference.actual ? [] : [difference]
    })
  })

/** The line of the exceptions to change where fewer are needed. */
export const shrunkLine = ({ actual, allowed, file, rule }: Difference): string =>
  `${path}, "${rule}": ${actual === 0 ? `delete the line "${file}"` : `write "${file}": ${actual} instead of ${allowed}`}`

/** The exceptions that are still needed: never more, for no file, than were allowed before. */
export const tightened = (actual: Counts, allowed: Counts): Counts =>
  Object.fromEntries(
    Object.entries(allowed).map(([rule, files]) => [
      rule,
      Object.fromEntries(
        Object.entries(files)
          .map(([file, count]) => [file, Math.min(count, actual[rule]?.[file] ?? 0)] as const)
          .filter(([, count]) => count > 0)
      )
    ])
  )
