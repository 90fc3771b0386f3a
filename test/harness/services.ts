import { describe, it } from "vitest"
import * as Running from "../../scripts/services/Services.ts"

/**
 * `kafkaSecurity` is the broker's secured listeners: there only when we started the broker ourselves.
 * `java` is the independent loader and reader (JavaKafka.ts).
 */
export type Need = Running.Name | "kafkaSecurity"

const isOff = process.env["KBO_SERVICES"] === "off"

/** With CI=true or KBO_REQUIRE_SERVICES=1 a missing service fails instead of being skipped. */
export const areRequired = process.env["CI"] === "true" || process.env["KBO_REQUIRE_SERVICES"] === "1"

const nothing: Running.Services = { missing: {}, ownerPid: 0 }

/**
 * Services that can be used now: those that environment variables name, and beside them those that `npm test` or a running
 * `npm run services` announced. KBO_SERVICES=off hides all of them.
 */
export const services: Running.Services = isOff ? nothing : Running.available(process.env["KBO_SERVICES_FILE"])

/** A service, present. */
type Present<N extends Need> = {
  readonly [K in Exclude<N, "kafkaSecurity">]: NonNullable<Running.Services[K]>
} & ("kafkaSecurity" extends N
  ? { readonly kafka: Running.KafkaBroker & { readonly security: Running.KafkaSecurity } }
  : unknown)

/** Why `need` cannot be met, or undefined when it can. */
export const reasonMissing = (need: Need): string | undefined => {
  const name = need === "kafkaSecurity" ? "kafka" : need
  const isThere = need === "kafkaSecurity" ? services.kafka?.security !== undefined : services[need] !== undefined
  if (isThere) return undefined
  if (isOff) return `${need}: switched off (KBO_SERVICES=off)`
  const reason = services.missing[name]?.split("\n")[0]
  if (reason !== undefined) return `${need}: ${reason}`
  return need === "kafkaSecurity" && services.kafka !== undefined
    ? `${need}: KBO_KAFKA_BOOTSTRAP names a broker of whose secured listeners nothing is known`
    : `${need}: not running (npm run services)`
}

/**
 * `describe` for tests that need real services. When one is missing the block is reported as skipped, with the reason in its
 * name, or fails where services are required.
 */
export const describeWith = <const N extends Need>(
  needs: N | ReadonlyArray<N>,
  name: string,
  tests: (services: Present<N>) => void
): void => {
  const list = typeof needs === "string" ? [needs] : needs
  const reasons = list.map(reasonMissing).filter((reason) => reason !== undefined)
  if (reasons.length === 0) {
    describe(name, () => tests(services as unknown as Present<N>))
  } else if (areRequired) {
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
