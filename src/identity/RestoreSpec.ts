import { deflateSync, inflateSync } from "node:zlib"
import { Option, Result, Schema } from "effect"
import { Origin, type WithOrigin } from "../resource/BackupRef.ts"
import { given } from "../resource/Json.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import { longestField, maxLength, RunSpecTooLarge, RunSpecUnreadable } from "./RunSpec.ts"

/* What the pod of a restore is given: the resource as it was when the Job was made. */

/** Longest text after inflation, in bytes: no resource that an API server accepts is longer. */
const maxInflated = 2 * ManifestParser.maxTextLength

/** The prefix of the text: names the version of the encoding. */
const front = "kafka-backup-restore-1:"

/** True for the text of a restore, and not of a run. */
export const isRestore = (text: string): boolean => text.startsWith(front)

/** What a pod uses: spec and identity, nothing that changes unless the resource is edited. */
const bare = ({
  apiVersion,
  kind,
  metadata: { creationTimestamp, generation, name, namespace, uid },
  origin,
  spec
}: WithOrigin): WithOrigin => ({
  apiVersion,
  kind,
  metadata: given({ name, namespace, uid, creationTimestamp, generation }),
  spec,
  ...given({ origin })
})

/** The restore as the value of an environment variable: printable ASCII without `$`, which Kubernetes would expand. */
export const encode = (restore: WithOrigin): Result.Result<string, RunSpecTooLarge> => {
  const { origin, ...resource } = bare(restore)
  const content = { ...Schema.encodeSync(KafkaRestore.KafkaRestore)(resource), ...given({ origin }) }
  const text = front + deflateSync(JSON.stringify(content)).toString("base64")
  return text.length <= maxLength
    ? Result.succeed(text)
    : Result.fail(
        new RunSpecTooLarge({ length: text.length, limit: maxLength, longest: longestField({ ...restore.spec }) })
      )
}

const decodeOrigin = Schema.decodeUnknownOption(Schema.Struct({ origin: Origin }))

const originOf = (content: unknown) => Option.map(decodeOrigin(content), ({ origin }) => origin)

const refuse = (detail: string) => Result.fail(new RunSpecUnreadable({ detail }))

/** Reads what `encode` wrote, checked like a resource from the API server. Total: fails on everything else. */
export const decode = (text: string): Result.Result<WithOrigin, RunSpecUnreadable> => {
  if (!isRestore(text)) return refuse(`it does not begin with ${front}`)
  const content = Result.try((): unknown =>
    JSON.parse(
      inflateSync(Buffer.from(text.slice(front.length), "base64"), { maxOutputLength: maxInflated }).toString("utf8")
    )
  )
  if (Result.isFailure(content)) return refuse("its content is damaged or cut off")
  return Result.match(KafkaRestore.fromServer(content.success), {
    onFailure: ({ message }) => refuse(`its resource cannot be used: ${message}`),
    onSuccess: (read) =>
      Result.succeed(bare({ ...read, ...given({ origin: Option.getOrUndefined(originOf(content.success)) }) }))
  })
}
