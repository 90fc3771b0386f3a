import { Effect, Schema } from "effect"
import * as Rule from "./Rule.ts"

/*
 * The words in which the resource is written. Each builds an Effect Schema whose description, bounds and rules survive
 * the way to the CustomResourceDefinition; the order in which Effect wants annotations, filters, bounds and default is
 * kept here.
 */

interface Described<T> {
  /** Shown by `kubectl explain`; the first sentence also answers "what is missing here?". */
  readonly description: string
  readonly rules?: ReadonlyArray<Rule.Rule<T>>
  /** Further `x-kubernetes-…` keys. */
  readonly kubernetes?: Readonly<Record<`x-kubernetes-${string}`, unknown>>
}

const annotations = ({ description, rules, kubernetes }: Described<never>) => ({
  description,
  ...kubernetes,
  ...(rules && rules.length > 0 ? { [Rule.annotationKey]: rules } : {})
})

const checked = <S extends Schema.Top>(schema: S, checks: ReadonlyArray<unknown>): S =>
  checks.length === 0 ? schema : ((schema as any).check(...checks) as S)

/** Code points, as the API server counts them; JavaScript's `length` counts an emoji twice. */
export const codePoints = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

const maxCodePoints = (maximum: number) =>
  Schema.makeFilter<string>((text) => codePoints(text) <= maximum || `must have at most ${maximum} characters`, {
    toJsonSchema: () => ({ maxLength: maximum }),
    arbitraryConstraint: { maxLength: maximum }
  } as never)

/** A string of at most `maxLength` characters. */
export const text = (
  options: Described<string> & { readonly minLength?: number; readonly maxLength: number; readonly format?: string }
): Schema.String =>
  checked(Schema.String.annotate({ ...annotations(options), ...(options.format ? { format: options.format } : {}) }), [
    ...(options.rules ?? []).map(Rule.toCheck),
    ...(options.minLength === undefined ? [] : [Schema.isMinLength(options.minLength)]),
    maxCodePoints(options.maxLength)
  ])

/** A whole number inside the range that JSON carries exactly. */
export const integer = (
  options: Described<number> & { readonly minimum?: number; readonly maximum?: number }
): Schema.Int =>
  checked(Schema.Int.annotate(annotations(options)) as unknown as Schema.Int, [
    ...(options.rules ?? []).map(Rule.toCheck),
    ...(options.minimum === undefined ? [] : [Schema.isGreaterThanOrEqualTo(options.minimum)]),
    ...(options.maximum === undefined ? [] : [Schema.isLessThanOrEqualTo(options.maximum)])
  ])

export const flag = (options: { readonly description: string }): Schema.Boolean =>
  Schema.Boolean.annotate(annotations(options)) as Schema.Boolean

/** One of some words, spelled exactly so. */
export const choice = <const L extends ReadonlyArray<string>>(words: L, options: { readonly description: string }) =>
  Schema.Literals(words).annotate(annotations(options)) as Schema.Literals<L>

/** A list of at most `maxItems`. */
export const list = <S extends Schema.Constraint>(
  item: S,
  options: Described<ReadonlyArray<S["Type"]>> & { readonly minItems?: number; readonly maxItems: number }
): Schema.$Array<S> =>
  checked(Schema.Array(item).annotate(annotations(options)) as unknown as Schema.$Array<S>, [
    ...(options.rules ?? []).map(Rule.toCheck),
    ...(options.minItems === undefined ? [] : [Schema.isMinLength(options.minItems)]),
    Schema.isMaxLength(options.maxItems)
  ])

/** A map with free keys, at most `maxProperties` of them. */
export const map = <S extends Schema.Constraint>(
  value: S,
  options: Described<{ readonly [key: string]: S["Type"] }> & { readonly maxProperties: number }
): Schema.$Record<Schema.String, S> =>
  checked(
    Schema.Record(Schema.String, value).annotate(annotations(options)) as unknown as Schema.$Record<Schema.String, S>,
    [...(options.rules ?? []).map(Rule.toCheck), Schema.isMaxProperties(options.maxProperties)]
  )

/** An object with named fields. */
export const object = <F extends Schema.Struct.Fields>(
  fields: F,
  options: Described<Schema.Struct<F>["Type"]>
): Schema.Struct<F> =>
  checked(
    Schema.Struct(fields).annotate(annotations(options) as never) as unknown as Schema.Struct<F>,
    (options.rules ?? []).map(Rule.toCheck)
  )

/** The field may be absent, and then stays absent. */
export const optional = <S extends Schema.Top>(schema: S): Schema.optionalKey<S> => Schema.optionalKey(schema)

/** The field may be absent, and then has `value`, here and in the API server. `value` is as a user would write it. */
export const withDefault = <S extends Schema.Top>(schema: S, value: S["Encoded"]): Schema.withDecodingDefaultKey<S> =>
  (Schema.annotateEncoded({ default: value } as never)(schema as never) as unknown as S).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(value))
  )

/** The same schema with another description, for a block that two kinds of resource share. */
export const described = <S extends Schema.Top>(schema: S, description: string): S =>
  Schema.annotateEncoded({ description } as never)(schema as never) as unknown as S
