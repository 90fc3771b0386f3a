import { parseSync } from "@swc/core"

/** One node of a syntax tree; fields that are not read here stay unknown. */
export interface Node {
  readonly type: string
  /** Absent on some nodes, such as the fields of an object. */
  readonly span?: { readonly start: number; readonly end: number }
  readonly [field: string]: unknown
}

/** A parsed file: its top node, and what stands where a node is. */
export interface Syntax {
  readonly top: Node
  /** The source of a node, on one line. */
  readonly sourceOf: (node: Node) => string
  /** Line of a node's beginning, from 1. */
  readonly lineOf: (node: Node) => number
}

/** Spans count bytes, and the parser's first byte is 1. */
const firstByte = 1

/** Parses TypeScript. Throws where the file has a syntax error. */
export const parse = (source: string): Syntax => {
  const bytes = Buffer.from(source)
  const spanOf = ({ span, type }: Node) => {
    if (span === undefined) throw new Error(`the parser does not say where this ${type} is`)
    return { from: span.start - firstByte, until: span.end - firstByte }
  }
  return {
    top: parseSync(source, { syntax: "typescript", target: "es2022" }) as unknown as Node,
    sourceOf: (node) => {
      const { from, until } = spanOf(node)
      return bytes.subarray(from, until).toString("utf8").replaceAll(/\s+/g, " ")
    },
    lineOf: (node) => bytes.subarray(0, spanOf(node).from).toString("latin1").split("\n").length
  }
}

export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

/** The nodes directly below. Arguments and elements of lists are wrapped in plain objects. */
export const children = (node: Node): ReadonlyArray<Node> => Object.values(node).flatMap(nodesIn)

const nodesIn = (value: unknown): ReadonlyArray<Node> => {
  if (isNode(value)) return [value]
  if (Array.isArray(value)) return value.flatMap(nodesIn)
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(nodesIn) : []
}

/** The value of a string literal; undefined for any other node. */
export const literal = (node: unknown): string | undefined =>
  isNode(node) && node.type === "StringLiteral" && typeof node["value"] === "string" ? node["value"] : undefined

/** The expressions of a call's arguments or of a list's elements. */
export const expressions = (wrapped: unknown): ReadonlyArray<Node> =>
  Array.isArray(wrapped)
    ? wrapped.flatMap((each: { readonly expression?: unknown } | null) =>
        each !== null && isNode(each.expression) ? [each.expression] : []
      )
    : []
