import { Schema } from "effect"

/*
 * What is read of Strimzi's resources, of versions v1 and v1beta2 alike. Everything else of them is ignored. Source:
 * the CustomResourceDefinitions of Strimzi, kafkas.kafka.strimzi.io and kafkausers.kafka.strimzi.io.
 */

const Metadata = Schema.Struct({
  generation: Schema.optionalKey(Schema.Number),
  deletionTimestamp: Schema.optionalKey(Schema.String),
  labels: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})

const Conditions = Schema.Array(
  Schema.Struct({
    type: Schema.optionalKey(Schema.String),
    status: Schema.optionalKey(Schema.String),
    reason: Schema.optionalKey(Schema.String),
    message: Schema.optionalKey(Schema.String)
  })
)
export type Conditions = typeof Conditions.Type

const Listener = Schema.Struct({
  name: Schema.String,
  tls: Schema.optionalKey(Schema.Boolean),
  authentication: Schema.optionalKey(Schema.Struct({ type: Schema.String })),
  configuration: Schema.optionalKey(Schema.Struct({ brokerCertChainAndKey: Schema.optionalKey(Schema.Unknown) }))
})
export type Listener = typeof Listener.Type

export const Kafka = Schema.Struct({
  metadata: Metadata,
  spec: Schema.Struct({
    kafka: Schema.Struct({ listeners: Schema.optionalKey(Schema.Array(Listener)) })
  }),
  status: Schema.optionalKey(
    Schema.Struct({
      conditions: Schema.optionalKey(Conditions),
      listeners: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            name: Schema.optionalKey(Schema.String),
            bootstrapServers: Schema.optionalKey(Schema.String)
          })
        )
      )
    })
  )
})
export type Kafka = typeof Kafka.Type

export const KafkaUser = Schema.Struct({
  metadata: Metadata,
  spec: Schema.optionalKey(
    Schema.Struct({ authentication: Schema.optionalKey(Schema.Struct({ type: Schema.String })) })
  ),
  status: Schema.optionalKey(
    Schema.Struct({
      conditions: Schema.optionalKey(Conditions),
      observedGeneration: Schema.optionalKey(Schema.Number),
      username: Schema.optionalKey(Schema.String),
      secret: Schema.optionalKey(Schema.String)
    })
  )
})
export type KafkaUser = typeof KafkaUser.Type
