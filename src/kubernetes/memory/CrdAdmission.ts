import { Result } from "effect"
import * as Crd from "../../resource/Crd.ts"
import { inspect } from "../../resource/Inspection.ts"
import * as Metadata from "../../resource/Metadata.ts"
import * as Problem from "../../resource/Problem.ts"
import type { KubeObject } from "../Objects.ts"

/**
 * A KafkaBackup after the rules of its CustomResourceDefinition: with defaults, without unknown fields; or the
 * problems.
 */
export const kafkaBackup = (object: KubeObject): Result.Result<KubeObject, string> => {
  if (object.metadata.name.length > Metadata.maxNameLength) return Result.fail(`metadata.name ${Metadata.nameTooLong}`)
  if (object.spec === undefined) return Result.fail("spec: Required value")
  const { completed, problems } = inspect(Crd.spec, object.spec, "spec", "drop")
  return problems.length === 0
    ? Result.succeed({ ...object, spec: completed })
    : Result.fail(problems.map(Problem.format).join(", "))
}
