import type { RestoreStatus } from "./RestoreFacts.ts"

/** True when the status says that every record was restored and compared: nothing is ever started again. */
export const isCompleted = ({ conditions, phase }: RestoreStatus): boolean =>
  phase === "Completed" && (conditions?.some(({ status, type }) => type === "Verified" && status === "True") ?? false)

/** True when a Job of an earlier spec wrote after the spec was edited: nothing is ever started again. */
export const isEditTooLate = ({ conditions }: RestoreStatus): boolean =>
  conditions?.some(({ reason, type }) => type === "Ready" && reason === "EditTooLate") ?? false
