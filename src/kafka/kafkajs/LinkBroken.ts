import * as Api from "./protocol/Api.ts"

/**
 * The stage of a connection when it broke: before TCP and TLS were complete, before the API versions were known, before
 * SASL was complete, before the first answer, or later.
 */
export type Stage = "connecting" | "greeting" | "authenticating" | "trusted" | "serving"

/** A connection that could not be opened, or that broke. `Diagnosis` explains it. */
export class LinkBroken extends Error {
  readonly stage: Stage
  override readonly cause: Error
  constructor(stage: Stage, cause: Error) {
    super(cause.message)
    this.name = "LinkBroken"
    this.stage = stage
    this.cause = cause
  }
}

/** No answer arrived for `millis`. */
export class NoAnswer extends Error {
  readonly millis: number
  constructor(millis: number) {
    super(`no answer within ${millis / 1000} s`)
    this.name = "NoAnswer"
    this.millis = millis
  }
}

/** The broker offers no supported version of `api`. */
export class NoCommonVersion extends Error {
  constructor(api: Api.Api, ranges: Api.VersionRanges) {
    super(`no common version of ${Api.disagreement(api, ranges)}`)
    this.name = "NoCommonVersion"
  }
}

/** The answer could not be read. */
export class Unreadable extends Error {
  constructor(api: Api.Api, version: number, cause: Error) {
    super(`the answer to ${api.name} ${version} cannot be read: ${cause.message}`)
    this.name = "Unreadable"
    this.cause = cause
  }
}
