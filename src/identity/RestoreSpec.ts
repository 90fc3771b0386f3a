import { Option, Result, Schema } from "effect"
import { Origin, type WithOrigin } from "../resource/BackupRef.ts"
import { given } from "../resource/Json.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import * as PodText from "./PodText.ts"
import { type RunSpecTooLarge, RunSpecUnreadable } from "./RunSpec.ts"

/* What the pod of a restore is given: the resource as it was when the Job was made. */

/** The prefix of the text: names the version of the encoding. */
const front = "kafka-backup-restore-1:"

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

/** The restore as the value of an environment variable. */
export const encode = (restore: WithOrigin): Result.Result<string, RunSpecTooLarge> => {
  const { origin, ...resource } = bare(restore)
  const content = { ...Schema.encodeSync(KafkaRestore.KafkaRestore)(resource), ...given({ origin }) }
  return PodText.encode(front, content, restore.spec)
}

const decodeOrigin = Schema.decodeUnknownOption(Schema.Struct({ origin: Origin }))

const originOf = (content: unknown) => Option.map(decodeOrigin(content), ({ origin }) => origin)

/** Reads what `encode` wrote, checked like a resource from the API server. Total: fails on everything else. */
export const decode = (text: string): Result.Result<WithOrigin, RunSpecUnreadable> =>
  Result.flatMap(PodText.decode(front, text), (content) =>
    Result.mapBoth(KafkaRestore.fromServer(content), {
      onFailure: ({ message }) => new RunSpecUnreadable({ detail: `its resource cannot be used: ${message}` }),
      onSuccess: (read) => bare({ ...read, ...given({ origin: Option.getOrUndefined(originOf(content)) }) })
    })
  )
