import { Schema } from "effect"

/**
 * One condition on a value, written twice: in CEL for the API server, and as a predicate for the program's own check.
 * Both are here so that `kubectl apply`, the operator and the command line refuse the same things with the same words.
 *
 * The enumerable members are the entry of `x-kubernetes-validations`, spelled as the CustomResourceDefinition spells
 * them.
 */
export interface Rule<in T = never> {
  /** CEL expression over `self`; defaults have been applied before it runs. */
  readonly rule: string
  /** What to write instead. One line: the API server refuses line breaks. */
  readonly message: string
  readonly reason?: Reason
  /** Child field to blame, such as `.saslSecret`; the API server takes fields of an object, not list indices. */
  readonly fieldPath?: string
  /** The same condition in TypeScript. Not enumerable: it never reaches a printed schema. */
  readonly holds: (self: T) => boolean
}

export type Reason = "FieldValueRequired" | "FieldValueForbidden"

/** Builds a rule from its two twins. */
export const rule = <T>(options: {
  readonly cel: string
  readonly message: string
  readonly holds: (self: T) => boolean
  readonly reason?: Reason
  readonly fieldPath?: string
}): Rule<T> => {
  const { cel, holds, message, ...rest } = options
  const printed = { rule: cel, message, ...rest }
  Object.defineProperty(printed, "holds", { value: holds, enumerable: false })
  return printed as Rule<T>
}

/**
 * The text matches `pattern`, which must read the same in RE2 and in JavaScript: no lookaround, no back-references, no
 * `\u` escapes, no `\s`, no repeat above 1000, no single quote.
 */
export const matches = (pattern: string, message: string): Rule<string> => {
  const regExp = new RegExp(pattern, "u")
  return rule({ cel: `self.matches(r'${pattern}')`, message, holds: (self) => regExp.test(self) })
}

/** The text does not match `pattern` anywhere; same dialect as `matches`. */
export const avoids = (pattern: string, message: string): Rule<string> => {
  const regExp = new RegExp(pattern, "u")
  return rule({ cel: `!self.matches(r'${pattern}')`, message, holds: (self) => !regExp.test(self) })
}

/**
 * The text matches `pattern`, unless `unless` matches: then another rule has said what is wrong, and one fault gives
 * one message.
 */
export const matchesUnless = (unless: string, pattern: string, message: string): Rule<string> => {
  const excuse = new RegExp(unless, "u")
  const regExp = new RegExp(pattern, "u")
  return rule({
    cel: `self.matches(r'${unless}') || self.matches(r'${pattern}')`,
    message,
    holds: (self) => excuse.test(self) || regExp.test(self)
  })
}

/** The number is not below `minimum`. A rule instead of a plain bound where the reader deserves a sentence. */
export const atLeast = (minimum: number, message: string): Rule<number> =>
  rule({ cel: `self >= ${minimum}`, message, holds: (self) => self >= minimum })

/**
 * The field must be there. A structural schema's own `required` makes the API server print "Required value" and no
 * more, and keeps every other rule of the object from running; this one says what to write. A field that has such a
 * rule is left out of `required`.
 */
export const required = <K extends string>(name: K, message: string): Rule<{ readonly [key in K]?: unknown }> =>
  rule({
    cel: hasField(name),
    message,
    reason: "FieldValueRequired",
    fieldPath: `.${name}`,
    holds: (self) => self[name] !== undefined
  })

/** CEL of `required`. */
export const hasField = (name: string): string => `has(self.${name})`

/** Annotation under which a schema carries its rules; also the key that the API server reads. */
export const annotationKey = "x-kubernetes-validations"

/** The rule as a check of an Effect Schema. */
export const toCheck = <T>(self: Rule<T>) =>
  Schema.makeFilter<T>((value) => {
    if (self.holds(value)) return undefined
    return self.fieldPath === undefined
      ? self.message
      : { path: self.fieldPath.split(".").filter((name) => name !== ""), issue: self.message }
  })
