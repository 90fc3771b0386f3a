/*
 * Whether text of a server quotes a secret. Servers echo requests into their errors, and secrets travel encoded: in the
 * header `Authorization: Basic`, in forms, in JSON, in SASL messages. So the text is decoded in every way that has a
 * place in such a request, and the secret itself is looked for in each of the results.
 */

/** What stands in a message instead of a server's text that quotes a secret. */
export const leftOut = "its text is left out because it quotes a secret"

/** No more of a text is looked at, hence none of what lies behind may be quoted, in characters. */
export const longestText = 32 * 1024

/** How many layers are taken off: Base64 of form-encoded text inside JSON has three. */
const deepest = 3

const percentDecoded = (text: string): string =>
  text.replaceAll(/(?:%[0-9a-f]{2})+/giu, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8"))

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }

const character = (code: number, otherwise: string): string =>
  code <= 0x10_ff_ff ? String.fromCodePoint(code) : otherwise

/** References of HTML and XML. */
const unreferenced = (text: string): string =>
  text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/giu, (all, hex, decimal, name) =>
    hex !== undefined
      ? character(Number.parseInt(hex, 16), all)
      : decimal !== undefined
        ? character(Number(decimal), all)
        : (named[String(name).toLowerCase()] ?? all)
  )

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" }

/** Escapes of JSON, of which those of other languages are a part. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))/gisu, (_all, unicode, hex, sign) =>
    sign === undefined
      ? String.fromCharCode(Number.parseInt(unicode ?? hex, 16))
      : (escapes[String(sign)] ?? String(sign))
  )

/** Every run of Base64, with line breaks in it, from each of the four places at which a group of it may begin. */
const fromBase64 = (text: string): ReadonlyArray<string> => {
  const runs = text.replaceAll(/[\r\n]+/gu, "").match(/[\w+/-]{4,}/gu) ?? []
  return [0, 1, 2, 3].map((from) =>
    runs.map((run) => Buffer.from(run.slice(from), "base64").toString("utf8")).join("\n")
  )
}

const hexRuns = (text: string): string =>
  (text.match(/(?:[0-9a-f]{2}){4,}/giu) ?? []).map((run) => Buffer.from(run, "hex").toString("utf8")).join("\n")

/** The text with one layer of encoding taken off, in every way that changes it. */
const decoded = (text: string): ReadonlyArray<string> =>
  [
    percentDecoded(text),
    percentDecoded(text.replaceAll("+", " ")),
    unreferenced(text),
    unescaped(text),
    hexRuns(text),
    ...fromBase64(text)
  ].filter((other) => other !== "" && other !== text)

/** True if one of the secrets stands in the text, as it is or encoded. Empty secrets are none. */
export const quotes = (text: string, secrets: ReadonlyArray<string>): boolean => {
  const wanted = secrets.filter((secret) => secret !== "")
  if (wanted.length === 0) return false
  const seen = new Set<string>()
  let layer: ReadonlyArray<string> = [text.slice(0, longestText)]
  for (let depth = 0; depth <= deepest && layer.length > 0; depth++) {
    if (layer.some((view) => wanted.some((secret) => view.includes(secret)))) return true
    for (const view of layer) seen.add(view)
    layer = depth === deepest ? [] : [...new Set(layer.flatMap(decoded))].filter((view) => !seen.has(view))
  }
  return false
}

/** So many characters of a random text stand in no other one by chance. */
const partLength = 12

/** True if a part of `value` stands in the text, which may be cut off. For values that look random, such as Base64. */
export const hasPartOf = (text: string, value: string): boolean => {
  for (let from = 0; from + partLength <= value.length; from++) {
    if (text.includes(value.slice(from, from + partLength))) return true
  }
  return false
}

/** The text as far as it was looked at, or words in its place if it quotes a secret. */
export const without = (text: string, secrets: ReadonlyArray<string>, instead: string = leftOut): string =>
  quotes(text, secrets) ? instead : text.slice(0, longestText)
