import { Effect, Redacted } from "effect"
import { SecretError } from "./SecretError.ts"

/** What a value of one line may consist of. */
export type Alphabet =
  /** Anything but line breaks and NUL: passwords may have umlauts. */
  | "text"
  /** Printable ASCII: it travels in an HTTP header or an address. */
  | "ascii"

/** Why a value cannot be sent; undefined if it can. Never holds the value. */
export const problem = (value: string, alphabet: Alphabet): string | undefined => {
  if (/[\r\n]$/u.test(value)) return "the value has more than one line break at its end"
  if (/[\r\n]/u.test(value)) return "the value has a line break inside it"
  if (value.includes("\0")) return "the value has a NUL byte"
  return alphabet === "ascii" && !/^[\x20-\x7e]*$/u.test(value)
    ? "the value has a character that is not printable ASCII, which cannot be sent"
    : undefined
}

/** The value without one trailing line break. Fails for a value that cannot be sent where it goes. */
export const of = (secret: string, key: string, value: Redacted.Redacted, alphabet: Alphabet) =>
  Effect.suspend(() => {
    const word = Redacted.value(value).replace(/\r?\n$/u, "")
    const detail = problem(word, alphabet)
    return detail === undefined
      ? Effect.succeed(Redacted.make(word))
      : Effect.fail(new SecretError({ secret, key, detail }))
  })
