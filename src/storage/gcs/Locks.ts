import { Effect, Option, Schema } from "effect"
import type { Found, Locks } from "../cloud/Remote.ts"
import * as Storing from "../cloud/Storing.ts"
import type { Protection } from "../Protection.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"

/*
 * What a bucket makes of removed objects. It refuses to delete what a retention or a hold protects, unless it has
 * versions: then the object becomes a noncurrent one, and that is called deleted. Every listing says of each object
 * what protects it, so no further request is needed to know.
 */

/** The fields of an object's resource that say it, all optional. */
export const Fields = {
  /** When the bucket's own retention policy lets it go. */
  retentionExpirationTime: Schema.optionalKey(Schema.String),
  retention: Schema.optionalKey(
    Schema.Struct({ mode: Schema.optionalKey(Schema.String), retainUntilTime: Schema.optionalKey(Schema.String) })
  ),
  temporaryHold: Schema.optionalKey(Schema.Boolean),
  eventBasedHold: Schema.optionalKey(Schema.Boolean)
}

/** Their names. */
export const fields = "retentionExpirationTime,retention,temporaryHold,eventBasedHold"

const Facts = Schema.Struct(Fields)

const advice =
  "align the retention of the bucket or its objects with that of backups; the object goes with the first retention after its lock has ended"

export const protection = (
  { eventBasedHold, retention, retentionExpirationTime, temporaryHold }: typeof Facts.Type,
  nowMillis: number
): Protection | undefined => {
  const ends = [retentionExpirationTime, retention?.retainUntilTime].flatMap((time) => {
    const millis = Date.parse(time ?? "")
    return Number.isNaN(millis) ? [] : [millis]
  })
  return Storing.protection(
    ends.length === 0 ? undefined : Math.max(...ends),
    temporaryHold === true || eventBasedHold === true,
    nowMillis
  )
}

const Bucket = Schema.Struct({
  versioning: Schema.optionalKey(Schema.Struct({ enabled: Schema.optionalKey(Schema.Boolean) })),
  softDeletePolicy: Schema.optionalKey(Schema.Struct({ retentionDurationSeconds: Schema.optionalKey(Schema.String) }))
})
const decodeBucket = Schema.decodeUnknownOption(Schema.fromJsonString(Bucket))

/** What becomes of removed bytes by what the bucket says of itself. */
export const afterlifeOf = (text: string): string | undefined => {
  const bucket = Option.getOrUndefined(decodeBucket(text))
  const softSeconds = Number(bucket?.softDeletePolicy?.retentionDurationSeconds ?? 0)
  const how = [
    ...(bucket?.versioning?.enabled === true ? ["as noncurrent versions until a lifecycle rule removes them"] : []),
    ...(softSeconds > 0 ? [`for ${Math.ceil(softSeconds / 86_400)} days of soft delete`] : [])
  ]
  return how.length === 0 ? undefined : `the bucket keeps them ${how.join(", then ")}`
}

/** `ask`: one request for these fields of the bucket. It needs storage.buckets.get, which many identities have not. */
export const make = (
  ask: (fields: string) => Effect.Effect<string, ObjectStoreError>,
  object: (name: string) => Effect.Effect<Found, ObjectStoreError>
): Effect.Effect<Locks> =>
  Effect.map(
    Effect.cached(
      ask("versioning,softDeletePolicy").pipe(
        Effect.map(afterlifeOf),
        Effect.orElseSucceed(() => undefined)
      )
    ),
    (afterlife) => ({
      protection: (name) => Effect.map(object(name), ({ protection }) => protection ?? undefined),
      advice,
      afterlife
    })
  )
