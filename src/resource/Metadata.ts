import { Schema } from "effect"
import { subdomain } from "./Name.ts"
import * as Rule from "./Rule.ts"

/**
 * Longest name of a KafkaBackup, in characters. Kubernetes allows 253, but the name is the front of every backup's id
 * (`{name}-{YYYYMMDD}-{HHMMSS}`, 16 more), which is a directory's name on a volume: file systems end at 255 bytes, and
 * some room must be left for temporary names beside it. Job and pod names do not depend on it.
 */
export const maxNameLength = 200

export const nameTooLong = `must have at most ${maxNameLength} characters: it is the front of every backup's id`

/** Rules on `metadata.name`; the API server itself checks that it is a DNS-1123 subdomain. */
export const nameRules: ReadonlyArray<Rule.Rule<string>> = [
  Rule.matches(
    subdomain,
    "must be a DNS-1123 name: lower case letters, digits, '-' and '.', for example hourly-backup"
  ),
  Rule.rule<string>({
    cel: `self.size() <= ${maxNameLength}`,
    message: nameTooLong,
    holds: (self) => self.length <= maxNameLength
  })
]

const Strings = Schema.Record(Schema.String, Schema.String)

/** The fields of ObjectMeta in use. Everything else that the API server puts there is accepted and left out. */
export const Metadata = Schema.Struct({
  name: Schema.String.check(Rule.toCheck(nameRules[0]!), Rule.toCheck(nameRules[1]!)),
  namespace: Schema.optionalKey(Schema.String),
  uid: Schema.optionalKey(Schema.String),
  generation: Schema.optionalKey(Schema.Int),
  resourceVersion: Schema.optionalKey(Schema.String),
  creationTimestamp: Schema.optionalKey(Schema.String),
  deletionTimestamp: Schema.optionalKey(Schema.String),
  finalizers: Schema.optionalKey(Schema.Array(Schema.String)),
  annotations: Schema.optionalKey(Strings),
  labels: Schema.optionalKey(Strings)
})
export type Metadata = typeof Metadata.Type
