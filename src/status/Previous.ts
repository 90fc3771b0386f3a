import * as Crd from "../resource/Crd.ts"
import { codePoints } from "../resource/Field.ts"
import type { StructuralSchema } from "../resource/StructuralSchema.ts"
import * as OffsetCrds from "../resource/OffsetCrds.ts"
import * as RestoreCrd from "../resource/RestoreCrd.ts"
import type { OffsetStatus } from "./offsets/OffsetFacts.ts"
import type { RestoreStatus } from "./restore/RestoreFacts.ts"
import type { Status } from "./Status.ts"
import * as Format from "./Format.ts"

/**
 * The readable part of a status that an older or newer operator, or a person, wrote. Total. Fields and list entries
 * that cannot be read are left out, one by one; what is left is valid, with times in whole seconds UTC.
 */
export const read = (json: unknown): Status => (readable(Crd.status(), json) as Status | undefined) ?? {}

/** The same of the status of a restore. */
export const readRestore = (json: unknown): RestoreStatus =>
  (readable(RestoreCrd.status(), json) as RestoreStatus | undefined) ?? {}

/** The same of the status of a KafkaOffsetReset or KafkaOffsetRollback. */
export const readOffsets = (json: unknown): OffsetStatus =>
  (readable(OffsetCrds.status(), json) as OffsetStatus | undefined) ?? {}

/** `undefined` when nothing of the value can be read, or when something required of it cannot. */
const readable = (node: StructuralSchema, value: unknown): unknown => {
  switch (node.type) {
    case "object":
      return isMap(value) ? fields(node, value) : undefined
    case "array":
      return Array.isArray(value) ? entries(node, value) : undefined
    case "string":
      return typeof value === "string" ? text(node, value) : undefined
    case "boolean":
      return typeof value === "boolean" ? value : undefined
    case "integer":
      return Number.isSafeInteger(value) &&
        (value as number) >= (node.minimum ?? -Infinity) &&
        (value as number) <= (node.maximum ?? Infinity)
        ? value
        : undefined
    default:
      return undefined
  }
}

const fields = (node: StructuralSchema, value: Readonly<Record<string, unknown>>): unknown => {
  const read: Record<string, unknown> = {}
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const field = Object.hasOwn(value, name) ? readable(child, value[name]) : undefined
    if (field !== undefined) read[name] = field
    else if (node.required?.includes(name)) return undefined
  }
  return read
}

/** Bounds of lists are the writer's task: the entries to keep are not always the first. */
const entries = (node: StructuralSchema, value: ReadonlyArray<unknown>): unknown =>
  value.map((item) => readable(node.items!, item)).filter((item) => item !== undefined)

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

const text = (node: StructuralSchema, value: string): string | undefined => {
  if (node.format === "date-time") {
    const millis = instant.test(value) ? Date.parse(value) : Number.NaN
    return Number.isNaN(millis) ? undefined : Format.time(millis)
  }
  if (node.enum !== undefined && !node.enum.includes(value)) return undefined
  return codePoints(value) <= (node.maxLength ?? Infinity) ? value : undefined
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
