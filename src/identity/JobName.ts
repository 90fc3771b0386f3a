import { createHash } from "node:crypto"
import type { Owner, RunIdentity } from "./RunIdentity.ts"
import { digest, ownerKey } from "./RunIdentity.ts"

/** Longest name of a Job whose pods' names are not cut: they are `{job}-{5 characters}`, and a DNS label ends at 63. */
export const maxJobNameLength = 57

const digestLength = 16

/**
 * The name of the Job of a run: the front of the resource's name, for people, and a digest of the identity, which makes
 * it unique. Always a DNS label; equal for equal identities, in any process at any time.
 */
export const forRun = (identity: RunIdentity): string =>
  named(identity.owner, "", digest(identity).slice(0, digestLength))

/**
 * The name of a Job of `purpose` beside the runs; the same promises, with `key` in the place of a slot: equal keys of
 * one owner and purpose are one Job.
 */
export const forMaintenance = (owner: Owner, purpose: string, key: string): string => {
  const text = JSON.stringify(["maintenance", ownerKey(owner), purpose, key])
  return named(owner, `-${purpose}`, createHash("sha256").update(text).digest("hex").slice(0, digestLength))
}

/** What tells the checks of one resource apart. */
export type CheckKey = ReadonlyArray<string | number>

/** The key of the check that the annotation asks for with this value. */
export const checkAsked = (token: string): CheckKey => ["asked", token]

/** The name of the Job of a check; the same promises. */
export const forCheck = (owner: Owner, key: CheckKey): string => forMaintenance(owner, "check", JSON.stringify(key))

/** The name of the Job of an attempt of a restore; the same promises. `key` tells the attempts of one restore apart. */
export const forRestore = (owner: Owner, key: string): string => {
  const text = JSON.stringify(["restore", ownerKey(owner), key])
  return named(owner, "-restore", createHash("sha256").update(text).digest("hex").slice(0, digestLength))
}

/** The same of a Job that works on the offsets of consumer groups. */
export const forOffsets = (owner: Owner, key: string): string => {
  const text = JSON.stringify(["offsets", ownerKey(owner), key])
  return named(owner, "-offsets", createHash("sha256").update(text).digest("hex").slice(0, digestLength))
}

const named = (owner: Owner, middle: string, unique: string): string => {
  const front = owner.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, "-")
    .slice(0, maxJobNameLength - middle.length - digestLength - 1)
    .replaceAll(/^-+|-+$/g, "")
  return `${front === "" ? "backup" : front}${middle}-${unique}`
}
