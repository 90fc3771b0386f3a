import type { IndexedSet } from "../manifest/SetIndex.ts"
import type { DamageSummary } from "../outcome/VerificationSummary.ts"

/** Most characters of the text about damage. */
const mostCharacters = 300

const cut = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`)

/** What is known of damage in these backups, the one completed last first; nothing where none is known. Pure. */
export const summary = (
  sets: ReadonlyArray<Pick<IndexedSet, "backupId" | "check" | "damage" | "facts">>
): { readonly damaged?: DamageSummary } => {
  const damaged = sets
    .flatMap(({ backupId, check, damage, facts }) => {
      const text = damage?.text ?? check?.damage
      return text === undefined ? [] : [{ backupId, completedMillis: facts.completedMillis, text }]
    })
    .toSorted((a, b) => b.completedMillis - a.completedMillis || (a.backupId < b.backupId ? 1 : -1))
  const [first] = damaged
  if (first === undefined) return {}
  const more = damaged.length - 1
  const rest = more === 0 ? "" : `; and ${more} more ${more === 1 ? "backup" : "backups"}`
  const text = `${cut(`${first.backupId}: ${first.text}`, mostCharacters - rest.length)}${rest}`
  return { damaged: { sets: damaged.length, text } }
}
