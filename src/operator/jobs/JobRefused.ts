import { Schema } from "effect"

/** No Job can be written for this resource. Can be told as a `Trouble`. */
export class JobRefused extends Schema.TaggedError<JobRefused>()("JobRefused", {
  /** CamelCase: `NotFromCluster`, `ResourceTooLarge`. */
  reason: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}
