import { readFileSync } from "node:fs"
import type { Acl, AclOperation } from "../harness/JavaKafka.ts"

/* Permissions as a guide gives them, in lines that begin with `acls --`. */

const resources: Readonly<Record<string, Acl["resource"]>> = {
  topic: "TOPIC",
  group: "GROUP",
  "transactional-id": "TRANSACTIONAL_ID"
}

const grantedBy = (line: string, names: Readonly<Record<string, string>>): ReadonlyArray<Acl> => {
  const operations = [...line.matchAll(/--operation (\w+)/g)].map(
    ([, name = ""]) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase() as AclOperation
  )
  const [, kind = "", name = ""] = /--(topic|group|transactional-id) (\S+)/.exec(line) ?? []
  const where: Omit<Acl, "user" | "operations"> = line.includes("--cluster")
    ? { resource: "CLUSTER" }
    : {
        resource: resources[kind]!,
        name: names[name] ?? name,
        pattern: line.includes("prefixed") ? "PREFIXED" : "LITERAL"
      }
  return operations.map((operation) => ({ ...where, user: "limited", operations: [operation] }))
}

/** What `docs/guides/{guide}` grants, one entry for each operation; `names` replaces names of the guide. */
export const acls = (guide: string, names: Readonly<Record<string, string>> = {}): ReadonlyArray<Acl> => {
  const text = readFileSync(new URL(`../../docs/guides/${guide}`, import.meta.url), "utf8")
  return [...text.matchAll(/^acls --.+$/gm)].flatMap(([line]) => grantedBy(line, names))
}
