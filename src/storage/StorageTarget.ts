import type { Redacted } from "effect"

/** Names where a credential came from, so that a refusal can say which Secret and which keys to look at. */
export interface CredentialsOrigin {
  readonly secret: string
  readonly keys: ReadonlyArray<string>
}

export interface S3Target {
  readonly _tag: "S3"
  readonly bucket: string
  readonly region: string
  /** Key prefix without leading or trailing slash; absent or empty means the bucket's root. */
  readonly prefix?: string
  /** `http://host:port` or `https://host`, used with path-style addressing; absent means AWS. */
  readonly endpoint?: string
  /** Static keys. Absent: the SDK's default chain (IRSA, Pod Identity, environment, instance role). */
  readonly credentials?: {
    readonly accessKeyId: Redacted.Redacted
    readonly secretAccessKey: Redacted.Redacted
    readonly origin: CredentialsOrigin
  }
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

/** Where one resource's backups go, with everything needed to open it. */
export type StorageTarget = S3Target | DirectoryTarget | InMemoryTarget
