import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as Versions from "./Versions.ts"

/** The repository's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

/** Everything that is downloaded or compiled; ignored by git, safe to delete. `KBO_CACHE` moves its parent. */
export const folder = join(resolve(root, process.env["KBO_CACHE"] ?? ".cache"), "services")

/** Kafka's jars, one folder per version so that an upgrade never mixes two. */
export const kafkaJars = join(folder, `kafka-${Versions.kafka}`)

export const versitygw = join(folder, `versitygw-v${Versions.versitygw}`)
export const minio = join(folder, `minio-${Versions.minio}`)
export const azurite = join(folder, `azurite-${Versions.azurite}`)
export const browser = join(folder, `chromium-${Versions.chromium}`)
export const fakegcs = join(folder, `fake-gcs-server-v${Versions.fakegcs}`)
export const toxiproxy = join(folder, `toxiproxy-v${Versions.toxiproxy}`)
export const etcd = join(folder, `etcd-v${Versions.etcd}`)
export const apiserver = join(folder, `kube-apiserver-v${Versions.kubernetes}`)
export const controllerManager = join(folder, `kube-controller-manager-v${Versions.kubernetes}`)
export const scheduler = join(folder, `kube-scheduler-v${Versions.kubernetes}`)
export const kubelet = join(folder, `kubelet-v${Versions.kubernetes}`)
export const kubectl = join(folder, `kubectl-v${Versions.kubernetes}`)
export const helm = join(folder, `helm-v${Versions.helm}`)
export const prometheus = join(folder, `prometheus-v${Versions.prometheus}`)
export const promtool = join(folder, `promtool-v${Versions.prometheus}`)
export const glua = join(folder, `glua-v${Versions.lua}`)

/** Where `npm run services` says what it started. */
export const environmentFile = join(folder, "env.json")

/** Java sources of the independent loader and reader. */
export const javaSources = join(root, "test", "java")
