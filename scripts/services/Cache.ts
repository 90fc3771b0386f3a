import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

/** The repository's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

/** Everything that is downloaded or compiled; ignored by git, safe to delete. `KBO_CACHE` moves its parent. */
export const folder = join(resolve(root, process.env["KBO_CACHE"] ?? ".cache"), "services")

/** Kafka's jars, one folder per version so that an upgrade never mixes two. */
export const kafkaJars = join(folder, "kafka-4.3.1")

export const versitygw = join(folder, "versitygw-v1.7.0")
export const minio = join(folder, "minio-20260212")
export const azurite = join(folder, "azurite-3.37.0")
export const browser = join(folder, "chromium-153.0.0")
export const fakegcs = join(folder, "fake-gcs-server-v1.55.1")
export const toxiproxy = join(folder, "toxiproxy-v2.12.0")
export const etcd = join(folder, "etcd-v3.6.14")
export const apiserver = join(folder, "kube-apiserver-v1.34.4")
export const controllerManager = join(folder, "kube-controller-manager-v1.34.4")
export const scheduler = join(folder, "kube-scheduler-v1.34.4")
export const kubelet = join(folder, "kubelet-v1.34.4")
export const kubectl = join(folder, "kubectl-v1.34.4")
export const helm = join(folder, "helm-v4.3.2")
export const prometheus = join(folder, "prometheus-v0.316.0")
export const promtool = join(folder, "promtool-v0.316.0")
export const glua = join(folder, "glua-v1.1.2")

/** Where `npm run services` says what it started. */
export const environmentFile = join(folder, "env.json")

/** Java sources of the independent loader and reader. */
export const javaSources = join(root, "test", "java")
