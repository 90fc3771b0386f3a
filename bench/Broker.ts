import { Fleet } from "../scripts/services/Fleet.ts"
import * as Services from "../scripts/services/Services.ts"
import type { Place } from "./Topics.ts"

/** A broker to read from, and how to be rid of it. */
export interface Broker {
  readonly place: Place
  readonly stop: () => Promise<void>
}

/** The broker that the environment or a running `npm run services` names; else one of our own, for as long as we run. */
export const open = async (): Promise<Broker> => {
  const there = Services.available()
  if (there.kafka !== undefined && there.java !== undefined) {
    const place = { bootstrap: there.kafka.plaintext, classpath: there.java.classpath }
    return { place, stop: () => Promise.resolve() }
  }
  const fleet = new Fleet()
  const { java, kafka, missing } = await Services.start(fleet, ["kafka", "java"])
  if (kafka !== undefined && java !== undefined) {
    return { place: { bootstrap: kafka.plaintext, classpath: java.classpath }, stop: () => fleet.stop() }
  }
  await fleet.stop()
  throw new Error(`there is no Kafka to measure with: ${Object.values(missing).join("; ")}`)
}
