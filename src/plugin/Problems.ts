import { Schema } from "effect"
import { exitCodes } from "../outcome/ExitCodes.ts"

/** Why a command of the plugin cannot do what it was asked for. Each names what to do. */

const fields = { detail: Schema.String, advice: Schema.String }

/** The kubeconfig names no such cluster, or cannot be read. */
export class NoCluster extends Schema.TaggedError<NoCluster>()("NoCluster", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.usage
}

/** The API server gave no answer, or asked to come back later. */
export class ApiUnreachable extends Schema.TaggedError<ApiUnreachable>()("ApiUnreachable", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.temporary
}

/** The API server does not accept the login. */
export class LoginRefused extends Schema.TaggedError<LoginRefused>()("LoginRefused", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.accessRefused
}

/** The user may not do this. */
export class RightMissing extends Schema.TaggedError<RightMissing>()("RightMissing", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.accessRefused
}

/** The API server does not know the kind. */
export class NotInstalled extends Schema.TaggedError<NotInstalled>()("NotInstalled", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.notFound
}

/** There is no such object. */
export class ObjectNotFound extends Schema.TaggedError<ObjectNotFound>()("ObjectNotFound", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.notFound
}

/** The API server will never accept this. */
export class RequestRefused extends Schema.TaggedError<RequestRefused>()("RequestRefused", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.invalidManifest
}

/** Somebody changed the object at the same time. */
export class ChangedMeanwhile extends Schema.TaggedError<ChangedMeanwhile>()("ChangedMeanwhile", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.temporary
}

/** What was waited for did not come in time, or the user waits no longer. It may still come. */
export class NotInTime extends Schema.TaggedError<NotInTime>()("NotInTime", fields) {
  override get message() {
    return this.detail
  }
  /** Who repeated the command would ask for it a second time. */
  readonly isRetryable = false
  readonly exitCode = exitCodes.temporary
}

/** The manifest cannot be used. */
export class ManifestUnusable extends Schema.TaggedError<ManifestUnusable>()("ManifestUnusable", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.invalidManifest
}

/** The names are taken by a restore that has begun already. */
export class RestoreExists extends Schema.TaggedError<RestoreExists>()("RestoreExists", fields) {
  override get message() {
    return this.detail
  }
  readonly exitCode = exitCodes.usage
}

export type Problem =
  | NoCluster
  | ApiUnreachable
  | LoginRefused
  | RightMissing
  | NotInstalled
  | ObjectNotFound
  | RequestRefused
  | ChangedMeanwhile
  | NotInTime
