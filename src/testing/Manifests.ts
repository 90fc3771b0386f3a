import { Result } from "effect"
import { parseAllDocuments } from "yaml"
import { Invalid } from "../kubernetes/KubernetesError.ts"
import * as Crd from "../resource/Crd.ts"
import { inspect } from "../resource/Inspection.ts"
import * as KafkaBackup from "../resource/KafkaBackup.ts"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import * as OffsetCrds from "../resource/OffsetCrds.ts"
import * as Problem from "../resource/Problem.ts"
import * as RestoreCrd from "../resource/RestoreCrd.ts"
import type { StructuralSchema } from "../resource/StructuralSchema.ts"
import type { KubeObject } from "../kubernetes/Objects.ts"

/** The input of `kubectl apply`: YAML or JSON of one or more documents, or one object. */
export type Manifest = string | object

/** The documents of a manifest, or why it cannot be read. Empty documents are skipped, as by kubectl. */
export const documents = (manifest: Manifest): Result.Result<ReadonlyArray<KubeObject>, Invalid> => {
  if (typeof manifest !== "string") return Result.map(document(manifest), (object) => [object])
  const objects: Array<KubeObject> = []
  for (const parsed of parseAllDocuments(manifest, { merge: true })) {
    const [fault] = parsed.errors
    if (fault !== undefined) return refuse(`error parsing the manifest: ${fault.message}`)
    const content: unknown = parsed.toJS()
    if (content === null || content === undefined) continue
    const read = document(content)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    objects.push(read.success)
  }
  return objects.length === 0 ? refuse("no objects passed to apply") : Result.succeed(objects)
}

const document = (content: unknown): Result.Result<KubeObject, Invalid> => {
  const { apiVersion, kind, metadata } = content as Partial<KubeObject>
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    return refuse("the manifest has no apiVersion or no kind")
  }
  if (typeof metadata?.name !== "string") return refuse(`${kind}: metadata.name is required`)
  return Result.succeed(content as KubeObject)
}

const refuse = (detail: string) => Result.fail(new Invalid({ detail }))

const specs: Readonly<Record<string, () => StructuralSchema>> = {
  [KafkaBackup.kind]: Crd.spec,
  [KafkaRestore.kind]: RestoreCrd.spec,
  ...OffsetCrds.specs
}

/**
 * Fails for fields that a resource of ours does not have: kubectl makes the API server refuse them. All other checks
 * are the server's.
 */
export const unknownFields = ({ kind, spec }: KubeObject): Result.Result<void, Invalid> => {
  const known = specs[kind]?.()
  if (known === undefined || spec === undefined) return Result.succeed(undefined)
  const dropped = new Set(inspect(known, spec, "spec", "drop").problems.map(Problem.format))
  const unknown = inspect(known, spec, "spec", "refuse")
    .problems.map(Problem.format)
    .filter((problem) => !dropped.has(problem))
  return unknown.length === 0 ? Result.succeed(undefined) : refuse(`strict decoding error: ${unknown.join(", ")}`)
}
