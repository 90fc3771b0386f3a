import { isNode, type Node, type Syntax } from "./Syntax.ts"

/** Names of fields, getters, variables and parameters that hold what a person reads. */
export const names: ReadonlySet<string> = new Set([
  "advice",
  "description",
  "detail",
  "help",
  "hint",
  "meaning",
  "message",
  "name",
  "note",
  "problem",
  "summary",
  "text",
  "title",
  "todo",
  "why"
])

/** Calls whose texts a person reads, and what they are called in the catalogue. */
const calls: ReadonlyArray<readonly [pattern: RegExp, slot: string]> = [
  [/^Effect\.log(Debug|Info|Warning|Error|Fatal)?$/, "log"],
  [/^Command\.with(Short)?Description$/, "help"],
  [/^(Flag|Argument)\.withDescription$/, "help"],
  [/^process\.std(out|err)\.write$/, "output"],
  [/^(Error|super)$/, "error"]
]

/** Nodes through which a text reaches the place where it is used unchanged. */
const passages = new Set([
  "ArrayExpression",
  "ArrowFunctionExpression",
  "ConditionalExpression",
  "FunctionBody",
  "BlockStatement",
  "ReturnStatement",
  "SwitchCase",
  "SwitchStatement",
  "IfStatement",
  "ParenthesisExpression",
  "TsAsExpression",
  "TsConstAssertion",
  "TsSatisfiesExpression"
])

const nameOf = (node: Node, syntax: Syntax): string => {
  const key = node["key"] ?? node["id"]
  return isNode(key) ? (typeof key["value"] === "string" ? key["value"] : syntax.sourceOf(key)) : ""
}

/** What a text is used as: `advice`, `message`, `log`, `help`; undefined where its place does not say. */
export const of = (ancestors: ReadonlyArray<Node>, syntax: Syntax): string | undefined => {
  const place = ancestors.findLast((node) => !passages.has(node.type) && !isShortCircuit(node))
  switch (place?.type) {
    case "KeyValueProperty":
    case "ClassProperty":
    case "ClassMethod":
    case "GetterProperty":
    case "VariableDeclarator": {
      const name = nameOf(place, syntax)
      return names.has(name) ? name : undefined
    }
    case "CallExpression":
    case "NewExpression": {
      const callee = isNode(place["callee"]) ? syntax.sourceOf(place["callee"]) : ""
      return calls.find(([pattern]) => pattern.test(callee))?.[1]
    }
    default:
      return undefined
  }
}

const isShortCircuit = ({ operator, type }: Node): boolean =>
  type === "BinaryExpression" && (operator === "??" || operator === "||" || operator === "&&")
