import { Option, Result, Schema } from "effect"
import { isScalar, LineCounter } from "yaml"
import * as Crd from "./Crd.ts"
import { homes, inspect, type UnknownFields } from "./Inspection.ts"
import { apiVersion, KafkaBackup, kind } from "./KafkaBackup.ts"
import { KafkaBackupStatus } from "./KafkaBackupStatus.ts"
import * as Metadata from "./Metadata.ts"
import { nearest } from "./Near.ts"
import * as Problem from "./Problem.ts"
import * as Schedule from "./Schedule.ts"
import type { StructuralSchema } from "./StructuralSchema.ts"
import * as Yaml from "./Yaml.ts"

/** Longest manifest that is read, in characters. The API server takes requests of up to 3 MiB. */
export const maxTextLength = 3 * 1024 * 1024

/** Most problems that `message` spells out; `problems` has them all. */
const maxLines = 50

/** A manifest that cannot be used, with everything that is wrong with it. */
export class ManifestError extends Schema.TaggedError<ManifestError>()("ManifestError", {
  problems: Schema.Array(
    Schema.Struct({ field: Schema.String, value: Schema.optionalKey(Schema.String), message: Schema.String })
  )
}) {
  /** One line per problem, at most fifty. */
  override get message(): string {
    const lines = this.problems.slice(0, maxLines).map(Problem.format)
    const more = this.problems.length - lines.length
    return (more > 0 ? [...lines, `… and ${more} more`] : lines).join("\n")
  }
}

/** Reads one KafkaBackup from YAML or JSON. The failure holds all problems at once. */
export const parse = (text: string): Result.Result<KafkaBackup, ManifestError> =>
  Result.flatMap(document(text, kind), fromJson)

/**
 * Reads a KafkaBackup from what a user wrote. Unknown fields are refused in the spec; metadata is read for the fields
 * in use; a status that cannot be read is the same as none, since it is only a cache.
 */
export const fromJson = (json: unknown): Result.Result<KafkaBackup, ManifestError> => read(json, "refuse")

/**
 * Reads a KafkaBackup from what the API server sent: the same, but unknown fields are dropped. Typing errors were
 * refused when it was applied; unknown fields here belong to a newer CRD, whose defaults the server adds to every
 * resource, and an operator that is not upgraded yet must not stop all backups because of them.
 */
export const fromServer = (json: unknown): Result.Result<KafkaBackup, ManifestError> => read(json, "drop")

const read = (json: unknown, unknownFields: UnknownFields): Result.Result<KafkaBackup, ManifestError> => {
  if (!isMap(json))
    return refuse([{ field: "", message: `must be a ${kind}: a block that starts with apiVersion: ${apiVersion}` }])
  const identity = identityProblems(json, kind)
  if (identity.length > 0) return refuse(identity)

  const spec =
    json["spec"] === undefined || json["spec"] === null
      ? {
          problems: [{ field: "spec", message: "is required: What to back up, when, and where to" }],
          completed: undefined
        }
      : inspect(Crd.spec(), json["spec"], "spec", unknownFields)
  const problems = [
    ...(unknownFields === "drop" ? [] : unknownProblems(json, Crd.spec())),
    ...metadataProblems(json["metadata"]),
    ...spec.problems
  ]
  problems.push(...scheduleProblems(json["spec"], "spec", problems), ...drillProblems(json["spec"], problems))
  if (problems.length > 0) return refuse(problems)

  const { metadata: _metadata, status: _status, ...rest } = json
  const status = readableStatus(json["status"])
  return Schema.decodeUnknownResult(KafkaBackup)(
    { ...rest, metadata: withoutNulls(json["metadata"]), spec: spec.completed },
    { errors: "all" }
  ).pipe(
    Result.map((backup): KafkaBackup => (Option.isSome(status) ? { ...backup, status: status.value } : backup)),
    // The tree and the schema agree; if they ever differ, the schema decides.
    Result.mapError((error) => new ManifestError({ problems: [{ field: "", message: error.message }] }))
  )
}

/** The status, when it can be read. */
export const readableStatus = (json: unknown): Option.Option<KafkaBackupStatus> =>
  json === undefined || json === null ? Option.none() : Schema.decodeUnknownOption(KafkaBackupStatus)(json)

export const refuse = (problems: ReadonlyArray<Problem.Problem>) => Result.fail(new ManifestError({ problems }))

/** Every document of the text that holds something, of whatever kind; the failure has all problems. */
export const documents = (text: string): Result.Result<ReadonlyArray<unknown>, ReadonlyArray<Problem.Problem>> => {
  const failed = (message: string) => Result.fail<ReadonlyArray<Problem.Problem>>([{ field: "", message }])
  if (text.length > maxTextLength) return failed(`the manifest is too long: at most ${maxTextLength} characters`)
  const lines = new LineCounter()
  const read = Yaml.documents(text, lines)
  if (Result.isFailure(read)) return failed(read.failure)
  const all = read.success
  const faults = all.flatMap(({ errors }) =>
    errors.map((error): Problem.Problem => {
      const { col, line } = lines.linePos(error.pos[0])
      return {
        field: "",
        message: `line ${line}, column ${col}: not valid YAML: ${Problem.escaped(withoutSource(error.message))}`
      }
    })
  )
  if (faults.length > 0) return Result.fail(faults)
  const filled = all.filter(({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null))
  try {
    return Result.succeed(filled.map((one): unknown => one.toJS({ maxAliasCount: 100 })))
  } catch {
    return failed("uses more YAML aliases than a manifest needs: write the values out")
  }
}

/** The only document of the text, of whatever kind; `kind` is for messages. */
export const document = (text: string, kind: string): Result.Result<unknown, ManifestError> => {
  const all = documents(text)
  if (Result.isFailure(all)) return refuse(all.failure)
  const [only, ...others] = all.success
  if (all.success.length === 0) {
    return refuse([
      { field: "", message: `the text is empty: write a ${kind} that starts with apiVersion: ${apiVersion}` }
    ])
  }
  if (others.length > 0) {
    return refuse([
      {
        field: "",
        message: `holds ${all.success.length} documents: put one ${kind} into each file, without '---' between them`
      }
    ])
  }
  return Result.succeed(only)
}

/** Some of the parser's messages end with a piece of the text, which may be a secret. */
const withoutSource = (message: string): string => message.split("\n", 1)[0]!.replace(/: ".*$/, "")

export const identityProblems = (json: Json, kind: string): ReadonlyArray<Problem.Problem> => {
  const { apiVersion: givenVersion, kind: givenKind } = json
  if (typeof givenKind === "string" && (givenKind === "List" || givenKind === `${kind}List`)) {
    return [
      {
        field: "kind",
        value: Problem.shown("kind", givenKind)!,
        message: `must be ${kind}: write each item of the list as its own manifest`
      }
    ]
  }
  const expected = (field: string, given: unknown, wanted: string): ReadonlyArray<Problem.Problem> => {
    if (given === wanted) return []
    const value = Problem.shown(field, given)
    return [
      {
        field,
        ...(value === undefined ? {} : { value }),
        message: given === undefined ? `is required: write ${field}: ${wanted}` : `must be ${wanted}`
      }
    ]
  }
  return [...expected("apiVersion", givenVersion, apiVersion), ...expected("kind", givenKind, kind)]
}

const topLevel = ["apiVersion", "kind", "metadata", "spec", "status"]

export const unknownProblems = (json: Json, spec: StructuralSchema): ReadonlyArray<Problem.Problem> =>
  Object.keys(json)
    .filter((name) => !topLevel.includes(name))
    .map((name) => {
      const near = nearest(name, topLevel)
      const hint =
        near !== undefined
          ? `did you mean ${near}?`
          : homes(spec, name, "spec").length > 0
            ? `it belongs to ${homes(spec, name, "spec").join(" or ")}: check the indentation`
            : `the fields are ${topLevel.join(", ")}`
      return { field: Problem.escaped(name.slice(0, Problem.maxShown)), message: `is not a field here; ${hint}` }
    })

export const metadataProblems = (
  metadata: unknown,
  nameTooLong = Metadata.nameTooLong
): ReadonlyArray<Problem.Problem> => {
  if (!isMap(metadata)) return [{ field: "metadata", message: "is required: write metadata with a name" }]
  const problems: Array<Problem.Problem> = []
  const report = (field: string, value: unknown, message: string) => {
    const shown = Problem.shown(field, value)
    problems.push(shown === undefined ? { field, message } : { field, value: shown, message })
  }
  const { annotations, labels, name } = metadata
  if (name === undefined || name === null)
    problems.push({
      field: "metadata.name",
      message: "is required: give the resource a name, for example hourly-backup"
    })
  else if (typeof name !== "string") report("metadata.name", name, "must be text: put it in quotes")
  else {
    for (const rule of Metadata.nameRules(nameTooLong))
      if (!rule.holds(name)) report("metadata.name", name, rule.message)
  }
  for (const [field, map] of [
    ["metadata.annotations", annotations],
    ["metadata.labels", labels]
  ] as const) {
    if (map === undefined || map === null) continue
    if (!isMap(map)) report(field, map, "must be a block of names and values")
    else {
      for (const [key, value] of Object.entries(map)) {
        if (typeof value !== "string") report(Problem.entry(field, key), value, "must be text: put it in quotes")
      }
    }
  }
  return problems
}

/** Mistakes that only a parsed schedule shows; checked only when the two fields are valid on their own. */
const scheduleProblems = (
  scheduled: unknown,
  block: string,
  soFar: ReadonlyArray<Problem.Problem>
): ReadonlyArray<Problem.Problem> => {
  if (!isMap(scheduled)) return []
  const { schedule, timeZone } = scheduled
  const isFaulty = (field: string) => soFar.some((problem) => problem.field === `${block}.${field}`)
  if (typeof schedule !== "string" || isFaulty("schedule")) return []
  const zone = typeof timeZone === "string" && !isFaulty("timeZone") ? { timeZone } : {}
  return Result.match(Schedule.cron({ schedule, ...zone }, block), {
    onFailure: (problems) => problems,
    onSuccess: () => []
  })
}

const drillProblems = (spec: unknown, soFar: ReadonlyArray<Problem.Problem>): ReadonlyArray<Problem.Problem> =>
  isMap(spec) ? scheduleProblems(spec["drill"], "spec.drill", soFar) : []

/** `kubectl create --dry-run -o yaml` writes `creationTimestamp: null`. */
export const withoutNulls = (metadata: unknown): unknown =>
  isMap(metadata) ? Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null)) : metadata

export type Json = Readonly<Record<string, unknown>>
export const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)
