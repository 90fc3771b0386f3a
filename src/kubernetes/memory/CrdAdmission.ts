import { Result } from "effect"
import * as Crd from "../../resource/Crd.ts"
import { inspect } from "../../resource/Inspection.ts"
import * as Metadata from "../../resource/Metadata.ts"
import * as OffsetCrds from "../../resource/OffsetCrds.ts"
import * as Problem from "../../resource/Problem.ts"
import * as RestoreCrd from "../../resource/RestoreCrd.ts"
import type { StructuralSchema } from "../../resource/StructuralSchema.ts"
import type { KubeObject } from "../Objects.ts"
import * as Tree from "./Tree.ts"

/** The object with defaults and without unknown fields; or the problems. */
const inspected = (
  object: KubeObject,
  spec: StructuralSchema,
  nameTooLong: string
): Result.Result<KubeObject, string> => {
  if (object.metadata.name.length > Metadata.maxNameLength) return Result.fail(`metadata.name ${nameTooLong}`)
  if (object.spec === undefined) return Result.fail("spec: Required value")
  const { completed, problems } = inspect(spec, object.spec, "spec", "drop")
  return problems.length === 0
    ? Result.succeed({ ...object, spec: completed })
    : Result.fail(problems.map(Problem.format).join(", "))
}

/** A KafkaBackup after the rules of its CustomResourceDefinition. */
export const kafkaBackup = (object: KubeObject): Result.Result<KubeObject, string> =>
  inspected(object, Crd.spec(), Metadata.nameTooLong)

/** A KafkaRestore after the rules of its CustomResourceDefinition, also of that about the spec before this write. */
export const kafkaRestore = (object: KubeObject, before: KubeObject | undefined): Result.Result<KubeObject, string> =>
  unlessBegun(inspected(object, RestoreCrd.spec(), Metadata.restoreNameTooLong), before, RestoreCrd.immutable.message)

/** The same of a KafkaOffsetReset or KafkaOffsetRollback. */
export const ofOffsets =
  (kind: OffsetCrds.OffsetKind) =>
  (object: KubeObject, before: KubeObject | undefined): Result.Result<KubeObject, string> =>
    unlessBegun(
      inspected(object, OffsetCrds.specs[kind](), Metadata.restoreNameTooLong),
      before,
      OffsetCrds.immutable.message
    )

const unlessBegun = (
  inspection: Result.Result<KubeObject, string>,
  before: KubeObject | undefined,
  message: string
): Result.Result<KubeObject, string> =>
  Result.flatMap(inspection, (whole) =>
    Tree.inner(before, "status")["startedWriting"] === undefined || Tree.isSame(whole.spec, before?.spec)
      ? Result.succeed(whole)
      : Result.fail(`spec: Forbidden: ${message}`)
  )
