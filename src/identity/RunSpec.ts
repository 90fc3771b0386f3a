import { deflateSync, inflateSync } from "node:zlib"
import { Result, Schema } from "effect"
import { given } from "../resource/Json.ts"
import {
  acceptLossAnnotation,
  KafkaBackup,
  maxAcceptLossLength,
  pinAnnotation,
  triggerAnnotation
} from "../resource/KafkaBackup.ts"
import * as ManifestParser from "../resource/ManifestParser.ts"
import * as Trigger from "../resource/Trigger.ts"
import { slotText } from "./RunIdentity.ts"

/** What a Job's pod is given: the resource as it was when the run was decided, and the run's identity. */
export interface RunSpec {
  readonly backup: KafkaBackup
  /** RFC 3339, UTC, whole seconds. */
  readonly slot: string
  readonly trigger?: string
}

/** True for the run of a schedule's slot; triggers, one-time and first backups at once are started by a person. */
export const isScheduled = ({ backup: { metadata, spec }, slot, trigger }: RunSpec): boolean =>
  spec.schedule !== undefined && trigger === undefined && !(spec.immediate && isCreation(metadata, slot))

const isCreation = ({ creationTimestamp }: KafkaBackup["metadata"], slot: string): boolean => {
  const created = Date.parse(creationTimestamp ?? "")
  return !Number.isNaN(created) && slotText(created) === slot
}

/** Longest encoded text, in bytes: Linux takes 128 KiB for one environment variable, its name included. */
export const maxLength = 96 * 1024

/** Longest text after inflation, in bytes: no resource that an API server accepts is longer. */
const maxInflated = 2 * ManifestParser.maxTextLength

/** The prefix of the text: names the version of the encoding. */
const front = "kafka-backup-run-1:"

/** The resource is longer than the environment of a pod can hold. */
export class RunSpecTooLarge extends Schema.TaggedError<RunSpecTooLarge>()("RunSpecTooLarge", {
  /** Bytes as encoded. */
  length: Schema.Int,
  limit: Schema.Int,
  /** The longest field of the spec, such as `spec.topics`. */
  longest: Schema.String
}) {
  override get message() {
    return `the resource takes ${this.length} bytes, compressed, in a pod's environment; at most ${this.limit} fit`
  }
  get advice() {
    return `shorten ${this.longest}, the longest field${this.longest.endsWith("opics") ? ": a wildcard pattern replaces many names" : ""}`
  }
}

/** Not a run spec, or not one that this version can read. */
export class RunSpecUnreadable extends Schema.TaggedError<RunSpecUnreadable>()("RunSpecUnreadable", {
  detail: Schema.String
}) {
  override get message() {
    return this.detail
  }
}

const Frozen = Schema.Struct({
  backup: Schema.Unknown,
  slot: Schema.String,
  trigger: Schema.optionalKey(Schema.String)
})
const decodeRunSpec = Schema.decodeUnknownResult(Schema.fromJsonString(Frozen))

/** The annotations that accept losses and that pin backups, and no other. A pin is never left out for its length. */
const ofRetention = (annotations: KafkaBackup["metadata"]["annotations"]) => {
  const accepted = annotations?.[acceptLossAnnotation]
  const pins = annotations?.[pinAnnotation]
  const isAccepting = accepted !== undefined && accepted.length <= maxAcceptLossLength
  if (!isAccepting && pins === undefined) return undefined
  return given({ [acceptLossAnnotation]: isAccepting ? accepted : undefined, [pinAnnotation]: pins })
}

/** What a pod uses: spec and identity, nothing that changes unless the resource is edited. */
const bare = ({
  apiVersion,
  kind,
  metadata: { annotations, creationTimestamp, generation, name, namespace, uid },
  spec
}: KafkaBackup): KafkaBackup => ({
  apiVersion,
  kind,
  metadata: given({ name, namespace, uid, creationTimestamp, generation, annotations: ofRetention(annotations) }),
  spec
})

export const longestField = (spec: Readonly<Record<string, unknown>>): string => {
  const length = (value: unknown) => JSON.stringify(value)?.length ?? 0
  const [longest] = Object.entries(spec).toSorted(([, a], [, b]) => length(b) - length(a))
  return `spec.${longest?.[0] ?? ""}`
}

/**
 * The run as the value of an environment variable: printable ASCII without `$`, which Kubernetes would expand. Of the
 * resource only apiVersion, kind, spec and the metadata name, namespace, uid, creationTimestamp and generation are
 * included, and the annotations that accept a loss and that pin backups.
 */
export const encode = ({ backup, slot, trigger }: RunSpec): Result.Result<string, RunSpecTooLarge> => {
  const content = { backup: Schema.encodeSync(KafkaBackup)(bare(backup)), slot, trigger }
  const text = front + deflateSync(JSON.stringify(content)).toString("base64")
  return text.length <= maxLength
    ? Result.succeed(text)
    : Result.fail(
        new RunSpecTooLarge({ length: text.length, limit: maxLength, longest: longestField({ ...backup.spec }) })
      )
}

const refuse = (detail: string) => Result.fail(new RunSpecUnreadable({ detail }))

/** Reads what `encode` wrote, checked like a resource from the API server. Total: fails on everything else. */
export const decode = (text: string): Result.Result<RunSpec, RunSpecUnreadable> => {
  if (!text.startsWith(front)) return refuse(`it does not begin with ${front}`)
  const inflated = Result.try(() =>
    inflateSync(Buffer.from(text.slice(front.length), "base64"), { maxOutputLength: maxInflated }).toString("utf8")
  )
  if (Result.isFailure(inflated)) return refuse("its content is damaged or cut off")
  const content = decodeRunSpec(inflated.success)
  if (Result.isFailure(content)) return refuse("its content is not that of a run spec")
  const { backup, slot, trigger } = content.success
  if (!isSlot(slot)) return refuse("its slot is not an instant in UTC with whole seconds")
  if (trigger !== undefined && Trigger.requested({ [triggerAnnotation]: trigger })._tag !== "Token") {
    return refuse("its trigger is empty or too long")
  }
  return Result.match(ManifestParser.fromServer(backup), {
    onFailure: ({ message }) => refuse(`its resource cannot be used: ${message}`),
    onSuccess: (read) => Result.succeed(given({ backup: bare(read), slot, trigger }))
  })
}

const isSlot = (text: string): boolean => {
  const millis = Date.parse(text)
  return !Number.isNaN(millis) && slotText(millis) === text
}
