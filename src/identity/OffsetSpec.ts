import { Result, Schema } from "effect"
import { given } from "../resource/Json.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import type * as ManifestParser from "../resource/ManifestParser.ts"
import * as OffsetResource from "../resource/OffsetResource.ts"
import * as PodText from "./PodText.ts"
import { type RunSpecTooLarge, RunSpecUnreadable } from "./RunSpec.ts"

/* What the pod is given that works on the offsets of consumer groups: the resource, and which groups are left. */

/** The prefix of the text: names the version of the encoding. */
const front = "kafka-backup-offsets-1:"

/** Some of the groups that a resource selects. Neither: all. */
export interface GroupChoice {
  readonly only?: ReadonlyArray<string>
  readonly except?: ReadonlyArray<string>
}

/** The groups of a choice. */
export const chosen = <A extends { readonly groupId: string }>(
  { except = [], only }: GroupChoice,
  groups: ReadonlyArray<A>
): ReadonlyArray<A> =>
  groups.filter(({ groupId }) => (only === undefined || only.includes(groupId)) && !except.includes(groupId))

/** A KafkaRestore stands for its group step alone. */
export interface OffsetSpec {
  readonly resource: OffsetResource.OffsetResource
  readonly choice: GroupChoice
}

const schemas = {
  KafkaRestore: KafkaRestore.KafkaRestore,
  KafkaOffsetReset: OffsetResource.KafkaOffsetReset,
  KafkaOffsetRollback: OffsetResource.KafkaOffsetRollback
}

/** What a pod uses: spec and identity, nothing that changes unless the resource is edited. */
const bare = <A extends OffsetResource.OffsetResource>({
  apiVersion,
  kind,
  metadata: { creationTimestamp, generation, name, namespace, uid },
  spec
}: A) => ({ apiVersion, kind, metadata: given({ name, namespace, uid, creationTimestamp, generation }), spec }) as A

/** As the value of an environment variable. */
export const encode = ({ choice, resource }: OffsetSpec): Result.Result<string, RunSpecTooLarge> => {
  const written = Schema.encodeUnknownSync(schemas[resource.kind])(bare(resource))
  return PodText.encode(front, { resource: written, ...choice }, resource.spec)
}

const Content = Schema.Struct({
  resource: Schema.Struct({ kind: Schema.Literals(["KafkaRestore", "KafkaOffsetReset", "KafkaOffsetRollback"]) }),
  only: Schema.optionalKey(Schema.Array(Schema.String)),
  except: Schema.optionalKey(Schema.Array(Schema.String))
})

/** Reads what `encode` wrote, checked like a resource from the API server. Total: fails on everything else. */
export const decode = (text: string): Result.Result<OffsetSpec, RunSpecUnreadable> =>
  Result.gen(function* () {
    const json = yield* PodText.decode(front, text)
    const { except, only, resource } = yield* Result.mapError(
      Schema.decodeUnknownResult(Content)(json),
      () => new RunSpecUnreadable({ detail: "its content is not that of work on offsets" })
    )
    const whole = (json as { readonly resource: unknown }).resource
    const read: Result.Result<OffsetResource.OffsetResource, ManifestParser.ManifestError> =
      resource.kind === "KafkaRestore"
        ? KafkaRestore.fromServer(whole)
        : OffsetResource.fromServer(resource.kind, whole)
    const found = yield* Result.mapError(
      read,
      ({ message }) => new RunSpecUnreadable({ detail: `its resource cannot be used: ${message}` })
    )
    return { resource: bare(found), choice: given({ only, except }) }
  })
