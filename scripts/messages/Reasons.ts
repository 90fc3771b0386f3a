import * as Slot from "./Slot.ts"
import { children, expressions, isNode, literal, type Node, type Syntax } from "./Syntax.ts"

const camelCase = /^[A-Z][a-z0-9]*([A-Z]+[a-z0-9]*)+$|^[A-Z][a-z]{2,}$/

const asReason = (node: unknown): ReadonlyArray<string> => {
  const word = literal(node)
  return word !== undefined && camelCase.test(word) ? [word] : []
}

/**
 * What a text belongs to, nearest first, as far as its surroundings say: the tag of an error that is made, the key of a
 * table, the case of a switch, the class whose message it is, a log's level, a command or an option, the field of a
 * schema.
 */
export const of = (ancestors: ReadonlyArray<Node>, syntax: Syntax): ReadonlyArray<string> => [
  ...new Set(
    ancestors.flatMap((node, index) => ofNode(node, ancestors[index + 1], ancestors[index - 1], syntax)).toReversed()
  )
]

const ofNode = (
  node: Node,
  below: Node | undefined,
  above: Node | undefined,
  syntax: Syntax
): ReadonlyArray<string> => {
  switch (node.type) {
    case "NewExpression":
      return isNode(node["callee"]) ? [syntax.sourceOf(node["callee"])] : []
    case "CallExpression":
      return ofCall(node, below, syntax)
    case "ArrayExpression":
      return expressions(node["elements"]).slice(0, 1).flatMap(asReason)
    case "ObjectExpression":
      return children(node).flatMap((property) =>
        ["reason", "_tag"].includes(keyOf(property)) ? literals(property["value"]) : []
      )
    case "KeyValueProperty":
      return ofKey(node, syntax)
    case "SwitchCase":
      return casesOf(node, above)
    case "ClassDeclaration":
      return isNode(node["identifier"]) ? [wordOf(node["identifier"])] : []
    case "VariableDeclarator":
      return isNode(node["id"]) && node["id"].type === "Identifier" ? [`in ${wordOf(node["id"])}`] : []
    default:
      return []
  }
}

/** The words that an expression may come to: `isX ? "Interrupted" : "PodFailed"` are two. */
const literals = (value: unknown): ReadonlyArray<string> => {
  if (!isNode(value)) return []
  const own = asReason(value)
  return own.length > 0 ? own : children(value).flatMap(literals)
}

const keyOf = (property: Node): string =>
  property.type === "KeyValueProperty" && isNode(property["key"]) ? wordOf(property["key"]) : ""

/** The text of a name or a literal. */
const wordOf = ({ value }: Node): string => (typeof value === "string" ? value : "")

const ofKey = (node: Node, syntax: Syntax): ReadonlyArray<string> => {
  const key = node["key"]
  if (!isNode(key)) return []
  if (key.type === "Computed") return [syntax.sourceOf(key).slice(1, -1)]
  const name = keyOf(node)
  if (Slot.names.has(name)) return []
  return camelCase.test(name) ? [name] : [`.${name}`]
}

/** A case and those before it that share its body. */
const casesOf = (node: Node, above: Node | undefined): ReadonlyArray<string> => {
  const cases = Array.isArray(above?.["cases"]) ? (above["cases"] as ReadonlyArray<Node>) : []
  const shared: Array<Node> = [node]
  for (const earlier of cases.slice(0, cases.indexOf(node)).toReversed()) {
    if ((earlier["consequent"] as ReadonlyArray<unknown>).length > 0) break
    shared.push(earlier)
  }
  return shared.flatMap((one) => asReason(one["test"]))
}

/**
 * `Effect.logInfo`: its level; `refuse("ReasonOfIt", …)`: that; `Command.make("run").pipe(…)` and options: their names.
 */
const ofCall = (node: Node, below: Node | undefined, syntax: Syntax): ReadonlyArray<string> => {
  const { callee } = node
  if (!isNode(callee)) return []
  const called = syntax.sourceOf(callee)
  const level = /^Effect\.log([A-Z]\w*)?$/.exec(called)
  if (level !== null) return [`log ${(level[1] ?? "info").toLowerCase()}`]
  const named = expressions(node["arguments"])
  const made = nameMade(called, named[0]) ?? (called.endsWith(".pipe") ? madeBefore(callee, syntax) : undefined)
  if (made !== undefined) return [made]
  const first = named[0]
  return first !== undefined && first !== below ? asReason(first) : []
}

const nameMade = (called: string, first: Node | undefined): string | undefined => {
  const name = literal(first)
  if (name === undefined) return undefined
  if (called === "Command.make") return `command ${name}`
  return /^(Flag|Argument)\.[A-Z]/.test(called) ? `--${name}` : undefined
}

/** What the calls to the left of a `.pipe` made. */
const madeBefore = (callee: Node, syntax: Syntax): string | undefined => {
  for (let at: unknown = callee["object"]; isNode(at);) {
    if (at.type === "CallExpression" && isNode(at["callee"])) {
      const made = nameMade(syntax.sourceOf(at["callee"]), expressions(at["arguments"])[0])
      if (made !== undefined) return made
      at = at["callee"]
    } else at = at["object"]
  }
  return undefined
}
