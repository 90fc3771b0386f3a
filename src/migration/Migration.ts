import { Result } from "effect"
import { stringify } from "yaml"
import * as KafkaRestore from "../resource/KafkaRestore.ts"
import { apiVersion, group } from "../resource/KafkaBackup.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import * as Problem from "../resource/Problem.ts"
import { backup } from "./BackupMigration.ts"
import { type Block, compact, isBlock, type Note, open } from "./Block.ts"
import { isDone, isOneTimeBackup } from "./OneTime.ts"
import { restore } from "./RestoreMigration.ts"

/** One resource, as this operator reads it. */
export interface Migrated {
  /** `KafkaBackup orders`, or what else the document is. */
  readonly what: string
  /** As the manifest has them; undefined where they are no text. */
  readonly kind: string | undefined
  readonly namespace: string | undefined
  readonly name: string | undefined
  /**
   * YAML that can be applied once nothing has to be decided; absent for a kind that is not converted, and for what has
   * done its only work.
   */
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
      /** What it does once and never again; undefined for what goes on. */
      readonly once: (spec: Block) => string | undefined
      readonly check: (yaml: string) => Result.Result<unknown, ManifestParser.ManifestError>
    }
  >
> = {
  KafkaBackup: {
    spec: backup,
    once: (spec) => (isOneTimeBackup(spec) && spec.take("suspend") !== true ? "make its backup" : undefined),
    check: ManifestParser.parse
  },
  KafkaRestore: { spec: restore, once: () => "restore records and set consumer groups", check: KafkaRestore.parse }
}

/** Annotations that a tool wrote for itself; they describe the manifest as it was. */
const isOfTool = (name: string) => name === "kubectl.kubernetes.io/last-applied-configuration"

/** Annotations that an operator of this group acts upon: they were meant for the other one, at their time. */
const isOrder = (name: string) => name.startsWith(`${group}/`)

const metadata = (block: Block) => {
  const annotated = block.take("annotations") ?? {}
  const given = isBlock(annotated) ? Object.entries(annotated) : []
  for (const name of given.map(([one]) => one).filter(isOrder)) {
    block.note(
      `annotations[${Problem.escaped(name.slice(0, Problem.maxShown))}]`,
      "was left out: here it could start something, as soon as it is applied"
    )
  }
  const annotations = given.filter(([name]) => !isOfTool(name) && !isOrder(name))
  return compact({
    name: block.take("name"),
    namespace: block.take("namespace"),
    labels: block.take("labels"),
    annotations: isBlock(annotated) ? compact(Object.fromEntries(annotations)) : annotated
  })
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const one = (document: unknown): Migrated => {
  const notes: Array<Note> = []
  const resource = open(document, "", notes)
  const kind = text(resource.take("kind"))
  const named = open(resource.take("metadata") ?? {}, "metadata", notes)
  const [name, namespace] = [text(named.take("name")), text(named.take("namespace"))]
  const what = Problem.escaped(`${kind ?? "without a kind"} ${name ?? "without a name"}`)
  const identity = { what, kind, namespace, name }
  const conversion =
    kind !== undefined && resource.take("apiVersion") === apiVersion && Object.hasOwn(kinds, kind)
      ? kinds[kind]
      : undefined
  if (conversion === undefined) {
    const message = `is not converted: only KafkaBackup and KafkaRestore of ${apiVersion} are`
    return { ...identity, notes: [{ field: "kind", message, isDecision: true }], problems: [] }
  }
  const once = conversion.once(open(resource.take("spec") ?? {}, "spec", []))
  if (once !== undefined && isDone(resource, once)) return { ...identity, notes, problems: [] }
  const spec = conversion.spec(open(resource.take("spec") ?? {}, "spec", notes))
  const yaml = stringify({ apiVersion, kind, metadata: metadata(named), spec }, { lineWidth: 0 })
  const problems = Result.match(conversion.check(yaml), {
    onSuccess: () => [],
    onFailure: (error) => error.problems
  })
  return { ...identity, yaml, notes, problems }
}

const isList = (value: unknown): value is { readonly items: ReadonlyArray<unknown> } =>
  typeof value === "object" && value !== null && "items" in value && Array.isArray(value.items)

/**
 * Converts every document of `text`, and every item of a list as `kubectl get -o yaml` prints it. The failure has a
 * sentence for each thing that is wrong with the text: it is no YAML, or too large.
 */
export const convert = (text: string): Result.Result<ReadonlyArray<Migrated>, ReadonlyArray<string>> =>
  Result.mapBoth(ManifestParser.documents(text), {
    onFailure: (problems) => problems.map(Problem.format),
    onSuccess: (values) => values.flatMap((value) => (isList(value) ? value.items : [value])).map(one)
  }).pipe(Result.flatMap((all) => (all.length === 0 ? Result.fail(["the text is empty"]) : Result.succeed(all))))
