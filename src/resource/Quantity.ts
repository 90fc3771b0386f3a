/*
 * Kubernetes quantities such as 500m, 2 or 1.5Gi, as far as comparing them needs. Grammar and suffixes:
 * k8s.io/apimachinery/pkg/api/resource.
 */

const grammar = /^([+-]?)([0-9]+(?:[.][0-9]*)?|[.][0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?[0-9]{1,18})?$/

const decimal: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const binary: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }

/** Significant fraction digits; finer parts are dropped, as Kubernetes itself rounds at 10^-9. */
const scale = 30

/** Longer texts are not accepted as quantities: no amount needs them. */
const longestText = 256

/** Beyond these powers of ten Kubernetes, too, cuts off. */
const largestExponent = 100

/** The value times 10^30, or `undefined` when the text is no quantity. */
const scaled = (text: string): bigint | undefined => {
  const found = text.length > longestText ? null : grammar.exec(text)
  if (found === null) return undefined
  const [, sign, digits = "", suffix = ""] = found
  const [whole = "", fraction = ""] = digits.split(".")
  const mantissa = BigInt(`${whole}${fraction.slice(0, scale)}` || "0")
  const shift = scale - Math.min(fraction.length, scale) + (decimal[suffix] ?? exponent(suffix))
  const magnitude =
    (shift >= 0 ? mantissa * 10n ** BigInt(shift) : mantissa / 10n ** BigInt(-shift)) << (binary[suffix] ?? 0n)
  return sign === "-" ? -magnitude : magnitude
}

const exponent = (suffix: string): number =>
  /^[eE][-+0-9]/.test(suffix) ? Math.max(-largestExponent, Math.min(largestExponent, Number(suffix.slice(1)))) : 0

/** The text reads as a quantity. */
export const isQuantity = (text: string): boolean => scaled(text) !== undefined

/** -1, 0 or 1. Two texts of which one is no quantity are not comparable: `undefined`. */
export const compare = (left: string, right: string): -1 | 0 | 1 | undefined => {
  const a = scaled(left)
  const b = scaled(right)
  if (a === undefined || b === undefined) return undefined
  return a < b ? -1 : a > b ? 1 : 0
}

/** The value without its fraction, or `undefined` where the text is no quantity or a number cannot hold it exactly. */
export const wholeNumber = (text: string): number | undefined => {
  const value = scaled(text)
  const whole = value === undefined ? undefined : Number(value / 10n ** BigInt(scale))
  return whole !== undefined && Number.isSafeInteger(whole) ? whole : undefined
}
