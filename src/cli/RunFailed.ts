import { Schema } from "effect"

/** A failed run that has been reported: only its exit code is left. */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", { exitCode: Schema.Int }) {
  override get message() {
    return `the run failed with exit code ${this.exitCode}`
  }
}
