import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseAllDocuments } from "yaml"

/** Any Kubernetes object, as JSON. */
export interface Json {
  readonly [key: string]: any
}

export interface Rule {
  readonly apiGroups?: ReadonlyArray<string>
  readonly resources?: ReadonlyArray<string>
  readonly resourceNames?: ReadonlyArray<string>
  readonly nonResourceURLs?: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
}

export const root = fileURLToPath(new URL("../..", import.meta.url))

export const parseAll = (text: string): ReadonlyArray<Json> =>
  parseAllDocuments(text).map((document) => {
    const [problem] = document.errors
    if (problem !== undefined) throw problem
    return document.toJS() as Json
  })

/** The objects of a file below deploy/. */
export const objectsOf = (file: string): ReadonlyArray<Json> => parseAll(readFileSync(`${root}deploy/${file}`, "utf8"))

export const one = (objects: ReadonlyArray<Json>, kind: string, name?: string): Json => {
  const found = objects.filter(
    (object) => object["kind"] === kind && (name ?? object["metadata"].name) === object["metadata"].name
  )
  if (found.length !== 1) throw new Error(`${found.length} objects ${kind} ${name ?? ""}`)
  return found[0]!
}

/** A right as one line: `batch jobs get`, and the object's name where it is for that one only. */
export const lines = (rules: ReadonlyArray<Rule>): ReadonlyArray<string> =>
  rules
    .flatMap(({ apiGroups = [], resourceNames, resources = [], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            (resourceNames ?? [""]).map((name) => `${group || "core"} ${resource} ${verb} ${name}`.trimEnd())
          )
        )
      )
    )
    .toSorted()

/** Exactly the rights that the operator needs in the namespaces that it watches. */
export const operatorRights: ReadonlyArray<Rule> = [
  { apiGroups: ["kafka.oso.sh"], resources: ["kafkabackups"], verbs: ["get", "list", "watch", "patch"] },
  {
    apiGroups: ["kafka.oso.sh"],
    resources: ["kafkarestores", "kafkaoffsetresets", "kafkaoffsetrollbacks"],
    verbs: ["get", "list", "watch"]
  },
  {
    apiGroups: ["kafka.oso.sh"],
    resources: [
      "kafkabackups/status",
      "kafkarestores/status",
      "kafkaoffsetresets/status",
      "kafkaoffsetrollbacks/status"
    ],
    verbs: ["patch"]
  },
  {
    apiGroups: ["kafka.oso.sh"],
    resources: [
      "kafkabackups/finalizers",
      "kafkarestores/finalizers",
      "kafkaoffsetresets/finalizers",
      "kafkaoffsetrollbacks/finalizers"
    ],
    verbs: ["update"]
  },
  { apiGroups: ["batch"], resources: ["jobs"], verbs: ["get", "list", "watch", "create", "patch", "delete"] },
  { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["list", "create", "patch"] }
]

/** And in its own namespace, for the election. */
export const electionRights: ReadonlyArray<Rule> = [
  {
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    resourceNames: ["kafka-backup-operator"],
    verbs: ["get", "update"]
  },
  { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] }
]
