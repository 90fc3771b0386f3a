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
