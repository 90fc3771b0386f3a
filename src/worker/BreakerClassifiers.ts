import type { KafkaError } from "../kafka/KafkaError.ts"
import { ObjectStoreError, StoreUnavailable } from "../storage/ObjectStoreError.ts"
import type { FailureClassifier } from "./Breaker.ts"

const minutes = (millis: number) => `${Math.round(millis / 6000) / 10} min`

const askedMillis = ({ reason }: ObjectStoreError) =>
  reason._tag === "StoreUnavailable" ? reason.retryAfterMillis : undefined

/** An object that is or is not there shows a store that works; only what waiting may cure counts against it. */
export const storage: FailureClassifier<ObjectStoreError> = {
  verdict: (error) => {
    if (error.isRetryable) return "blamed"
    return error.reason._tag === "ObjectNotFound" || error.reason._tag === "ObjectExists" ? "answered" : "unrelated"
  },
  retryAfterMillis: askedMillis,
  givenUp: (error, millis) => {
    const asked = askedMillis(error)
    const wish = asked === undefined ? "" : `, and asks us to wait ${Math.ceil(asked / 1000)} s`
    const detail = `no success for ${minutes(millis)}${wish}; at last: ${error.reason.message}`
    return new ObjectStoreError({
      operation: error.operation,
      location: error.location,
      reason: new StoreUnavailable({ detail, cause: error.reason })
    })
  }
}

/** Lost connections and time-outs count against a broker; what it says, error codes included, shows that it works. */
export const broker: FailureClassifier<KafkaError> = {
  verdict: ({ isRetryable, reason }) => (reason._tag === "BrokerUnreachable" && isRetryable ? "blamed" : "unrelated"),
  retryAfterMillis: () => undefined,
  givenUp: (error) => error
}
