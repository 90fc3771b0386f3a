import type { Word } from "./Verdict.ts"
import type { Row } from "./View.ts"

const plural = (n: number, one: string) => `${n.toLocaleString("en-US")} ${n === 1 ? one : `${one}s`}`

/** Am I safe, in a sentence. */
export const of = (rows: ReadonlyArray<Row>): { readonly isBad: boolean; readonly text: string } => {
  const backups = rows.filter(({ kind }) => kind === "KafkaBackup")
  const bad = rows.filter(({ verdict }) => verdict.isBad)
  if (bad.length > 0) {
    const verb = bad.length === 1 ? "needs" : "need"
    return {
      isBad: true,
      text: `${bad.length.toLocaleString("en-US")} of ${plural(rows.length, "resource")} ${verb} attention`
    }
  }
  if (backups.length === 0) return { isBad: false, text: "There is no KafkaBackup" }
  const safe = backups.filter(({ verdict }) => verdict.word === "safe").length
  return safe === backups.length
    ? { isBad: false, text: safe === 1 ? "The backup is safe" : `All ${plural(safe, "backup")} are safe` }
    : {
        isBad: false,
        text: `${safe.toLocaleString("en-US")} of ${plural(backups.length, "backup")} ${safe === 1 ? "is" : "are"} safe, nothing failed`
      }
}

const order: Readonly<Record<Word, number>> = {
  failed: 0,
  "at risk": 1,
  never: 2,
  running: 3,
  pending: 4,
  suspended: 5,
  safe: 6,
  completed: 7
}

/** Those that need attention first, then by how bad it is, then by name. */
export const worstFirst = (a: Row, b: Row): number =>
  Number(b.verdict.isBad) - Number(a.verdict.isBad) ||
  order[a.verdict.word] - order[b.verdict.word] ||
  compare(a.namespace, b.namespace) ||
  compare(a.name, b.name)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
