import { type ApiClient, ApiRefusal, type Json, until } from "./ApiClient.ts"

/*
 * The objects that make a node known, and its namespaces its own.
 */

/** On the node as label and taint; in a namespace's selector and toleration. Its value is the node's name. */
const own = "kafka-backup.test/node"

const now = (): string => new Date().toISOString().replace("Z", "000Z")

const lease = (name: string): Json => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name, namespace: "kube-node-lease" },
  spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: now() }
})

const size = { cpu: "64", memory: "64Gi", "ephemeral-storage": "100Gi", pods: "200" }

const ready = (logPort: number | undefined): Json => ({
  capacity: size,
  allocatable: size,
  conditions: [
    {
      type: "Ready",
      status: "True",
      reason: "KubeletReady",
      message: "processes can be started",
      lastHeartbeatTime: `${now().slice(0, 19)}Z`,
      lastTransitionTime: `${now().slice(0, 19)}Z`
    }
  ],
  ...(logPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: logPort } } }),
  addresses: [
    { type: "InternalIP", address: "127.0.0.1" },
    { type: "Hostname", address: "localhost" }
  ],
  nodeInfo: {
    architecture: "amd64",
    bootID: "",
    containerRuntimeVersion: "process://1",
    kernelVersion: "",
    kubeProxyVersion: "",
    kubeletVersion: "v1.34.4",
    machineID: "",
    operatingSystem: "linux",
    osImage: "",
    systemUUID: ""
  }
})

/** Registers the node as ready, with a taint that only its own pods tolerate, and where it serves their logs. */
export const register = async (
  client: ApiClient,
  name: string,
  labels: Readonly<Record<string, string>>,
  logPort?: number
) => {
  await client.create("/api/v1/nodes", {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { ...labels, "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", [own]: name }
    },
    spec: { taints: [{ key: own, value: name, effect: "NoSchedule" }] }
  })
  await client.create("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", lease(name))
  await client.patch(`/api/v1/nodes/${name}/status`, { status: ready(logPort) })
}

/** Says that the node is still there; it counts as lost 50 seconds after the last time. */
export const renew = (client: ApiClient, name: string): Promise<Json> =>
  client.patch(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`, {
    spec: { renewTime: now() }
  })

export const unregister = async (client: ApiClient, name: string): Promise<void> => {
  await client.delete(`/api/v1/nodes/${name}`)
  await client.delete(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`)
}

/** A pod that every namespace takes, whatever it enforces. */
const probe: Json = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "probe-" },
  spec: {
    securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "probe",
        image: "probe",
        resources: { requests: { cpu: "1m", memory: "1Mi" }, limits: { cpu: "1m", memory: "1Mi" } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }
      }
    ]
  }
}

/**
 * Sends all future pods of a namespace, which is made when it is not there, to the node and nowhere else. Resolves once
 * the API server does so, which is also when the namespace has its default ServiceAccount.
 */
export const takeOver = async (client: ApiClient, name: string, namespace: string): Promise<void> => {
  const annotations = {
    "scheduler.alpha.kubernetes.io/node-selector": `${own}=${name}`,
    "scheduler.alpha.kubernetes.io/defaultTolerations": JSON.stringify([
      { key: own, operator: "Equal", value: name, effect: "NoSchedule" }
    ])
  }
  const path = `/api/v1/namespaces/${namespace}`
  const isThere = (await client.find(path)) !== undefined
  if (isThere) await client.patch(path, { metadata: { annotations } })
  else await client.create("/api/v1/namespaces", { metadata: { name: namespace, annotations } })
  let reason = "its pods are not given the node's name: PodNodeSelector and PodTolerationRestriction are needed"
  const isOurs = async (): Promise<true | undefined> => {
    try {
      const { spec } = await client.create(`${path}/pods?dryRun=All`, probe)
      const isTolerated = spec.tolerations?.some(({ key, value }: Json) => key === own && value === name)
      return spec.nodeSelector?.[own] === name && isTolerated ? true : undefined
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
      return undefined
    }
  }
  await until(`pods of ${namespace} go to ${name}`, isOurs, 20_000).catch((error: Error) => {
    throw new Error(`${error.message} (${reason})`)
  })
}

/** Lets the pods of a namespace go wherever the scheduler likes. */
export const giveUp = async (client: ApiClient, namespace: string): Promise<void> => {
  const annotations = {
    "scheduler.alpha.kubernetes.io/node-selector": null,
    "scheduler.alpha.kubernetes.io/defaultTolerations": null
  }
  await client.patch(`/api/v1/namespaces/${namespace}`, { metadata: { annotations } }).catch((error: unknown) => {
    if (!(error instanceof ApiRefusal && error.status === 404)) throw error
  })
}

/**
 * Removes the pods that are still bound to the node, which nobody else would do before a minute is over. Resolves when
 * they are gone: the Job controller has to let go of its own first.
 */
export const removePods = (client: ApiClient, name: string): Promise<true> =>
  until(`${name} has no pods`, async () => {
    const pods = await client.list(`/api/v1/pods?fieldSelector=spec.nodeName=${name}`)
    for (const { metadata } of pods) {
      const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`
      await client.delete(path, { gracePeriodSeconds: 0 })
    }
    return pods.length === 0 ? true : undefined
  })
