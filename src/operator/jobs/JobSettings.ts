import type { ResourcesSpec } from "../../resource/ResourcesSpec.ts"

/** What the operator's own configuration says about every Job. */
export interface JobSettings {
  /** The image whose entrypoint is kafka-backup. */
  readonly image: string
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never"
  /** For resources that leave something out; what is absent here too is `Resources.defaults`. */
  readonly defaultResources?: ResourcesSpec
  /** Between SIGTERM and SIGKILL; a worker seals and checkpoints what it has in up to 25 s. Default: 60. */
  readonly terminationGracePeriodSeconds?: number
  /**
   * The user that the container runs as. `assigned`: the platform chooses, as OpenShift does, and refuses others.
   * Default: 65532.
   */
  readonly user?: number | "assigned"
  /** Whether the operator reads Strimzi's resources for `strimziRef`, which takes rights of its own. Default: false. */
  readonly strimzi?: boolean
  /** More environment variables, such as proxies. Never a secret: everyone who may read pods sees them. */
  readonly variables?: Readonly<Record<string, string>>
}

/** The container that does the work; every other one in the pod was injected. */
export const containerName = "backup"

/** Where the worker serves /metrics and /progress. */
export const metricsPort = 9090

/** Secrets are files `{secretsDirectory}/{secret name}/{key}`. */
export const secretsDirectory = "/etc/kafka-backup/secrets"

/** A claim is the directory `{volumesDirectory}/{claim name}`. */
export const volumesDirectory = "/var/lib/kafka-backup/volumes"

/** Where the worker leaves its summary. Kubernetes keeps at most 4096 bytes of it. */
export const summaryFile = "/dev/termination-log"

export const defaultUser = 65_532
export const defaultGraceSeconds = 60
