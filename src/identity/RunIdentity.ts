import { createHash } from "node:crypto"
import { Schema } from "effect"

/** Whose backups these are. Two owners are the same only when all three agree (see `isSameOwner`). */
export const Owner = Schema.Struct({
  /** The resource's uid; absent when a manifest file was never applied to a cluster. */
  uid: Schema.optionalKey(Schema.String),
  namespace: Schema.optionalKey(Schema.String),
  name: Schema.String
})
export type Owner = typeof Owner.Type

/** True when both are provably one resource: equal uids, or, where neither has one, equal namespace and name. */
export const isSameOwner = (a: Owner, b: Owner): boolean =>
  a.uid !== undefined || b.uid !== undefined ? a.uid === b.uid : a.namespace === b.namespace && a.name === b.name

/**
 * A short, key-safe name of the owner: its uid, or namespace and name. Those contain dots and no underscore, so that
 * different owners have different names.
 */
export const ownerKey = (owner: Owner): string => owner.uid ?? `${owner.namespace ?? ""}_${owner.name}`

/** What identifies a run: its owner and its slot, or the trigger value that asked for it. */
export const RunIdentity = Schema.Struct({
  owner: Owner,
  /** The scheduled slot, or when a trigger was first seen; RFC 3339, UTC. Names the backup. */
  slot: Schema.String,
  /** The trigger annotation's value, where that started the run. */
  trigger: Schema.optionalKey(Schema.String)
})
export type RunIdentity = typeof RunIdentity.Type

/** How `slot` is written: RFC 3339 in UTC, whole seconds. Equal slots must be equal texts. */
export const slotText = (slotMillis: number): string => new Date(slotMillis).toISOString().replace(/[.][0-9]+Z$/, "Z")

/** 32 hex digits that represent the identity in object keys. Equal identities, and only those, have equal digests. */
export const digest = (identity: RunIdentity): string =>
  createHash("sha256")
    .update(
      JSON.stringify(
        identity.trigger === undefined
          ? ["slot", ownerKey(identity.owner), identity.slot]
          : ["trigger", ownerKey(identity.owner), identity.trigger]
      )
    )
    .digest("hex")
    .slice(0, 32)

export const isSameRun = (a: RunIdentity, b: RunIdentity): boolean =>
  isSameOwner(a.owner, b.owner) && digest(a) === digest(b)
