import type { Redacted } from "effect"

/** Names where a credential came from, so that a refusal can say which Secret and which keys to look at. */
export interface CredentialsOrigin {
  readonly secret: string
  readonly keys: ReadonlyArray<string>
}

/** Certificate authorities that are trusted beside the public ones and the system's. */
export interface Authorities {
  /** One or more certificates. */
  readonly pem: string
  readonly origin: { readonly secret: string; readonly key: string }
}

/** How long data is locked from the moment it is written, in days, and who may end that early. */
export interface Lock<Mode extends string> {
  readonly mode: Mode
  readonly days: number
}

/** By name; at most ten. */
export type Tags = Readonly<Record<string, string>>

/** The role whose keys sign every request, in place of those that ask for it. */
export interface AssumedRole {
  readonly roleArn: string
  readonly externalId?: string
  /** Absent: `kafka-backup`. */
  readonly sessionName?: string
  /** Address of the token service. Absent: the store's endpoint, else the region's own. */
  readonly endpoint?: string
}

export interface S3Target {
  readonly _tag: "S3"
  readonly bucket: string
  readonly region: string
  /** Key prefix without leading or trailing slash; absent or empty means the bucket's root. */
  readonly prefix?: string
  /** `http://host:port` or `https://host`; absent means AWS. */
  readonly endpoint?: string
  /** Absent or `auto`: the bucket stands in the path with an endpoint or with dots in its name, else in the host. */
  readonly addressingStyle?: "auto" | "path" | "virtual"
  /** For an endpoint with https. Absent: Node's own list and the system's. */
  readonly authorities?: Authorities
  /** Static keys. Absent: the SDK's default chain (IRSA, Pod Identity, environment, instance role). */
  readonly credentials?: {
    readonly accessKeyId: Redacted.Redacted
    readonly secretAccessKey: Redacted.Redacted
    readonly origin: CredentialsOrigin
  }
  readonly assumeRole?: AssumedRole
  readonly requesterPays?: boolean
  /** For every object. Absent: as the bucket is set up. */
  readonly encryption?: {
    readonly algorithm: "AES256" | "aws:kms" | "aws:kms:dsse"
    readonly kmsKeyId?: string
  }
  /** For data. Absent: STANDARD. */
  readonly storageClass?: string
  /** For data. */
  readonly lock?: Lock<"GOVERNANCE" | "COMPLIANCE">
  /** For every object. */
  readonly tags?: Tags
}

/** How we prove to Azure who we are: exactly one way. */
export type AzureCredentials =
  | { readonly _tag: "AccountKey"; readonly accountKey: Redacted.Redacted; readonly origin: CredentialsOrigin }
  /** A leading `?` is tolerated. */
  | { readonly _tag: "SasToken"; readonly sasToken: Redacted.Redacted; readonly origin: CredentialsOrigin }
  | {
      readonly _tag: "ServicePrincipal"
      readonly clientId: Redacted.Redacted
      readonly tenantId: Redacted.Redacted
      readonly clientSecret: Redacted.Redacted
      readonly origin: CredentialsOrigin
    }
  /** What AKS Workload Identity puts into the pod: AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID, AZURE_TENANT_ID. */
  | { readonly _tag: "WorkloadIdentity" }
  /** Whatever identity the platform gives: workload identity where it is injected, else the managed identity. */
  | { readonly _tag: "Platform" }

export interface AzureTarget {
  readonly _tag: "Azure"
  readonly accountName: string
  readonly container: string
  /** Blob name prefix without leading or trailing slash; absent or empty means the container's root. */
  readonly prefix?: string
  /**
   * Address of the blob service; absent means `https://{accountName}.blob.core.windows.net`. Where the account is not in
   * the host name, as with emulators, it ends with it: `http://127.0.0.1:10000/devstoreaccount1`.
   */
  readonly endpoint?: string
  readonly credentials: AzureCredentials
  /** For data. Absent: the account's default. */
  readonly accessTier?: string
  /** For data. */
  readonly lock?: Lock<"Unlocked" | "Locked">
  /** For every blob. Absent: the container's. */
  readonly encryptionScope?: string
  /** Index tags of every blob. */
  readonly tags?: Tags
}

/** The address is Google's, or what the environment variable STORAGE_EMULATOR_HOST says. */
export interface GcsTarget {
  readonly _tag: "Gcs"
  readonly bucket: string
  /** Object name prefix without leading or trailing slash; absent or empty means the bucket's root. */
  readonly prefix?: string
  /** A service account's key file. Absent: application default credentials (GKE Workload Identity). */
  readonly credentials?: { readonly keyFile: Redacted.Redacted; readonly origin: CredentialsOrigin }
  /** For data. Absent: the bucket's default. */
  readonly storageClass?: string
  /** For every object. Absent: the bucket's default. */
  readonly kmsKeyName?: string
  /** For data. */
  readonly lock?: Lock<"Unlocked" | "Locked">
}

export interface DirectoryTarget {
  readonly _tag: "Directory"
  /** Absolute path of an existing directory: the mounted claim. */
  readonly volume: string
  /** Path below the volume; created when missing; never leaves the volume, symbolic links included. */
  readonly subPath?: string
}

/** A store of this process, found again by its name. For tests and the demo. */
export interface InMemoryTarget {
  readonly _tag: "InMemory"
  readonly name: string
}

/**
 * Where one resource's backups go, with everything needed to open it. Credentials are values, as their Secret stood
 * when it was read; adapters use them as they are. `RotatingObjectStore` opens the store again with a newer target when
 * they are refused and the Secret has changed, whatever the backend.
 */
export type StorageTarget = S3Target | AzureTarget | GcsTarget | DirectoryTarget | InMemoryTarget
