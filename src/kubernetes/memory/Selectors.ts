import { Result } from "effect"
import type { Kind } from "../Kind.ts"
import type { Selection } from "../KubernetesApi.ts"
import { Invalid } from "../KubernetesError.ts"
import type { KubeObject } from "../Objects.ts"
import * as Tree from "./Tree.ts"

type Test = (object: KubeObject) => boolean

const terms = (selector: string | undefined): ReadonlyArray<string> =>
  (selector ?? "")
    .split(",")
    .map((term) => term.trim())
    .filter((term) => term !== "")

const labelTest = (term: string): Test => {
  const [, key = "", operator, value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
  const label = (object: KubeObject, name: string) => object.metadata.labels?.[name.trim()]
  if (operator === "!=") return (object) => label(object, key) !== value.trim()
  if (operator !== undefined) return (object) => label(object, key) === value.trim()
  if (term.startsWith("!")) return (object) => label(object, term.slice(1)) === undefined
  return (object) => label(object, term) !== undefined
}

/** Field selectors beside name and namespace, each with the path that it reads. */
const fields: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  events: Object.fromEntries(
    ["kind", "name", "namespace", "uid"].flatMap((field) => [
      [`regarding.${field}`, `regarding.${field}`],
      [`involvedObject.${field}`, `regarding.${field}`]
    ])
  ),
  jobs: { "status.successful": "status.succeeded" },
  pods: { "status.phase": "status.phase", "spec.nodeName": "spec.nodeName" },
  namespaces: { "status.phase": "status.phase" }
}

const fieldTest = (kind: Kind, term: string): Result.Result<Test, Invalid> => {
  const [, field = term, operator = "=", value = ""] = /^([^=!]+)(==|=|!=)(.*)$/.exec(term) ?? []
  const path = /^metadata\.name(space)?$/.test(field) ? field : fields[kind.plural]?.[field]
  if (path === undefined) return Result.fail(new Invalid({ detail: `field label not supported: ${field}` }))
  const read = (object: KubeObject): string => {
    const found = path.split(".").reduce<unknown>((tree, key) => (Tree.isTree(tree) ? tree[key] : undefined), object)
    return typeof found === "string" ? found : found === undefined ? "" : JSON.stringify(found)
  }
  return Result.succeed((object) => (read(object) === value) === (operator !== "!="))
}

/** Whether an object belongs to the selection. */
export const matcher = (
  kind: Kind,
  { namespace, labelSelector, fieldSelector }: Selection
): Result.Result<Test, Invalid> => {
  const tests: Array<Test> = terms(labelSelector).map(labelTest)
  if (namespace !== undefined) tests.push((object) => object.metadata.namespace === namespace)
  for (const term of terms(fieldSelector)) {
    const test = fieldTest(kind, term)
    if (Result.isFailure(test)) return Result.fail(test.failure)
    tests.push(test.success)
  }
  return Result.succeed((object) => tests.every((test) => test(object)))
}
