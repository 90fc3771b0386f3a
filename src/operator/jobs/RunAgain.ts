import { retryAnnotation } from "../../resource/KafkaRestore.ts"

/** How a run is repeated whose Job was deleted: the end of a message. */
export const advice = " To run again, set the trigger annotation to a new value"

/** The message for a resource that is being deleted: no trigger starts anything there. */
export const without = (message: string): string => message.replace(advice, "")

/** How a restore is continued whose Job was deleted or failed: the end of a message. */
export const restoreAdvice = ` To continue, set the annotation ${retryAnnotation} to a new value`
