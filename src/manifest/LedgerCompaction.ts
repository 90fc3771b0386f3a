import type { Ledger } from "./Ledger.ts"

/** The ledger without sets that nothing in it needs, renumbered. Who was built on whom stays known among the others. */
export const compact = (ledger: Ledger): void => {
  const { entries, sets } = ledger
  const isNeeded = sets.map(({ heldMillis }) => heldMillis !== undefined)
  for (let row = 0; row < entries.count; row++) {
    isNeeded[entries.set[row]!] = true
    isNeeded[entries.folder[row]!] = true
  }
  const numbers: Array<number> = []
  let count = 0
  for (const needed of isNeeded) numbers.push(needed ? count++ : -1)
  const baseOf = (number: number): number | undefined => {
    const passed = new Set([number])
    let at = sets[number]?.base
    while (at !== undefined && !isNeeded[at] && !passed.has(at)) {
      passed.add(at)
      at = sets[at]?.base
    }
    return at === undefined || !isNeeded[at] ? undefined : numbers[at]
  }
  const left = sets.flatMap(({ base: _base, ...rest }, number) => {
    if (!isNeeded[number]) return []
    const base = baseOf(number)
    return [{ ...rest, ...(base === undefined ? {} : { base }) }]
  })
  for (let row = 0; row < entries.count; row++) {
    entries.set[row] = numbers[entries.set[row]!]!
    entries.folder[row] = numbers[entries.folder[row]!]!
  }
  ledger.sets = left
}
