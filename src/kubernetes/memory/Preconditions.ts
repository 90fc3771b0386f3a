import { Result } from "effect"
import * as Kinds from "../Kind.ts"
import type { Kind } from "../Kind.ts"
import { Conflict, NotFound } from "../KubernetesError.ts"
import * as KindRules from "./KindRules.ts"
import type { Stored } from "./ObjectTable.ts"
import type { Outcome, Subresource } from "./Outcome.ts"
import type * as Tree from "./Tree.ts"

/** Fails when the request expects another uid or another resourceVersion. */
export const expected = (stored: Stored, metadata: Tree.Tree, sub?: Subresource): Outcome<Stored> => {
  const { name, resourceVersion, uid } = stored.object.metadata
  // In a write to a custom resource's status the server reads no metadata but the resourceVersion.
  const isUidRead = sub === undefined || stored.kind.plural !== Kinds.kafkaBackups.plural
  const about = `Operation cannot be fulfilled on ${KindRules.qualified(stored.kind)} ${JSON.stringify(name)}`
  if (isUidRead && metadata["uid"] !== undefined && metadata["uid"] !== uid) {
    const detail = `${about}: Precondition failed: UID in precondition: ${JSON.stringify(metadata["uid"])}, UID in object meta: ${uid}`
    return Result.fail(new Conflict({ detail }))
  }
  if (metadata["resourceVersion"] !== undefined && metadata["resourceVersion"] !== resourceVersion) {
    const detail = `${about}: the object has been modified; please apply your changes to the latest version and try again`
    return Result.fail(new Conflict({ detail }))
  }
  return Result.succeed(stored)
}

/** Fails for kinds that have no such subresource. */
export const checkSubresource = (kind: Kind, sub: Subresource): Outcome<void> =>
  sub === undefined || KindRules.hasStatus(kind)
    ? Result.succeed(undefined)
    : Result.fail(new NotFound({ detail: "the server could not find the requested resource", isKindMissing: true }))
