import { Schema } from "effect"

/** A key of a Secret that is missing or unusable. Never holds a value. */
export class SecretError extends Schema.TaggedError<SecretError>()("SecretError", {
  secret: Schema.String,
  key: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Secret ${this.secret}, key ${this.key}: ${this.detail}`
  }
}
