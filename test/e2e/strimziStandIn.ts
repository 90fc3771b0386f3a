import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parseAllDocuments } from "yaml"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import type { KafkaSecurity } from "../../scripts/services/Kafka.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { root } from "../docs/repository.ts"

/*
 * What Strimzi does for the quick start, without its pods: its definitions, and the status and Secrets that it writes
 * once a cluster and a user are ready. The cluster is the broker of the tests.
 */

const own = process.env["KBO_STRIMZI_CRDS"]
const kept = { type: "object", "x-kubernetes-preserve-unknown-fields": true }

/** A definition that takes anything. */
const permissive = (kind: string) => {
  const plural = `${kind.toLowerCase()}s`
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.kafka.strimzi.io` },
    spec: {
      group: "kafka.strimzi.io",
      scope: "Namespaced",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: "object", properties: { spec: kept, status: kept } } }
        }
      ]
    }
  }
}

/** The reduced definitions, which take fields beside those that the operator reads. */
const reduced = () => {
  const text = readFileSync(join(root, "test", "e2e", "strimzi", "definitions.yaml"), "utf8")
  return parseAllDocuments(text).map((document) => {
    const definition = document.toJS()
    const { properties } = definition.spec.versions[0].schema.openAPIV3Schema
    for (const part of [properties.spec, ...Object.values<any>(properties.spec.properties)]) {
      if (part.type === "object") part["x-kubernetes-preserve-unknown-fields"] = true
    }
    return definition
  })
}

/** Makes the definitions: the project's own, or those of KBO_STRIMZI_CRDS. */
export const install = async (apiserver: ApiServer): Promise<void> => {
  if (own !== undefined) await Kubectl.succeed(apiserver, ["apply", "--server-side", "-f", own])
  const items = [...(own === undefined ? reduced() : []), permissive("KafkaNodePool"), permissive("KafkaTopic")]
  await Kubectl.succeed(
    apiserver,
    ["apply", "--server-side", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "List", items })
  )
  for (const kind of ["kafkas", "kafkausers", "kafkanodepools", "kafkatopics"]) {
    await Kubectl.established(apiserver, `crd/${kind}.kafka.strimzi.io`)
  }
}

export interface Cluster {
  readonly namespace: string
  readonly name: string
  /** Of the KafkaUser, whose credentials are those of the broker's user `backup`. */
  readonly user: string
  readonly listener: string
}

/** Says that cluster and user are ready, with their addresses and Secrets. */
export const reconcile = async (apiserver: ApiServer, cluster: Cluster, security: KafkaSecurity): Promise<void> => {
  const { listener, name, namespace, user } = cluster
  const secret = (called: string, stringData: object) =>
    Kubectl.succeed(
      apiserver,
      ["apply", `--namespace=${namespace}`, "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name: called }, stringData })
    )
  const publish = (kind: string, called: string, status: object) => {
    const ready = { type: "Ready", status: "True", lastTransitionTime: "2026-11-30T00:00:00Z" }
    const patch = JSON.stringify({ status: { observedGeneration: 1, conditions: [ready], ...status } })
    const words = ["patch", kind, called, "--subresource=status", "--type=merge", `--patch=${patch}`]
    return Kubectl.succeed(apiserver, [...words, `--namespace=${namespace}`])
  }
  await secret(`${name}-cluster-ca-cert`, { "ca.crt": readFileSync(security.caPem, "utf8") })
  await secret(user, { password: security.users.backup })
  await publish("kafka", name, { listeners: [{ name: listener, bootstrapServers: security.saslSsl }] })
  await publish("kafkauser", user, { username: "backup", secret: user })
}
