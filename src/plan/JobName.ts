import type { RunIdentity } from "./RunIdentity.ts"
import { digest } from "./RunIdentity.ts"

/** Longest name of a Job whose pods' names are not cut: they are `{job}-{5 characters}`, and a DNS label ends at 63. */
export const maxJobNameLength = 57

const digestLength = 16

/**
 * The name of the Job of a run: the front of the resource's name, for people, and a digest of the identity, which makes it
 * unique. Always a DNS label; equal for equal identities, whenever and by whom it is asked.
 */
export const forRun = (identity: RunIdentity): string => {
  const front = identity.owner.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, "-")
    .slice(0, maxJobNameLength - digestLength - 1)
    .replaceAll(/^-+|-+$/g, "")
  return `${front === "" ? "backup" : front}-${digest(identity).slice(0, digestLength)}`
}
