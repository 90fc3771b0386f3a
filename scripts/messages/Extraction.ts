import * as Prose from "./Prose.ts"
import * as Reasons from "./Reasons.ts"
import * as Slot from "./Slot.ts"
import { children, isNode, literal, type Node, parse } from "./Syntax.ts"
import * as Text from "./Text.ts"

/** A text of the program that a person may read. */
export interface Message {
  /** Path from the root of the repository. */
  readonly file: string
  readonly line: number
  /**
   * What it is used as: `message`, `advice`, `log`, `help`; `part` where it is filled into another text; else `text`.
   */
  readonly slot: string
  /** What it belongs to, nearest first; see Reasons.ts. */
  readonly reasons: ReadonlyArray<string>
  readonly shown: string
  /** The parts that are always the same. */
  readonly fixed: string
}

/** What a file gives: its messages, and the texts that read like prose and are none. */
export interface Extracted {
  readonly messages: ReadonlyArray<Message>
  /** Words of types that are compared, and texts for machines. */
  readonly leftOut: ReadonlyArray<{ readonly file: string; readonly line: number; readonly shown: string }>
}

/** The texts of one file. */
export const of = (file: string, source: string): Extracted => {
  const syntax = parse(source)
  const words = comparedWords(syntax.top)
  const messages: Array<Message> = []
  const leftOut: Array<Extracted["leftOut"][number]> = []

  const take = (text: Text.Text, node: Node, ancestors: ReadonlyArray<Node>) => {
    const isPart = ancestors.some(({ type }) => type === "TemplateLiteral")
    const slot = Slot.of(ancestors, syntax)
    const isProse = Prose.isProse(text)
    // A name is mostly an identifier; one of several words is a name for people.
    if (!isProse && (isPart || slot === undefined || slot === "name" || !/[A-Za-z]{2}/.test(text.fixed))) return
    const place = { file, line: syntax.lineOf(node), shown: text.shown }
    if ((slot === undefined && words.has(text.shown)) || isForMachines(ancestors)) leftOut.push(place)
    else {
      messages.push({
        ...place,
        slot: isPart ? "part" : (slot ?? "text"),
        reasons: Reasons.of(ancestors, syntax),
        fixed: text.fixed
      })
    }
  }

  const visit = (node: Node, ancestors: ReadonlyArray<Node>): void => {
    if (isSilent(node)) return
    const text = Text.of(node, syntax)
    const inside = [...ancestors, node]
    if (text === undefined) {
      for (const child of spoken(node)) visit(child, inside)
      return
    }
    take(text, node, ancestors)
    // A sum is a template written in another way.
    const template = node.type === "TemplateLiteral" ? node : { ...node, type: "TemplateLiteral" }
    for (const filled of text.filled) visit(filled, [...ancestors, template])
  }
  visit(syntax.top, [])
  return { messages: messages.toSorted((a, b) => a.line - b.line), leftOut }
}

/** Types and paths of imports say nothing to a person; a cast's expression does. */
const isSilent = ({ source, type }: Node): boolean =>
  type === "ImportDeclaration" ||
  (type.startsWith("Export") && isNode(source)) ||
  (type.startsWith("Ts") &&
    !["TsAsExpression", "TsConstAssertion", "TsNonNullExpression", "TsSatisfiesExpression"].includes(type))

const isComparison = ({ operator, type }: Node): boolean =>
  type === "BinaryExpression" && ["===", "!==", "==", "!=", "in"].includes(String(operator))

/** The children that may hold a text: not the keys of fields, not what is compared. */
const spoken = (node: Node): ReadonlyArray<Node> => {
  const below = children(node)
  if (isComparison(node)) return below.filter((child) => literal(child) === undefined)
  switch (node.type) {
    case "KeyValueProperty":
      return below.filter((child) => child !== node["key"])
    case "SwitchCase":
      return below.filter((child) => child !== node["test"])
    case "Computed":
      return below.filter((child) => literal(child) === undefined)
    default:
      return below
  }
}

/** Strings that the file compares or lists in a type: they are names of cases. */
const comparedWords = (top: Node): ReadonlySet<string> => {
  const words = new Set<string>()
  const visit = (node: Node): void => {
    const named = node.type === "SwitchCase" ? [node["test"]] : node.type === "TsLiteralType" ? [node["literal"]] : []
    for (const each of isComparison(node) ? children(node) : named) {
      const word = literal(each)
      if (word !== undefined) words.add(word)
    }
    for (const child of children(node)) visit(child)
  }
  visit(top)
  return words
}

/** Fields whose texts only a machine reads: rules in CEL, fields of a request, the command line of an example. */
const machineFields = new Set(["cel", "command", "fields"])

const isForMachines = (ancestors: ReadonlyArray<Node>): boolean =>
  ancestors.some(
    ({ key, type }) => type === "KeyValueProperty" && isNode(key) && machineFields.has(String(key["value"]))
  )
