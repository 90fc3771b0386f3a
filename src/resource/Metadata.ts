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

/** The same for a KafkaRestore, which has no backups: one limit for both kinds is easier to remember. */
export const restoreNameTooLong = `must have at most ${maxNameLength} characters: choose a shorter name`

/** Rules on `metadata.name`; the API server itself checks that it is a DNS-1123 subdomain. */
export const nameRules = (tooLong: string): ReadonlyArray<Rule.Rule<string>> => [
  Rule.matches(
    subdomain,
    "must be a DNS-1123 name: lower case letters, digits, '-' and '.', for example hourly-backup"
  ),
  Rule.rule<string>({
    cel: `self.size() <= ${maxNameLength}`,
    message: tooLong,
    holds: (self) => self.length <= maxNameLength
  })
]

const [subdomainRule, lengthRule] = nameRules(nameTooLong)

const Strings = Schema.Record(Schema.String, Schema.String)

/** The fields of ObjectMeta in use. Everything else that the API server puts there is accepted and left out. */
export const Metadata = Schema.Struct({
  name: Schema.String.check(Rule.toCheck(subdomainRule!), Rule.toCheck(lengthRule!)),
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
