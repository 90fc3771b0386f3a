import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { parse } from "yaml"
import { version } from "../../src/version.ts"
import { alternatives } from "./chartValues.ts"
import { type Json, objectsOf, one, root } from "./manifests.ts"

const folder = `${root}deploy/helm/kafka-backup-operator/`
const text = readFileSync(`${folder}values.yaml`, "utf8")
const values = parse(text) as Json

/** Paths of the values; one that `alternatives` names is one value, whatever it holds. */
const paths = (value: unknown, path: string): ReadonlyArray<string> =>
  path in alternatives || typeof value !== "object" || value === null || Array.isArray(value)
    ? [path]
    : Object.entries(value).flatMap(([key, inner]) => paths(inner, path === "" ? key : `${path}.${key}`))

/** Whether a line is a key with a comment directly above. */
const commented = (): ReadonlySet<string> => {
  const found = new Set<string>()
  const above: Array<string> = []
  const lines = text.split("\n")
  for (const [index, line] of lines.entries()) {
    const match = /^( *)(\w+):/u.exec(line)
    if (match === null) continue
    const [, indent = "", key = ""] = match
    above.length = indent.length / 2
    above.push(key)
    if (/^ *#/u.test(lines[index - 1] ?? "")) found.add(above.join("."))
  }
  return found
}

describe("the Helm chart's values", () => {
  it("are those whose effect is tested; the dashboard's have a test of their own", () => {
    assert.sameMembers(
      paths(values, "").filter((path) => !path.startsWith("monitoring.dashboard.")),
      Object.keys(alternatives)
    )
  })

  it("are each described in values.yaml, with a comment of their own or of their group", () => {
    const described = commented()
    for (const path of Object.keys(alternatives)) {
      const group = path.slice(0, Math.max(0, path.lastIndexOf(".")))
      assert.isTrue(described.has(path) || described.has(group), path)
    }
  })

  it("are those that the schema knows, all of them", () => {
    const keys = (schema: Json, value: Json, path: string): void => {
      if (schema["properties"] === undefined) return
      const known = Object.keys(schema["properties"]).filter((key) => key !== "global")
      assert.sameMembers(known, Object.keys(value), path)
      for (const key of known) {
        const inner = value[key]
        if (schema["properties"][key].type === "object") keys(schema["properties"][key], inner, `${path}.${key}`)
      }
    }
    const schema = JSON.parse(readFileSync(`${folder}values.schema.json`, "utf8")) as Json
    const { resources, ...others } = schema["properties"]
    assert.sameMembers(Object.keys(resources.properties), ["requests", "limits", "claims"])
    const { resources: _, ...otherValues } = values
    keys({ properties: others }, otherValues, "values")
  })

  it("for the definitions are the same in both charts", () => {
    const alone = parse(readFileSync(`${folder}charts/kafka-backup-crds/values.yaml`, "utf8"))
    assert.deepStrictEqual({ enabled: true, ...alone }, values["crds"])
  })
})

describe("the Helm chart's version", () => {
  it("is the program's, in both charts and in the image of deploy/", () => {
    for (const name of ["", "charts/kafka-backup-crds/"]) {
      const description = parse(readFileSync(`${folder}${name}Chart.yaml`, "utf8")) as Json
      assert.deepInclude(description, { version, appVersion: version })
      for (const part of description["dependencies"] ?? []) assert.strictEqual(part.version, version)
    }
    const [{ image }] = one(objectsOf("base/deployment.yaml"), "Deployment")["spec"].template.spec.containers
    assert.isTrue(image.endsWith(`:${version}`))
  })
})
