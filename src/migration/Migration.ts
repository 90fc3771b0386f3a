import { Result } from "effect"
import { LineCounter, stringify } from "yaml"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import { apiVersion } from "../resource/KafkaBackup.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import * as Problem from "../resource/Problem.ts"
import * as Yaml from "../resource/Yaml.ts"
import { backup } from "./BackupMigration.ts"
import { type Block, compact, type Note, open } from "./Block.ts"
import { restore } from "./RestoreMigration.ts"

/** One resource, as this operator reads it. */
export interface Migrated {
  /** `KafkaBackup orders`, or what else the document is. */
  readonly what: string
  /** YAML that can be applied once nothing has to be decided; absent for a kind that is not converted. */
  readonly yaml?: string
  /** What became of fields that are other than before, in the order of the manifest. */
  readonly notes: ReadonlyArray<Note>
  /** What this operator would refuse in the converted manifest. */
  readonly problems: ReadonlyArray<Problem.Problem>
}

/** How each kind is converted, and checked. */
const kinds: Readonly<
  Record<
    string,
    {
      readonly spec: (block: Block) => Record<string, unknown> | undefined
      readonly check: (yaml: string) => Result.Result<unknown, ManifestParser.ManifestError>
    }
  >
> = {
  KafkaBackup: { spec: backup, check: ManifestParser.parse },
  KafkaRestore: { spec: restore, check: KafkaRestore.parse }
}

/** Annotations that a tool wrote for itself; they describe the manifest as it was. */
const isOfTool = (name: string) => name === "kubectl.kubernetes.io/last-applied-configuration"

const metadata = (block: Block) => {
  const annotations = Object.entries((block.take("annotations") ?? {}) as object).filter(([name]) => !isOfTool(name))
  return compact({
    name: block.take("name"),
    namespace: block.take("namespace"),
    labels: block.take("labels"),
    annotations: annotations.length === 0 ? undefined : Object.fromEntries(annotations)
  })
}

const text = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise)

const one = (document: unknown): Migrated => {
  const notes: Array<Note> = []
  const resource = open(document, "", notes)
  const kind = text(resource.take("kind"), "without a kind")
  const named = open(resource.take("metadata") ?? {}, "metadata", notes)
  const what = Problem.escaped(`${kind} ${text(named.take("name"), "without a name")}`)
  const conversion = resource.take("apiVersion") === apiVersion && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  if (conversion === undefined) {
    const message = `is not converted: only KafkaBackup and KafkaRestore of ${apiVersion} are`
    return { what, notes: [{ field: "kind", message, isDecision: true }], problems: [] }
  }
  const spec = conversion.spec(open(resource.take("spec") ?? {}, "spec", notes))
  const yaml = stringify({ apiVersion, kind, metadata: metadata(named), spec }, { lineWidth: 0 })
  const problems = Result.match(conversion.check(yaml), {
    onSuccess: () => [],
    onFailure: (error) => error.problems
  })
  return { what, yaml, notes, problems }
}

const isList = (value: unknown): value is { readonly items: ReadonlyArray<unknown> } =>
  typeof value === "object" && value !== null && "items" in value && Array.isArray(value.items)

/**
 * Converts every document of `text`, and every item of a list as `kubectl get -o yaml` prints it. The failure is a
 * sentence: the text is no YAML, or too large.
 */
export const convert = (text: string): Result.Result<ReadonlyArray<Migrated>, string> => {
  if (text.length > ManifestParser.maxTextLength) {
    return Result.fail(`the manifest is too long: at most ${ManifestParser.maxTextLength} characters`)
  }
  return Result.flatMap(Yaml.documents(text, new LineCounter()), (documents) => {
    const faulty = documents.findIndex(({ errors }) => errors.length > 0)
    if (faulty >= 0) return Result.fail(`document ${faulty + 1} is not valid YAML`)
    const values = documents.map((document): unknown => document.toJS({ maxAliasCount: 100 }))
    const filled = values.filter((value) => value !== null && value !== undefined)
    if (filled.length === 0) return Result.fail("the text is empty")
    return Result.succeed(filled.flatMap((value) => (isList(value) ? value.items : [value])).map(one))
  })
}
