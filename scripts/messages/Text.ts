import { isNode, literal, type Node, type Syntax } from "./Syntax.ts"

/** A text as a person would read it. */
export interface Text {
  /** What is filled in at run time stands as `{expression}`. */
  readonly shown: string
  /** The parts that are always the same, with a blank for each part that is filled in. */
  readonly fixed: string
  /** Expressions whose values are filled in. */
  readonly filled: ReadonlyArray<Node>
}

const longestExpression = 40

/** The text that a literal, a template, or a sum of them makes; undefined for any other node. */
export const of = (node: Node, syntax: Syntax): Text | undefined => {
  const parts = partsOf(node)
  if (parts === undefined || !parts.some((part) => typeof part === "string")) return undefined
  const filled = parts.filter((part) => typeof part !== "string")
  return {
    shown: parts.map((part) => (typeof part === "string" ? part : `{${shortened(syntax.sourceOf(part))}}`)).join(""),
    fixed: parts.map((part) => (typeof part === "string" ? part : " ")).join(""),
    filled
  }
}

const shortened = (source: string) =>
  source.length > longestExpression ? `${source.slice(0, longestExpression - 1)}…` : source

const partsOf = (node: Node): ReadonlyArray<string | Node> | undefined => {
  const value = literal(node)
  if (value !== undefined) return [value]
  if (node.type === "TemplateLiteral") return templateParts(node)
  if (node.type !== "BinaryExpression" || node["operator"] !== "+") return undefined
  return [node["left"], node["right"]].flatMap((side) => (isNode(side) ? (partsOf(side) ?? [side]) : []))
}

const templateParts = (node: Node): ReadonlyArray<string | Node> => {
  const between = (node["expressions"] as ReadonlyArray<Node>).values()
  return (node["quasis"] as ReadonlyArray<Node>).flatMap((quasi, index) => {
    const expression = index === 0 ? undefined : between.next().value
    const fixed = typeof quasi["cooked"] === "string" ? quasi["cooked"] : ""
    return [...(expression === undefined ? [] : [expression]), ...(fixed === "" && index > 0 ? [] : [fixed])]
  })
}
