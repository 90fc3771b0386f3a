import { Effect } from "effect"
import { hasReason } from "../kubernetes/KubernetesError.ts"
import { ServedSchemas } from "../kubernetes/ServedSchemas.ts"
import * as Crd from "../resource/Crd.ts"
import type * as Definition from "../resource/Definition.ts"
import { apiVersion } from "../resource/KafkaBackup.ts"
import * as OffsetCrds from "../resource/OffsetCrds.ts"
import * as RestoreCrd from "../resource/RestoreCrd.ts"
import * as ServedSchema from "../resource/ServedSchema.ts"
import { beginning, Health } from "./Health.ts"

/*
 * Before the operator works, the server's definitions must have every field that this version reads or writes. With
 * less, parts of a spec would be dropped in silence and a status would lose what it said; and definitions of another
 * operator with the same names belong to resources that are none of this one's business.
 */

type Made = ReturnType<typeof Definition.make>

/** The definitions of this version; made when they are asked for. */
const wanted = (): ReadonlyArray<Made> => [
  Crd.crd(),
  RestoreCrd.crd(),
  OffsetCrds.crds.KafkaOffsetReset(),
  OffsetCrds.crds.KafkaOffsetRollback()
]

/** As many fields as one line of a log can bear. */
const named = 5

const fieldsOf = (fields: ReadonlyArray<string>): string => {
  const more = fields.length - named
  return `${fields.slice(0, named).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** What is wrong with the definitions that a server publishes, and what to do; undefined where nothing is. */
export const complaint = (document: unknown): string | undefined => {
  const complaints = wanted().flatMap(({ metadata, spec: { names, versions } }) => {
    const { spec, status } = versions[0]!.schema.openAPIV3Schema.properties
    const fields = ServedSchema.lacking({ kind: names.kind, spec, status }, document)
    if (fields.length === 0) return []
    return [fields[0] === "spec" ? `${metadata.name} is missing` : `${metadata.name} lacks ${fieldsOf(fields)}`]
  })
  return complaints.length === 0
    ? undefined
    : `the CustomResourceDefinitions on this server are not those of this version, and would drop fields: ${complaints.join("; ")}. ` +
        "Apply crds/ of this version, or upgrade the chart kafka-backup-crds; if another operator has definitions of " +
        "these names, read docs/guides/migrate.md first"
}

const unread = (error: Error) =>
  Effect.as(
    Effect.logWarning("the server's CustomResourceDefinitions cannot be checked").pipe(
      Effect.annotateLogs({ error: error.message })
    ),
    undefined
  )

/** Between two looks; said at the second one, since a definition that was just made is published a moment later. */
const lookEvery = "5 seconds"
const looksBetweenWords = 12

/**
 * Waits until the server's definitions have every field of this version. Meanwhile the operator is not ready and says
 * why, in its log once a minute and in its answer to `/readyz`: a rollout stops there, and an operator of an earlier
 * version goes on. A server that does not let itself be asked is not waited for.
 */
export const awaited: Effect.Effect<void, never, Health> = Effect.gen(function* () {
  const served = yield* ServedSchemas
  if (served === undefined) return
  const health = yield* Health
  const look = served(apiVersion).pipe(
    Effect.catchIf(hasReason("NotFound"), () => Effect.succeed({})),
    Effect.map(complaint),
    Effect.catch((error) =>
      error.isRetryable
        ? Effect.succeed(`the server's CustomResourceDefinitions cannot be read: ${error.message}`)
        : unread(error)
    )
  )
  for (let looks = 0; ; looks++) {
    const text = yield* look
    if (text === undefined) break
    yield* health.become({ _tag: "Outdated", text })
    if (looks % looksBetweenWords === 1) yield* Effect.logError(text)
    yield* Effect.sleep(lookEvery)
  }
  yield* health.become(beginning)
})
