import * as Field from "./Field.ts"

/*
 * Kubernetes' own Affinity, spelled out so that a typing error is refused at `kubectl apply` instead of being dropped.
 * What the fields mean beyond these lines is Kubernetes' documentation of pod affinity.
 */

const shortText = (description: string) => Field.text({ description, maxLength: 317 })

const nodeRequirement = Field.object(
  {
    key: shortText("Label key of the node."),
    operator: Field.choice(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"], {
      description: "How key and values relate."
    }),
    values: Field.optional(
      Field.list(shortText("A value."), { description: "Values; empty for Exists and DoesNotExist.", maxItems: 100 })
    )
  },
  { description: "One requirement on a node." }
)

const nodeTerm = (description: string) =>
  Field.object(
    {
      matchExpressions: Field.optional(
        Field.list(nodeRequirement, { description: "Requirements on the node's labels.", maxItems: 50 })
      ),
      matchFields: Field.optional(
        Field.list(nodeRequirement, { description: "Requirements on the node's fields.", maxItems: 50 })
      )
    },
    { description }
  )

const weight = Field.integer({ description: "1 to 100; a higher weight counts more.", minimum: 1, maximum: 100 })

const NodeAffinity = Field.object(
  {
    requiredDuringSchedulingIgnoredDuringExecution: Field.optional(
      Field.object(
        {
          nodeSelectorTerms: Field.list(nodeTerm("Requirements; a node must meet all of them."), {
            description: "Alternatives; a node must meet one of them.",
            minItems: 1,
            maxItems: 50
          })
        },
        { description: "What a node must meet." }
      )
    ),
    preferredDuringSchedulingIgnoredDuringExecution: Field.optional(
      Field.list(
        Field.object(
          { weight, preference: nodeTerm("What is preferred.") },
          { description: "One weighted preference." }
        ),
        { description: "What a node should preferably meet.", maxItems: 50 }
      )
    )
  },
  { description: "Which nodes the pod requires or prefers." }
)

const labelSelector = (description: string) =>
  Field.object(
    {
      matchLabels: Field.optional(
        Field.map(Field.text({ description: "A label's value.", maxLength: 63 }), {
          description: "Labels and their values.",
          maxProperties: 64
        })
      ),
      matchExpressions: Field.optional(
        Field.list(
          Field.object(
            {
              key: shortText("Label key."),
              operator: Field.choice(["In", "NotIn", "Exists", "DoesNotExist"], {
                description: "How key and values relate."
              }),
              values: Field.optional(
                Field.list(shortText("A value."), {
                  description: "Values; empty for Exists and DoesNotExist.",
                  maxItems: 100
                })
              )
            },
            { description: "One requirement." }
          ),
          { description: "Requirements on labels.", maxItems: 50 }
        )
      )
    },
    { description }
  )

const labelKeys = (description: string) => Field.list(shortText("A label key."), { description, maxItems: 50 })

const podTerm = (description: string) =>
  Field.object(
    {
      topologyKey: shortText("Node label that defines 'together', for example kubernetes.io/hostname."),
      labelSelector: Field.optional(labelSelector("Which pods this refers to.")),
      namespaceSelector: Field.optional(labelSelector("Namespaces to search, by label.")),
      namespaces: Field.optional(
        Field.list(shortText("A namespace."), {
          description: "Namespaces to search. Absent: the resource's own.",
          maxItems: 50
        })
      ),
      matchLabelKeys: Field.optional(labelKeys("Label keys whose values are taken from the pod itself.")),
      mismatchLabelKeys: Field.optional(labelKeys("Label keys whose values must differ from the pod's own."))
    },
    { description }
  )

const podAffinity = (description: string) =>
  Field.object(
    {
      requiredDuringSchedulingIgnoredDuringExecution: Field.optional(
        Field.list(podTerm("One requirement."), { description: "What must hold.", maxItems: 50 })
      ),
      preferredDuringSchedulingIgnoredDuringExecution: Field.optional(
        Field.list(
          Field.object(
            { weight, podAffinityTerm: podTerm("What is preferred.") },
            { description: "One weighted preference." }
          ),
          { description: "What should preferably hold.", maxItems: 50 }
        )
      )
    },
    { description }
  )

export const AffinitySpec = Field.object(
  {
    nodeAffinity: Field.optional(NodeAffinity),
    podAffinity: Field.optional(podAffinity("Pods that this pod should run near.")),
    podAntiAffinity: Field.optional(podAffinity("Pods that this pod should run apart from."))
  },
  { description: "Affinity of the pod, as in a Pod." }
)
export type AffinitySpec = typeof AffinitySpec.Type
