import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { parse } from "yaml"

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
const page = file("docs/guides/install.md").replaceAll(/\s+/gu, " ")
const definitions = readdirSync(new URL("../../crds", import.meta.url))
  .filter((name) => name !== "kustomization.yaml")
  .map((name) => parse(file(`crds/${name}`)).spec.names as { readonly kind: string; readonly plural: string })

describe("docs/guides/install.md", () => {
  it("names every CustomResourceDefinition, and how many there are", () => {
    const count = ["none", "one", "two", "three", "four", "five", "six"][definitions.length]!
    const kinds = definitions.map(({ kind }) => `\`${kind}\``).toSorted((a, b) => page.indexOf(a) - page.indexOf(b))
    assert.include(page, `${count} CustomResourceDefinitions (${kinds.join(", ")})`)
  })

  it("has every resource of the operator's role in its table of rights", () => {
    const role = file("deploy/overlays/cluster-wide/cluster-role.yaml")
    const resources = [...role.matchAll(/\b(kafka\w+|jobs|pods|events)\b(?=[,\]\n/])/gu)].map(([, name]) => name!)
    const table = page.slice(page.indexOf("## Rights"), page.indexOf("There are no rights on Secrets"))
    for (const { plural } of definitions) assert.include(resources, plural)
    for (const name of new Set(resources)) assert.include(table, `\`${name}\``)
  })
})
