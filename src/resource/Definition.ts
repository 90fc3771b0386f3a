import { stringify } from "yaml"
import { apiVersion, group, version } from "./KafkaBackup.ts"
import type * as Rule from "./Rule.ts"
import type { StructuralSchema } from "./StructuralSchema.ts"

/** A column of `kubectl get`. Those of priority 1 are printed with `-o wide` only. */
export interface Column {
  readonly name: string
  readonly type: "string" | "integer" | "boolean" | "date"
  readonly jsonPath: string
  readonly description?: string
  readonly priority?: number
}

/** A rule over the whole resource; of metadata the API server shows it the name only. */
export interface RootRule {
  readonly rule: string
  readonly message: string
  readonly reason?: Rule.Reason
  readonly fieldPath?: string
}

export interface Parts {
  readonly kind: string
  readonly plural: string
  readonly shortName: string
  readonly description: string
  readonly columns: ReadonlyArray<Column>
  readonly spec: StructuralSchema
  readonly status: StructuralSchema
  readonly rules: ReadonlyArray<RootRule>
}

/** The CustomResourceDefinition of a kind of this API. */
export const make = ({ columns, description, kind, plural, rules, shortName, spec, status }: Parts) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: "Namespaced",
    names: {
      kind,
      listKind: `${kind}List`,
      plural,
      singular: kind.toLowerCase(),
      shortNames: [shortName],
      // Not "kafka" or "backup": a category hides resources of that name, and other operators have them.
      categories: ["kafka-backup"]
    },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: columns,
        schema: {
          openAPIV3Schema: {
            description,
            type: "object",
            required: ["spec"],
            properties: {
              apiVersion: { description: apiVersion, type: "string" },
              kind: { description: kind, type: "string" },
              metadata: { type: "object" },
              spec,
              status
            },
            "x-kubernetes-validations": rules
          }
        }
      }
    ]
  }
})

const header = `# Generated from src/resource by "npm run crd". Do not edit: change the schema and run it again.\n`

/** The definition as YAML, byte for byte the same for the same schema. */
export const yaml = (definition: ReturnType<typeof make>): string =>
  header + stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })
