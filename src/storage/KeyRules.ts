/** Longest key in UTF-8 bytes, prefix included. Source: Amazon S3 user guide, object key names. */
const maxKeyBytes = 1024

/** Longest `/`-separated segment in UTF-8 bytes. Source: Linux NAME_MAX, so that every key also fits in a directory. */
const maxSegmentBytes = 255

const controlCharacter = /[\u0000-\u001f\u007f]/u

/**
 * Why a relative path cannot be a key, or undefined when it can: one rule for every backend, so that a set can be
 * copied from any store to any other and no key can point outside its root.
 */
export const refusal = (key: string): string | undefined => {
  if (key === "") return "it is empty"
  if (!key.isWellFormed()) return "it is not valid Unicode"
  if (controlCharacter.test(key)) return "it contains a control character"
  if (key.includes("\\")) return "it contains a backslash"
  if (key.startsWith("/")) return "it begins with a slash"
  if (Buffer.byteLength(key) > maxKeyBytes) return `it is longer than ${maxKeyBytes} bytes`
  for (const segment of key.split("/")) {
    if (segment === "") return "it contains an empty segment"
    if (segment === "." || segment === "..") return `it contains the segment ${segment}`
    if (Buffer.byteLength(segment) > maxSegmentBytes)
      return `it contains a segment of more than ${maxSegmentBytes} bytes`
  }
  return undefined
}

/**
 * Why a string cannot be asked for as a list prefix: the part before its last slash obeys `refusal`, the rest may be
 * anything but a way out.
 */
export const prefixRefusal = (prefix: string): string | undefined => {
  if (prefix === "") return undefined
  const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf("/")))
  if (prefix.startsWith("/")) return "it begins with a slash"
  return folder === "" ? refusal(`${prefix}x`) : (refusal(folder) ?? refusal(`${prefix}x`))
}

/** A key or prefix for messages: quoted, control characters escaped, at most 120 characters. */
export const shown = (text: string): string => JSON.stringify(text.length > 120 ? `${text.slice(0, 117)}...` : text)

const unit = (code: number): number => (code < 0xd800 ? code : code >= 0xe000 ? code - 0x800 : code + 0x2000)

/**
 * Orders strings by their UTF-8 bytes, as S3 lists keys. JavaScript's own `<` differs beyond the Basic Multilingual
 * Plane.
 */
export const byUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return unit(x) - unit(y)
  }
  return a.length - b.length
}
