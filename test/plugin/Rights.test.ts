import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { parseAllDocuments } from "yaml"
import * as Rights from "../../src/plugin/Rights.ts"

interface Role {
  readonly metadata: { readonly name: string }
  readonly rules: ReadonlyArray<{ readonly resources: ReadonlyArray<string>; readonly verbs: ReadonlyArray<string> }>
}

const roles = parseAllDocuments(
  readFileSync(new URL("../../deploy/base/user-roles.yaml", import.meta.url), "utf8")
).map((document) => document.toJS() as Role)

/** What the commands of the plugin do with resources of this group. */
const used = [
  ["get", "kafkabackups"],
  ["list", "kafkabackups"],
  ["patch", "kafkabackups"],
  ["get", "kafkarestores"],
  ["list", "kafkarestores"],
  ["create", "kafkarestores"],
  ["patch", "kafkarestores"]
] as const

describe("the role of a right that is missing", () => {
  it.each(used)("to %s %s holds it", (verb, plural) => {
    const [, name] = /--clusterrole=(\S+)/.exec(Rights.advice({ verb, plural }, "shop"))!
    const role = roles.find(({ metadata }) => metadata.name === name)
    assert.isTrue(
      role?.rules.some(({ resources, verbs }) => resources.includes(plural) && verbs.includes(verb)),
      name
    )
  })

  it("is bound in one namespace, or in all where that was asked for", () => {
    assert.include(Rights.advice({ verb: "list", plural: "kafkabackups" }, "shop"), "create rolebinding NAME -n shop")
    assert.match(
      Rights.advice({ verb: "list", plural: "kafkabackups" }, undefined),
      /an administrator of the cluster grants it: kubectl create clusterrolebinding .*; or name one namespace with -n$/
    )
  })

  it("is one of Kubernetes for logs and pods", () => {
    assert.include(Rights.advice({ verb: "get", plural: "pods/log" }, "shop"), "--clusterrole=view")
  })

  it("is at once the whole role of the commands that make Jobs", () => {
    for (const verb of ["list", "create", "delete"]) {
      assert.include(Rights.advice({ verb, plural: "jobs" }, "shop"), "--clusterrole=kafka-backup-commands")
    }
    assert.include(Rights.advice({ verb: "get", plural: "jobs" }, "shop"), "--clusterrole=view")
  })
})
