import { Schema } from "effect"
import * as Problem from "./Problem.ts"

/** Most problems that `message` spells out; `problems` has them all. */
const maxLines = 50

/** A manifest that cannot be used, with everything that is wrong with it. */
export class ManifestError extends Schema.TaggedError<ManifestError>()("ManifestError", {
  problems: Schema.Array(
    Schema.Struct({ field: Schema.String, value: Schema.optionalKey(Schema.String), message: Schema.String })
  )
}) {
  /** One line per problem, at most fifty. */
  override get message(): string {
    const lines = this.problems.slice(0, maxLines).map(Problem.format)
    const more = this.problems.length - lines.length
    return (more > 0 ? [...lines, `… and ${more} more`] : lines).join("\n")
  }
}
