import * as Field from "./Field.ts"

/*
 * Kubernetes' own Affinity, spelled out so that a typing error is refused at `kubectl apply` instead of being dropped. What
 * the fields mean beyond these lines is Kubernetes' documentation of pod affinity.
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

const weight = Field.integer({ description: "1 to 100; more weighs more.", minimum: 1, maximum: 100 })

const NodeAffinity = Field.object(
  {
    requiredDuringSchedulingIgnoredDuringExecution: Field.optional(
      Field.object(
        {
          nodeSelectorTerms: Field.list(nodeTerm("Requirements that a node meets all of."), {
            description: "Alternatives; a node that meets one of them will do.",
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
        { description: "What a node had better meet.", maxItems: 50 }
      )
    )
  },
  { description: "Which nodes the pod is drawn to." }
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
      topologyKey: shortText("Node label that says what 'together' means, for example kubernetes.io/hostname."),
      labelSelector: Field.optional(labelSelector("Which pods are meant.")),
      namespaceSelector: Field.optional(labelSelector("Namespaces to look in, by label.")),
      namespaces: Field.optional(
        Field.list(shortText("A namespace."), {
          description: "Namespaces to look in. Absent: the resource's own.",
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
          { description: "What had better hold.", maxItems: 50 }
        )
      )
    },
    { description }
  )

export const AffinitySpec = Field.object(
  {
    nodeAffinity: Field.optional(NodeAffinity),
    podAffinity: Field.optional(podAffinity("Which pods this pod is drawn to.")),
    podAntiAffinity: Field.optional(podAffinity("Which pods this pod keeps away from."))
  },
  { description: "Affinity of the pod, as in a Pod." }
)
export type AffinitySpec = typeof AffinitySpec.Type
