import { describe, it } from "vitest"
import type * as Kafka from "../../scripts/services/Kafka.ts"
import * as Running from "../../scripts/services/Services.ts"

/**
 * `kafkaSecurity` is the broker's secured listeners: there only when we started the broker ourselves.
 * `controlPlane` is the API server where it is ours, so that nodes can be added (ProcessNode.ts).
 * `java` is the independent loader and reader (JavaKafka.ts).
 */
export type Need = Running.Name | "kafkaSecurity" | "controlPlane"

const isOff = process.env["KBO_SERVICES"] === "off"

/** With CI=true or KBO_REQUIRE_SERVICES=1 a missing service fails instead of being skipped. */
export const areRequired = process.env["CI"] === "true" || process.env["KBO_REQUIRE_SERVICES"] === "1"

const nothing: Running.Services = { missing: {}, ownerPid: 0 }

/**
 * Services that can be used now: those that environment variables name, and beside them those that `npm test` or a
 * running `npm run services` announced. KBO_SERVICES=off hides all of them.
 */
export const services: Running.Services = isOff ? nothing : Running.available(process.env["KBO_SERVICES_FILE"])

/** A service, present. */
type Present<N extends Need> = {
  readonly [K in Exclude<N, "kafkaSecurity" | "controlPlane">]: NonNullable<Running.Services[K]>
} & ("kafkaSecurity" extends N
  ? { readonly kafka: Kafka.KafkaBroker & { readonly security: Kafka.KafkaSecurity } }
  : unknown) &
  ("controlPlane" extends N ? { readonly apiserver: NonNullable<Running.Services["apiserver"]> } : unknown)

const isThere = (need: Need): boolean =>
  need === "kafkaSecurity"
    ? services.kafka?.security !== undefined
    : need === "controlPlane"
      ? services.apiserver?.pid !== undefined
      : services[need] !== undefined

/** What is known only of services that we started: which service that is, and what the environment named instead. */
const parts = {
  kafkaSecurity: {
    of: "kafka",
    given: "KBO_KAFKA_BOOTSTRAP names a broker of whose secured listeners nothing is known"
  },
  controlPlane: { of: "apiserver", given: "KBO_KUBECONFIG names a cluster that is not ours to add nodes to" }
} as const

/** Why `need` cannot be met, or undefined when it can. */
export const reasonMissing = (need: Need): string | undefined => {
  if (isThere(need)) return undefined
  if (isOff) return `${need}: switched off (KBO_SERVICES=off)`
  const part = need === "kafkaSecurity" || need === "controlPlane" ? parts[need] : undefined
  const reason = services.missing[part?.of ?? need]?.split("\n")[0]
  if (reason !== undefined) return `${need}: ${reason}`
  return part !== undefined && services[part.of] !== undefined
    ? `${need}: ${part.given}`
    : `${need}: not running (npm run services)`
}

const isOptional = (need: Need): boolean => (Running.optional as ReadonlyArray<string>).includes(need)

/**
 * `describe` for tests that need real services. When one is missing the block is reported as skipped, with the reason
 * in its name, or fails where services are required and it is not an optional one.
 */
export const describeWith = <const N extends Need>(
  needs: N | ReadonlyArray<N>,
  name: string,
  tests: (services: Present<N>) => void
): void => {
  const list = typeof needs === "string" ? [needs] : needs
  const reasons = list.map(reasonMissing).filter((reason) => reason !== undefined)
  const isRequired = areRequired && list.some((need) => !isOptional(need) && reasonMissing(need) !== undefined)
  if (reasons.length === 0) {
    describe(name, () => tests(services as unknown as Present<N>))
  } else if (isRequired) {
    describe(name, () => {
      it(`has its services (${reasons.join("; ")})`, () => {
        throw new Error(`missing services are not accepted here: ${reasons.join("; ")}`)
      })
    })
  } else {
    describe.skip(`${name} (skipped: ${reasons.join("; ")})`, () => {
      it("needs its services", () => {})
    })
  }
}
