import { Schema } from "effect"
import { exitCodes } from "../../outcome/ExitCodes.ts"

/** Why the Job of a command gave no result. Each names what to do. */

const fields = { detail: Schema.String, advice: Schema.String }

/** No pod of it runs: no node, no image, a quota, a Secret that is missing. */
export class PodNotStarted extends Schema.TaggedError<PodNotStarted>()("PodNotStarted", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.temporary
}

/** It was still at work when its time was over. */
export class CommandTimedOut extends Schema.TaggedError<CommandTimedOut>()("CommandTimedOut", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.temporary
}

/** Its pod ended without an exit code of the command, or is gone. */
export class PodLost extends Schema.TaggedError<PodLost>()("PodLost", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.temporary
}

/** The command has succeeded, and its output is not here. */
export class OutputIncomplete extends Schema.TaggedError<OutputIncomplete>()("OutputIncomplete", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.temporary
}

/** The image does not know the command, or does not mark its output. */
export class ImageTooOld extends Schema.TaggedError<ImageTooOld>()("ImageTooOld", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.usage
}
