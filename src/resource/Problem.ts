/** One thing that is wrong with a manifest. */
export interface Problem {
  /** Where, as Kubernetes writes it: `spec.kafkaCluster.bootstrapServers[0]`; empty for the document as a whole. */
  readonly field: string
  /** The value there, shortened and escaped; absent when it is no plain value or could be a secret. */
  readonly value?: string
  /** What is wrong and what to write instead. */
  readonly message: string
}

/** Longest value that is shown, in characters. */
export const maxShown = 80

/** `spec.topics[0]: must be … (got "orders;")`. Always one line. */
export const format = ({ field, message, value }: Problem): string =>
  `${field === "" ? "" : `${field}: `}${message}${value === undefined ? "" : ` (got ${value})`}`

/** The path of a named field. */
export const named = (parent: string, name: string): string => (parent === "" ? name : `${parent}.${name}`)

/** The path of a list's entry, or of a key in a map with free keys. */
export const entry = (parent: string, key: number | string): string =>
  `${parent}[${typeof key === "number" ? key : escaped(cut(key))}]`

/**
 * A value as it may be shown. Nothing below a `…Secret` block is shown (a user may have pasted the secret itself where
 * its name belongs), except the mechanism; and text that looks like credentials is masked.
 */
export const shown = (field: string, value: unknown): string | undefined => {
  if (/Secrets?([.[]|$)/.test(field) && !field.endsWith(".mechanism")) return undefined
  switch (typeof value) {
    case "string":
      return `"${escaped(cut(blotted(value)))}"`
    case "number":
    case "boolean":
    case "bigint":
      return String(value)
    default:
      return undefined
  }
}

const blotted = (text: string): string => {
  if (/(key|token|secret|password|passwd|pwd|sig|signature)["']?\s*[=:]/i.test(text)) return "***"
  if (/-----BEGIN/.test(text)) return "***"
  const at = text.lastIndexOf("@")
  return at > 0 ? `***${text.slice(at)}` : text
}

const cut = (text: string): string => {
  const characters = Array.from(text.slice(0, 2 * maxShown + 2))
  return characters.length > maxShown ? `${characters.slice(0, maxShown).join("")}…` : text
}

/**
 * Control characters, quotes and marks that turn the direction of text become escapes; no value can break a log line.
 */
export const escaped = (text: string): string =>
  text.replaceAll(/["\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) =>
    character === '"' || character === "\\" ? `\\${character}` : `\\u{${character.codePointAt(0)!.toString(16)}}`
  )
