import { codePoints } from "./Field.ts"
import { nearest } from "./Near.ts"
import * as Problem from "./Problem.ts"
import type { StructuralSchema } from "./StructuralSchema.ts"
import { checkCount, checkRange, firstSentence, isNot, notAmong } from "./Wording.ts"
import * as WrongType from "./WrongType.ts"

/*
 * Checks a value against a structural schema as the API server would, but reports everything at once, in plain words.
 * It knows no field: types, bounds, defaults and rules all come from the tree.
 */

export interface Inspection {
  readonly problems: ReadonlyArray<Problem.Problem>
  /** The value with defaults filled in, as the API server would store it. Only meaningful without problems. */
  readonly completed: unknown
}

/**
 * What to do with fields that the tree does not have: name them as problems, or leave them out of the completed value.
 */
export type UnknownFields = "refuse" | "drop"

/** All problems of `value`, whose path is `root`. */
export const inspect = (
  tree: StructuralSchema,
  value: unknown,
  root: string,
  unknownFields: UnknownFields = "refuse"
): Inspection => {
  const problems: Array<Problem.Problem> = []
  const visit = (node: StructuralSchema, value: unknown, field: string): unknown => {
    const before = problems.length
    const report = (message: string) => void problems.push(problem(field, value, message))
    const completed = visitShape(node, value, field, report)
    const broken = new Set<string>()
    for (let index = before; index < problems.length; index++) broken.add(problems[index]!.field)
    if (!broken.has(field)) checkRules(node, completed, field, broken)
    return completed
  }

  const visitShape = (
    node: StructuralSchema,
    value: unknown,
    field: string,
    report: (message: string) => void
  ): unknown => {
    if (value === null || value === undefined) {
      report("is empty: give it a value or remove the line")
      return value
    }
    if (node["x-kubernetes-int-or-string"]) {
      if (typeof value === "string" || Number.isSafeInteger(value)) return value
      report(
        typeof value === "number"
          ? `must be a whole number or text: write "${value}" in quotes`
          : `must be a whole number or text, ${isNot(value)}`
      )
      return value
    }
    switch (node.type) {
      case "object":
        if (!isMap(value)) {
          report(node.properties ? WrongType.block(node, value, field, faults) : `must be a block, ${isNot(value)}`)
          return value
        }
        return node.properties ? visitFields(node, value, field) : visitMap(node, value, field, report)
      case "array":
        if (!Array.isArray(value)) {
          report(`must be a list, each entry on its own line after "- ", ${isNot(value)}`)
          return value
        }
        checkCount(value.length, node.minItems, node.maxItems, "entries", report)
        // A list far beyond its bound is one mistake, not ten thousand.
        return value
          .slice(0, node.maxItems ?? value.length)
          .map((item, index) => visit(node.items!, item, Problem.entry(field, index)))
      case "string":
        if (typeof value !== "string") {
          report(WrongType.text(node, value, faults))
        } else {
          if (node.enum && !node.enum.includes(value)) report(notAmong(value, node.enum))
          checkCount(codePoints(value), node.minLength, node.maxLength, "characters", report)
        }
        return value
      case "integer":
        if (typeof value !== "number" || !Number.isInteger(value)) {
          report(WrongType.integer(node, value, field, faults))
        } else checkRange(value, node.minimum, node.maximum, report)
        return value
      case "boolean":
        if (typeof value !== "boolean") report(`must be true or false without quotes, ${isNot(value)}`)
        return value
      default:
        return value
    }
  }

  const visitFields = (node: StructuralSchema, value: Readonly<Record<string, unknown>>, field: string): unknown => {
    const fields = node.properties!
    const completed: Record<string, unknown> = {}
    for (const [name, child] of Object.entries(fields)) {
      const given = Object.hasOwn(value, name) ? value[name] : undefined
      const present = given ?? child.default // null is absent, as the API server reads it
      const at = Problem.named(field, name)
      if (present !== undefined) completed[name] = visit(child, present, at)
      else if (node.required?.includes(name)) {
        problems.push({ field: at, message: `is required: ${firstSentence(child.description)}` })
      }
    }
    for (const name of Object.keys(value)) {
      if (unknownFields === "drop" || Object.hasOwn(fields, name)) continue
      problems.push({
        field: Problem.named(field, Problem.escaped(name.slice(0, Problem.maxShown))),
        message: unknownField(name, fields)
      })
    }
    return completed
  }

  const visitMap = (
    node: StructuralSchema,
    value: Readonly<Record<string, unknown>>,
    field: string,
    report: (message: string) => void
  ): unknown => {
    const entries = Object.entries(value).filter(([, item]) => item !== null)
    checkCount(entries.length, node.minProperties, node.maxProperties, "entries", report)
    return Object.fromEntries(
      entries
        .slice(0, node.maxProperties ?? entries.length)
        .map(([key, item]) => [key, visit(node.additionalProperties!, item, Problem.entry(field, key))])
    )
  }

  const checkRules = (node: StructuralSchema, value: unknown, field: string, broken: ReadonlySet<string>) => {
    for (const rule of node["x-kubernetes-validations"] ?? []) {
      if (holds(rule.holds as (self: unknown) => boolean, value, field, broken)) continue
      const at = rule.fieldPath === undefined ? field : `${field}${rule.fieldPath}`
      problems.push(
        rule.fieldPath === undefined ? problem(at, value, rule.message) : { field: at, message: rule.message }
      )
    }
  }

  const unknownField = (name: string, fields: { readonly [name: string]: StructuralSchema }): string => {
    const near = nearest(name, Object.keys(fields))
    if (near !== undefined) return `is not a field here; did you mean ${near}?`
    const elsewhere = homes(tree, name, root)
    if (elsewhere.length > 0) return `is not a field here; it belongs to ${elsewhere.join(" or ")}`
    return `is not a field here; the fields are ${Object.keys(fields).join(", ")}`
  }

  return { completed: visit(tree, value, root), problems }
}

const faults: WrongType.Faults = (node, value) => inspect(node, value, "").problems.map(({ message }) => message)

/** Thrown by a guarded value when a rule reads a field that has a problem of its own. */
class Unreadable extends Error {}

/**
 * The rule holds, or cannot be judged because what it reads is broken: then the user has been told about that already,
 * and a second message that follows from it would only mislead.
 */
const holds = (
  rule: (self: unknown) => boolean,
  value: unknown,
  field: string,
  broken: ReadonlySet<string>
): boolean => {
  try {
    return rule(guarded(value, field, broken))
  } catch (error) {
    if (error instanceof Unreadable) return true
    throw error
  }
}

/** The value, refusing to be read where a problem was found. */
const guarded = (value: unknown, field: string, broken: ReadonlySet<string>): unknown => {
  if (!isMap(value) || broken.size === 0) return value
  return new Proxy(value, {
    get: (target, key) => {
      const child: unknown = Reflect.get(target, key)
      if (typeof key !== "string") return child
      for (const at of [Problem.named(field, key), Problem.entry(field, key)]) {
        if (broken.has(at)) throw new Unreadable()
      }
      return guarded(child, Problem.named(field, key), broken)
    }
  })
}

const problem = (field: string, value: unknown, message: string): Problem.Problem => {
  const shown = Problem.shown(field, value)
  return shown === undefined ? { field, message } : { field, value: shown, message }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Up to three places below `tree`, whose path is `path`, that have a field called `name`; the shallowest first. */
export const homes = (tree: StructuralSchema, name: string, path: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let level: ReadonlyArray<readonly [string, StructuralSchema]> = [[path, tree]]
  while (level.length > 0 && found.length < 3) {
    const below: Array<readonly [string, StructuralSchema]> = []
    for (const [path, node] of level) {
      if (node.properties && Object.hasOwn(node.properties, name)) found.push(path)
      for (const [child, schema] of Object.entries(node.properties ?? {}))
        below.push([Problem.named(path, child), schema])
      if (node.items?.properties) below.push([`${path}[]`, node.items])
    }
    level = below
  }
  return found.slice(0, 3)
}
