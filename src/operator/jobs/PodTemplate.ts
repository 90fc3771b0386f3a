import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import type { OffsetResource } from "../../resource/OffsetResource.ts"
import * as StorageSpec from "../../resource/StorageSpec.ts"
import { runSpecVariable } from "../Labels.ts"
import {
  containerName,
  defaultGraceSeconds,
  defaultUser,
  type JobSettings,
  metricsPort,
  secretsDirectory,
  summaryFile,
  volumesDirectory
} from "./JobSettings.ts"
import * as Resources from "./Resources.ts"
import type { SecretKey } from "./SecretKeys.ts"
import * as Volumes from "./Volumes.ts"

type Strings = Readonly<Record<string, string>>

/** A pod on one resource. */
export interface PodInput {
  readonly resource: KafkaBackup | OffsetResource
  readonly settings: JobSettings
  /** The command and its own options; where it finds things is added. */
  readonly args: ReadonlyArray<string>
  /** The run or maintenance, encoded. */
  readonly runSpec: string
  readonly keys: ReadonlyArray<SecretKey>
  /** The work reads or writes the storage. */
  readonly usesStorage?: boolean
  /** The command leaves a summary for the operator. Default: true. */
  readonly leavesSummary?: boolean
  /** More environment variables of the container. */
  readonly variables?: Strings
  /** Serve /metrics and /progress. */
  readonly isListening: boolean
  readonly labels: Strings
  readonly annotations: Strings
}

/** Autoscalers keep a node while a run is on it; users may override this. */
const stay: Strings = {
  "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
  "karpenter.sh/do-not-disrupt": "true"
}

/** Environment variables are expanded by Kubernetes: `$(NAME)`. */
const literal = (text: string): string => text.replaceAll("$", "$$$$")

/** Brackets make an address of either family readable. */
const listen = ["--listen", `[$(POD_IP)]:${metricsPort}`]

const container = (
  { args, isListening, leavesSummary = true, resource, runSpec, settings, variables = {} }: PodInput,
  mounts: Volumes.Mounted
) => ({
  name: containerName,
  image: settings.image,
  ...given({ imagePullPolicy: settings.imagePullPolicy }),
  args: [
    ...args,
    "-f",
    `env:${runSpecVariable}`,
    "--secrets",
    secretsDirectory,
    "--volumes",
    volumesDirectory,
    ...(leavesSummary ? ["--summary", summaryFile] : []),
    ...(isListening ? listen : [])
  ],
  env: [
    ...Object.entries(settings.variables ?? {}).map(([name, value]) => ({ name, value: literal(value) })),
    ...(resource.spec.podTemplate?.env ?? []).map(({ name, value }) => ({ name, value: literal(value) })),
    { name: "TMPDIR", value: "/tmp" },
    ...Object.entries(variables).map(([name, value]) => ({ name, value })),
    ...(isListening ? [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] : []),
    { name: runSpecVariable, value: literal(runSpec) }
  ],
  ...(isListening ? { ports: [{ name: "metrics", containerPort: metricsPort, protocol: "TCP" }] } : {}),
  resources: Resources.completed(resource.spec.resources, settings.defaultResources),
  volumeMounts: mounts.volumeMounts,
  terminationMessagePath: summaryFile,
  terminationMessagePolicy: "File",
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] }
  }
})

/** With a group of its own a fresh volume can be written and mounted tokens can be read by a user who is not root. */
const securityContext = (user: number | "assigned" = defaultUser) => ({
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
  ...(user === "assigned" ? {} : { runAsUser: user, runAsGroup: user, fsGroup: user }),
  fsGroupChangePolicy: "OnRootMismatch"
})

/** AKS puts a token only into pods that ask for it with this label. */
const identityLabels = ({ storage }: PodInput["resource"]["spec"]): Strings => {
  if (storage === undefined) return {}
  const chosen = StorageSpec.chosen(storage)
  return chosen.storageType === "azure" && chosen.azure.useWorkloadIdentity
    ? { "azure.workload.identity/use": "true" }
    : {}
}

/** The template of a Job's pods: conforms to the restricted Pod Security Standard, and has no rights in Kubernetes. */
export const make = (input: PodInput) => {
  const { resource, settings } = input
  const {
    affinity,
    annotations,
    hostAliases,
    imagePullSecrets,
    labels,
    nodeSelector,
    priorityClassName,
    serviceAccountName,
    tolerations
  } = resource.spec.podTemplate ?? {}
  const { storage } = resource.spec
  const usesStorage = input.usesStorage !== false && storage !== undefined
  const mounts = Volumes.mounted(usesStorage ? { storage } : undefined, input.keys)
  return {
    metadata: {
      labels: { ...labels, ...identityLabels(resource.spec), ...input.labels },
      annotations: { ...stay, ...annotations, ...input.annotations }
    },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: settings.terminationGracePeriodSeconds ?? defaultGraceSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...given({
        serviceAccountName,
        nodeSelector,
        tolerations,
        affinity,
        priorityClassName,
        hostAliases,
        imagePullSecrets
      }),
      securityContext: securityContext(settings.user),
      containers: [container(input, mounts)],
      volumes: mounts.volumes
    }
  }
}
