import { Schema } from "effect"
import * as Problem from "./Problem.ts"

/** A manifest that cannot be used, with everything that is wrong with it. */
export class ManifestError extends Schema.TaggedError<ManifestError>()("ManifestError", {
  problems: Schema.Array(
    Schema.Struct({ field: Schema.String, value: Schema.optionalKey(Schema.String), message: Schema.String })
  )
}) {
  /** One line per problem. */
  override get message(): string {
    return this.problems.map(Problem.format).join("\n")
  }
}
