import { Schema } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"

/** Options that are valid one by one, but not together or not with this manifest. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  detail: Schema.String,
  advice: Schema.String
}) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.usage
}
