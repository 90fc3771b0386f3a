import type { ChosenStorage } from "./StorageSpec.ts"

/**
 * Where the backups of a resource lie, as one text: `s3://bucket/prefix`, `azure://account/container/prefix`,
 * `gs://bucket/prefix` or `pvc://claim/path`. An endpoint is left out: it may name more than a place.
 */
export const of = (chosen: ChosenStorage): string => {
  switch (chosen.storageType) {
    case "s3":
      return joined("s3:/", chosen.s3.bucket, chosen.s3.prefix)
    case "azure":
      return joined("azure:/", chosen.azure.accountName, chosen.azure.container, chosen.azure.prefix)
    case "gcs":
      return joined("gs:/", chosen.gcs.bucket, chosen.gcs.prefix)
    case "pvc":
      return joined("pvc:/", chosen.pvc.claimName, chosen.pvc.subPath)
  }
}

const joined = (...parts: ReadonlyArray<string | undefined>): string =>
  parts.filter((part) => part !== undefined).join("/")
