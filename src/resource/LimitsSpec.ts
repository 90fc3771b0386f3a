import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

export const RateLimitSpec = Field.object(
  {
    bytesPerSecond: Field.optional(
      Field.integer({
        description:
          "Ceiling on the bytes fetched from Kafka, per second, for the whole backup, and on those that verification reads again afterwards; 104857600 is 100 MiB/s.",
        rules: [Rule.atLeast(1, "must be 1 or more; remove it for no limit, suspend: true stops scheduled backups")]
      })
    ),
    recordsPerSecond: Field.optional(
      Field.integer({
        description: "Ceiling on the records read from Kafka, per second, for the whole backup.",
        rules: [Rule.atLeast(1, "must be 1 or more; remove it for no limit, suspend: true stops scheduled backups")]
      })
    )
  },
  { description: "Ceilings that protect the cluster from the backup. Absent: none." }
)
export type RateLimitSpec = typeof RateLimitSpec.Type

export const CircuitBreakerSpec = Field.object(
  {
    enabled: Field.withDefault(
      Field.flag({ description: "Pause instead of retrying constantly while brokers or storage keep failing." }),
      true
    ),
    failureThreshold: Field.withDefault(
      Field.integer({ description: "Consecutive failures that open the breaker.", minimum: 1, maximum: 1000 }),
      5
    ),
    resetTimeoutSecs: Field.withDefault(
      Field.integer({
        description: "Seconds that the breaker stays open before one attempt is let through.",
        minimum: 1,
        maximum: 3600
      }),
      60
    )
  },
  { description: "What happens when brokers or storage keep failing." }
)
export type CircuitBreakerSpec = typeof CircuitBreakerSpec.Type
