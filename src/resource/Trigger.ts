import { codePoints } from "./Field.ts"
import { maxTriggerLength, triggerAnnotation } from "./KafkaBackup.ts"

/** What the trigger annotation asks for. The value is opaque: a date, a ticket, anything. */
export type Trigger =
  | { readonly _tag: "None" }
  | { readonly _tag: "Token"; readonly token: string }
  | { readonly _tag: "Refused"; readonly message: string }

/**
 * Reads the annotation that asks for something. An empty or overlong value is refused, not ignored: its author expects
 * something to start.
 */
export const requested = (
  annotations: { readonly [key: string]: string } | undefined,
  annotation: string = triggerAnnotation
): Trigger => {
  const token = annotations?.[annotation]
  if (token === undefined) return { _tag: "None" }
  const length = codePoints(token)
  if (length >= 1 && length <= maxTriggerLength) return { _tag: "Token", token }
  return {
    _tag: "Refused",
    message: `annotation ${annotation} must have 1 to ${maxTriggerLength} characters, has ${length}; set for example $(date +%s)`
  }
}
