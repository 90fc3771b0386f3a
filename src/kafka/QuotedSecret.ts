/*
 * Whether the text of a server quotes a secret that it was sent. Servers repeat requests in their errors: as they came,
 * or in the encoding of the place where it stood, and sometimes only the beginning.
 */

/** Node decodes both alphabets of base64 (RFC 4648, sections 4 and 5). */
const encodedRun = /[A-Za-z0-9+/_-]{8,}/gu

/** The text that a run of base64 stands for, from each of the places at which it may begin. */
const decodings = (run: string): ReadonlyArray<string> =>
  [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("utf8"))

const asForm = (secret: string): string => new URLSearchParams([["", secret]]).toString().slice(1)

const forms = (secret: string): ReadonlyArray<string> => [secret, encodeURIComponent(secret), asForm(secret)]

/** True where the text has one of these, plain, as a form or an address has it, or in base64. Empty ones count not. */
export const isIn = (text: string, secrets: ReadonlyArray<string>): boolean => {
  const hidden = secrets.filter((secret) => secret !== "").flatMap(forms)
  const has = (part: string) => hidden.some((form) => part.includes(form))
  return has(text) || [...text.matchAll(encodedRun)].some(([run]) => decodings(run).some(has))
}

/** Characters of a part that cannot stand in a text by chance. */
const partLength = 12

/** True where a part of it is in the text: for values that are random to the eye, such as base64. */
export const isPartlyIn = (text: string, value: string): boolean => {
  for (let from = 0; from + partLength <= value.length; from++) {
    if (text.includes(value.slice(from, from + partLength))) return true
  }
  return false
}
