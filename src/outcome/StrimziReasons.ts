const refusal = (meaning: string) => ({ group: "refusal", meaning }) as const

/** Why no Job can be made because `strimziRef` stands for no cluster. Part of `runReasons`. */
export const strimziReasons = {
  StrimziNotEnabled: refusal("The operator runs without `--strimzi`, so it does not read Strimzi's resources."),
  StrimziNotInstalled: refusal("The API server knows no Kafka or KafkaUser of Strimzi."),
  StrimziNotAllowed: refusal("The operator may not read Strimzi's resources in the namespace."),
  StrimziKafkaMissing: refusal("The Kafka resource does not exist in the namespace, or is being deleted."),
  StrimziListenerUnknown: refusal(
    "The Kafka resource has no listener of that name. The message names those that it has."
  ),
  StrimziListenerNotReady: refusal("Strimzi has published no address of the listener yet."),
  StrimziListenerUnsupported: refusal(
    "The listener has an authentication other than tls and scram-sha-512, or a certificate of its own."
  ),
  StrimziUserMissing: refusal("The KafkaUser does not exist in the namespace, or is being deleted."),
  StrimziUserNotReady: refusal("Strimzi has not made the credentials of the KafkaUser yet."),
  StrimziUserMismatch: refusal(
    "The KafkaUser does not fit the listener: another authentication, another cluster, or one of both without any."
  ),
  StrimziUnreadable: refusal("What Strimzi publishes has another form than expected.")
} as const

export type StrimziReasonName = keyof typeof strimziReasons

/** Every one of them. */
export const strimziReasonNames = Object.keys(strimziReasons) as ReadonlyArray<StrimziReasonName>

/** True for a reason that stands here. */
export const isStrimziReason = (name: string): name is StrimziReasonName => Object.hasOwn(strimziReasons, name)

/** The first of these reasons that a message names. */
export const strimziReasonIn = (message: string): StrimziReasonName | undefined =>
  [...message.matchAll(/\bStrimzi[A-Za-z]+/gu)].map(([word]) => word).find(isStrimziReason)
