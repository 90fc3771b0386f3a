import type { KafkaError } from "../kafka/KafkaError.ts"
import { ObjectStoreError, StoreUnavailable } from "../storage/ObjectStoreError.ts"
import type { FailureClassifier } from "./Breaker.ts"

const minutes = (millis: number) => `${Math.round(millis / 6000) / 10} min`

const retryAfterMillis = ({ reason }: ObjectStoreError) =>
  reason._tag === "StoreUnavailable" ? reason.retryAfterMillis : undefined

const ifItLasts = ({ reason }: ObjectStoreError) =>
  reason._tag === "StoreUnavailable" && reason.ifItLasts !== undefined ? { ifItLasts: reason.ifItLasts } : {}

/**
 * An object that exists or does not exist shows that the store works. Only failures that waiting may cure count against
 * it.
 */
export const storage: FailureClassifier<ObjectStoreError> = {
  classify: (error) => {
    if (error.isRetryable) return "unavailable"
    return error.reason._tag === "ObjectNotFound" || error.reason._tag === "ObjectExists" ? "answered" : "unrelated"
  },
  retryAfterMillis,
  timedOut: (last, millis) => {
    const asked = retryAfterMillis(last)
    const wait = asked === undefined ? "" : `, and the store asks for a wait of ${Math.ceil(asked / 1000)} s`
    const detail = `no request succeeded for ${minutes(millis)}${wait}; last failure: ${last.reason.message}`
    return new ObjectStoreError({
      operation: last.operation,
      location: last.location,
      reason: new StoreUnavailable({ detail, cause: last.reason, ...ifItLasts(last) })
    })
  }
}

/**
 * Lost connections and time-outs, also those of the server that issues tokens, count against a broker. Any answer, even
 * an error code, shows that the broker works.
 */
export const broker: FailureClassifier<KafkaError> = {
  classify: ({ isRetryable, reason }) =>
    (reason._tag === "BrokerUnreachable" || reason._tag === "TokenUnavailable") && isRetryable
      ? "unavailable"
      : "unrelated",
  retryAfterMillis: () => undefined,
  timedOut: (last) => last
}
