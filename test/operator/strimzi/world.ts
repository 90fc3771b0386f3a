import { Effect, Result } from "effect"
import * as RunSpec from "../../../src/identity/RunSpec.ts"
import * as Kind from "../../../src/kubernetes/Kind.ts"
import type { Job, KubeObject } from "../../../src/kubernetes/Objects.ts"
import type { OperatorHarness } from "../../../src/testing/OperatorHarness.ts"

const namespace = "kafka-backup"

/** Of an operator that reads Strimzi's resources. */
export const reading = { settings: { jobs: { image: "kafka-backup:test", strimzi: true } } }

type Behind = OperatorHarness["Service"]["kubernetes"]["behind"]

/** Writes Strimzi's resources as Strimzi does: the status in a request of its own. */
export const strimziIn = (behind: Behind, kinds = { Kafka: Kind.strimziKafkasV1, KafkaUser: Kind.strimziUsersV1 }) => {
  const kindOf = ({ kind }: KubeObject) => kinds[kind as keyof typeof kinds]
  const publish = (object: KubeObject) =>
    behind.patch(kindOf(object), { namespace, name: object.metadata.name }, { status: object.status }, "status")
  return {
    publish,
    apply: (object: KubeObject) => {
      const kind = kindOf(object)
      return Effect.andThen(behind.create(kind, { ...object, apiVersion: kind.apiVersion }), publish(object))
    },
    remove: (object: KubeObject) => behind.remove(kindOf(object), { namespace, name: object.metadata.name })
  }
}

interface Variable {
  readonly name: string
  readonly value?: string
}

/** The backup that a Job carries. */
export const carriedBy = ({ spec }: Job) => {
  const { template } = spec as {
    readonly template: {
      readonly spec: { readonly containers: ReadonlyArray<{ readonly env: ReadonlyArray<Variable> }> }
    }
  }
  const text = template.spec.containers[0]?.env.find(({ name }) => name === "KAFKA_BACKUP_RUN_SPEC")?.value ?? ""
  return Result.getOrThrow(RunSpec.decode(text)).backup
}
