import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import * as Sampling from "../backup/Sampling.ts"
import * as Adoption from "../manifest/Adoption.ts"
import type { BackupSet } from "../manifest/Catalogue.ts"
import * as Ledger from "../manifest/Ledger.ts"
import * as LedgerReading from "../manifest/LedgerReading.ts"
import * as Verification from "../manifest/Verification.ts"
import * as Format from "../status/Format.ts"
import type { ObjectStoreShape } from "../storage/ObjectStore.ts"
import { UsageError } from "./UsageError.ts"

/* A share of a backup, for `verify --sample`. */

export const flag = Flag.Int("sample").pipe(
  Flag.withMetavar("PERCENT"),
  Flag.filter(
    (percent) => percent >= 1 && percent <= 100,
    () => "must be from 1 to 100: it is a percentage of the stored bytes"
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined),
  Flag.withDescription(
    "read PERCENT of the stored bytes as --deep does, those first that were not read for longest, and look for the rest; with --mark the next one reads others"
  )
)

export interface Given {
  /** From 1 to 100. */
  readonly sample: number | undefined
}

/** Fails where both are asked for. */
export const assertOne = ({ deep, sample }: Given & { readonly deep: boolean }) =>
  deep && sample !== undefined
    ? Effect.fail(
        new UsageError({
          detail: "--sample and --deep exclude each other: --deep reads everything",
          advice: "leave out one of them"
        })
      )
    : Effect.void

/** The keys of the objects that make up that share, and are to be read first as far as the resource's record says. */
export const choose = Effect.fn("VerifySample.choose")(function* (
  store: ObjectStoreShape,
  resource: Adoption.Resource,
  set: BackupSet,
  percent: number
) {
  const { entries } = yield* Ledger.read(store, Adoption.ownerOf(resource))
  const all = Verification.locatedSegments(set)
  const keys = all.map(({ segment }) => segment.key)
  const order = LedgerReading.order(entries, keys)
  // Other tools leave out sizes. Where none is known, each object counts the same.
  const sizes = order.map((n) => all[n]!.segment.compressed_size ?? all[n]!.segment.uncompressed_size ?? 1)
  return new Set(Sampling.due(sizes, sizes.length, percent).map((n) => keys[order[n]!]!)) as ReadonlySet<string>
})

/** What was read, for people; undefined where it was no share. */
export const text = ({ sample, segments, storedBytes }: Verification.Verification): string | undefined => {
  if (sample === undefined) return undefined
  const share = storedBytes === 0 ? "" : `, ${Math.round((sample.storedBytes / storedBytes) * 1000) / 10} %`
  return `Note: ${Format.count(sample.segments)} of ${Format.count(segments)} segments (${Format.bytes(sample.storedBytes)}${share}) were read; the others were only looked for`
}
