import { Clock, Effect, Random } from "effect"
import * as Kind from "../kubernetes/Kind.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import * as Format from "../status/Format.ts"
import * as Resources from "./Resources.ts"

/** A value that no annotation had before: when, and a random end for two users in one second. */
export const token = Effect.gen(function* () {
  const now = Format.time(yield* Clock.currentTimeMillis)
  const end = (yield* Random.nextIntBetween(0, 36 ** 4)).toString(36).padStart(4, "0")
  return `kubectl-${now.replaceAll(":", "")}-${end}`
})

/** Sets an annotation of a KafkaBackup, which must exist; gives it as it was before, and as it is now. */
export const annotate = Effect.fnUntraced(function* (
  namespace: string,
  name: string,
  annotation: string,
  value: string
) {
  const api = yield* KubernetesApi
  const before = yield* Resources.backup(namespace, name)
  const after = yield* api.patch(
    Kind.kafkaBackups,
    { namespace, name },
    { metadata: { annotations: { [annotation]: value }, uid: before.metadata.uid } }
  )
  return { before, after }
})
