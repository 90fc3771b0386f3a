import { Fleet } from "../scripts/services/Fleet.ts"
import * as Services from "../scripts/services/Services.ts"
import type { Place } from "./Topics.ts"

/** A broker to read from, the object stores that were asked for and could be had, and how to be rid of both. */
export interface Broker {
  readonly place: Place
  readonly services: Partial<Services.Services>
  readonly stop: () => Promise<void>
}

/** What the environment or a running `npm run services` names; else services of our own, for as long as we run. */
export const open = async (stores: ReadonlyArray<Services.Name>): Promise<Broker> => {
  const there = Services.available()
  if (there.kafka !== undefined && there.java !== undefined) {
    const place = { bootstrap: there.kafka.plaintext, classpath: there.java.classpath }
    return { place, services: there, stop: () => Promise.resolve() }
  }
  const fleet = new Fleet()
  const services = await Services.start(fleet, ["kafka", "java", ...stores])
  const { java, kafka, missing } = services
  if (kafka !== undefined && java !== undefined) {
    const place = { bootstrap: kafka.plaintext, classpath: java.classpath }
    return { place, services, stop: () => fleet.stop() }
  }
  await fleet.stop()
  throw new Error(`there is no Kafka to measure with: ${Object.values(missing).join("; ")}`)
}
