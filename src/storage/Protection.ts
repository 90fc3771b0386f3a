/** What keeps an object from being removed now. Both absent: something does, and the store names no end. */
export interface Protection {
  /** Of a retention: when it ends, in milliseconds since 1970. */
  readonly untilMillis?: number
  /** Somebody holds it until he takes that back. */
  readonly isHeld?: true
}

/**
 * `locked until 2027-01-01T00:00:00.000Z`, `locked by a hold`, both, or `locked` where the store names neither.
 */
export const protectionText = ({ isHeld, untilMillis }: Protection): string => {
  const until = untilMillis === undefined ? [] : [`until ${new Date(untilMillis).toISOString()}`]
  return ["locked", [...until, ...(isHeld === true ? ["by a hold"] : [])].join(" and ")].join(" ").trimEnd()
}
