import { type ApiClient, ApiRefusal, type Json } from "./ApiClient.ts"
import type { Unavailable } from "./Unavailable.ts"

/** Writes down, as a kubelet does, what a pod waits for. */
export const write = async (client: ApiClient, host: string, pod: Json, { event, message }: Unavailable) => {
  const { name, namespace, uid } = pod["metadata"]
  const now = new Date().toISOString().replace(/\.\d+Z/, "Z")
  await client
    .create(`/api/v1/namespaces/${namespace}/events`, {
      metadata: { generateName: `${name}.`, namespace },
      involvedObject: { apiVersion: "v1", kind: "Pod", name, namespace, uid },
      type: "Warning",
      reason: event,
      message,
      source: { component: "kubelet", host },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1
    })
    .catch((error: unknown) => {
      // A namespace that is going takes no Events.
      if (!(error instanceof ApiRefusal)) throw error
    })
}
