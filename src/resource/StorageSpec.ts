import { AzureSpec } from "./AzureSpec.ts"
import * as Field from "./Field.ts"
import { GcsSpec } from "./GcsSpec.ts"
import { normalized } from "./ObjectPrefix.ts"
import { PvcSpec } from "./PvcSpec.ts"
import * as Rule from "./Rule.ts"
import { S3Spec } from "./S3Spec.ts"

export const storageTypes = ["s3", "azure", "gcs", "pvc"] as const
export type StorageType = (typeof storageTypes)[number]

const required: Record<StorageType, string> = {
  s3: "bucket and region",
  azure: "accountName and container",
  gcs: "bucket",
  pvc: "claimName"
}

const blockRule = (type: StorageType) =>
  Rule.rule<{ readonly storageType: StorageType } & { readonly [K in StorageType]?: unknown }>({
    cel: `self.storageType != '${type}' || has(self.${type})`,
    message: `storageType ${type} needs the block storage.${type} with ${required[type]}`,
    reason: "FieldValueRequired",
    fieldPath: `.${type}`,
    holds: (self) => self.storageType !== type || self[type] !== undefined
  })

export const StorageSpec = Field.object(
  {
    storageType: Field.choice(storageTypes, {
      description:
        "Which of the blocks below is used: s3, azure, gcs or pvc. That block is required; the others are ignored."
    }),
    s3: Field.optional(S3Spec),
    azure: Field.optional(AzureSpec),
    gcs: Field.optional(GcsSpec),
    pvc: Field.optional(PvcSpec)
  },
  { description: "Where backups are kept.", rules: storageTypes.map(blockRule) }
)
export type StorageSpec = typeof StorageSpec.Type

/** The block that counts, with its prefix or path as it goes into keys: no trailing slash, and absent when empty. */
export type ChosenStorage =
  | { readonly storageType: "s3"; readonly s3: S3Spec }
  | { readonly storageType: "azure"; readonly azure: AzureSpec }
  | { readonly storageType: "gcs"; readonly gcs: GcsSpec }
  | { readonly storageType: "pvc"; readonly pvc: PvcSpec }

/** What `storageType` chooses. Throws only on a value that did not come from the schema, which requires the block. */
export const chosen = (storage: StorageSpec): ChosenStorage => {
  const { azure, gcs, pvc, s3, storageType } = storage
  switch (storageType) {
    case "s3":
      if (s3) return { storageType, s3: bare(s3, "prefix") }
      break
    case "azure":
      if (azure) return { storageType, azure: bare(azure, "prefix") }
      break
    case "gcs":
      if (gcs) return { storageType, gcs: bare(gcs, "prefix") }
      break
    case "pvc":
      if (pvc) return { storageType, pvc: bare(pvc, "subPath") }
      break
  }
  throw new Error(`storageType ${storageType} without its block: not a decoded StorageSpec`)
}

/** Blocks that are there although `storageType` names another one, in the order of the documentation. */
export const ignoredStorageBlocks = (spec: { readonly storage: StorageSpec }): ReadonlyArray<StorageType> =>
  storageTypes.filter((type) => type !== spec.storage.storageType && spec.storage[type] !== undefined)

/** How notes of a backup name ignored blocks. */
export const ignoredText = (blocks: ReadonlyArray<StorageType>): string =>
  `storage blocks ${blocks.join(", ")} are ignored`

const bare = <B extends { readonly [key in K]?: string }, K extends string>(block: B, key: K): B => {
  const { [key]: path, ...rest } = block
  const kept = normalized(path)
  return (kept === undefined ? rest : { ...rest, [key]: kept }) as B
}
