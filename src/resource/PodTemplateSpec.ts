import { AffinitySpec } from "./AffinitySpec.ts"
import * as Field from "./Field.ts"
import { objectName, secretName, subdomain } from "./Name.ts"
import { HostAliases, Variables } from "./PodNetwork.ts"
import * as Rule from "./Rule.ts"

const metadataKey = "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
const metadataKeyRegExp = new RegExp(metadataKey, "u")

const wellFormedKeys = (what: string) =>
  Rule.rule<{ readonly [key: string]: string }>({
    cel: `self.all(k, k.matches(r'${metadataKey}'))`,
    message: `${what} must be a name of at most 63 letters, digits, '-', '_' and '.', with an optional prefix such as example.com/`,
    holds: (self) => Object.keys(self).every((key) => metadataKeyRegExp.test(key))
  })

const reserved = "^((.+[.])?kafka[.]oso[.]sh|batch[.]kubernetes[.]io)/"
const reservedRegExp = new RegExp(reserved, "u")

/** The Job controller refuses a Job whose template has these with a value of somebody else. */
const ofJobController = "^(job-name|controller-uid)$"
const ofJobControllerRegExp = new RegExp(ofJobController, "u")

const noJobControllerKeys = Rule.rule<{ readonly [key: string]: string }>({
  cel: `!self.exists(k, k.matches(r'${ofJobController}'))`,
  message: "labels job-name and controller-uid are set by the Job controller: choose another key, such as app",
  holds: (self) => !Object.keys(self).some((key) => ofJobControllerRegExp.test(key))
})

const noReservedKeys = (what: string) =>
  Rule.rule<{ readonly [key: string]: string }>({
    cel: `!self.exists(k, k.matches(r'${reserved}'))`,
    message: `${what} under kafka.oso.sh/ and batch.kubernetes.io/ are set by the operator and the Job controller: choose another prefix`,
    holds: (self) => !Object.keys(self).some((key) => reservedRegExp.test(key))
  })

const labelValue = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"

const LabelValue = Field.text({
  description: "A label's value.",
  maxLength: 63,
  rules: [
    Rule.matches(
      labelValue,
      "must be a label's value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends, or empty"
    )
  ]
})

const Toleration = Field.object(
  {
    key: Field.optional(
      Field.text({
        description: "Taint key. Absent: all, with operator Exists.",
        maxLength: 317,
        rules: [
          Rule.matches(
            `^$|${metadataKey}`,
            "must be a taint's key: at most 63 letters, digits, '-', '_' and '.', with an optional prefix such as example.com/"
          )
        ]
      })
    ),
    operator: Field.optional(
      Field.choice(["Equal", "Exists", ""], { description: "Equal (default) compares the value, Exists takes any." })
    ),
    value: Field.optional(
      Field.text({
        description: "Taint value, for operator Equal.",
        maxLength: 63,
        rules: [
          Rule.matches(
            labelValue,
            "must be a taint's value: at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends, or empty"
          )
        ]
      })
    ),
    effect: Field.optional(
      Field.choice(["NoSchedule", "PreferNoSchedule", "NoExecute", ""], {
        description: "Taint effect. Absent or empty: all."
      })
    ),
    tolerationSeconds: Field.optional(
      Field.integer({ description: "How long a NoExecute taint is tolerated, in seconds. Absent: forever." })
    )
  },
  {
    description: "One toleration, as in a Pod.",
    rules: [
      Rule.rule({
        cel: "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || self.value == ''",
        message: "operator Exists takes no value: remove value or use operator Equal",
        reason: "FieldValueForbidden",
        fieldPath: ".value",
        holds: (self) => self.operator !== "Exists" || self.value === undefined || self.value === ""
      }),
      Rule.rule({
        cel: "(has(self.key) && self.key != '') || (has(self.operator) && self.operator == 'Exists')",
        message: "a toleration without key needs operator Exists",
        reason: "FieldValueRequired",
        fieldPath: ".key",
        holds: (self) => (self.key !== undefined && self.key !== "") || self.operator === "Exists"
      }),
      Rule.rule({
        cel: "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
        message: "tolerationSeconds has no effect without effect NoExecute: set the effect or remove tolerationSeconds",
        reason: "FieldValueForbidden",
        fieldPath: ".tolerationSeconds",
        holds: (self) => self.tolerationSeconds === undefined || self.effect === "NoExecute"
      })
    ]
  }
)

const ImagePullSecret = Field.object({ name: secretName }, { description: "A Secret for pulling the image." })

export const PodTemplateSpec = Field.object(
  {
    annotations: Field.optional(
      Field.map(Field.text({ description: "An annotation's value.", maxLength: 16_384 }), {
        description: "Annotations of the pod. The operator's own take precedence.",
        maxProperties: 64,
        rules: [wellFormedKeys("an annotation's key"), noReservedKeys("annotations")]
      })
    ),
    labels: Field.optional(
      Field.map(LabelValue, {
        description: "Labels of the pod. The operator's own take precedence.",
        maxProperties: 64,
        rules: [wellFormedKeys("a label's key"), noReservedKeys("labels"), noJobControllerKeys]
      })
    ),
    nodeSelector: Field.optional(
      Field.map(LabelValue, {
        description: "Labels that a node must have.",
        maxProperties: 64,
        rules: [wellFormedKeys("a node label's key")]
      })
    ),
    tolerations: Field.optional(
      Field.list(Toleration, { description: "Taints that the pod tolerates.", maxItems: 32 })
    ),
    affinity: Field.optional(AffinitySpec),
    serviceAccountName: Field.optional(
      objectName(
        "ServiceAccount",
        "ServiceAccount of the pod, in the namespace of this resource; IRSA and workload identities are bound to it. Absent: the namespace's default. The pod needs no rights in Kubernetes."
      )
    ),
    priorityClassName: Field.optional(
      Field.text({
        description: "PriorityClass of the pod.",
        maxLength: 253,
        rules: [Rule.matches(subdomain, "must be a PriorityClass's name: lower case letters, digits, '-' and '.'")]
      })
    ),
    env: Field.optional(Variables),
    hostAliases: Field.optional(HostAliases),
    imagePullSecrets: Field.optional(
      Field.list(ImagePullSecret, {
        description: "Secrets for pulling the image, in the namespace of this resource.",
        maxItems: 16
      })
    )
  },
  { description: "The pod that runs a backup." }
)
export type PodTemplateSpec = typeof PodTemplateSpec.Type
