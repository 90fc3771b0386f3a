import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { stringify } from "yaml"

const root = fileURLToPath(new URL("../../", import.meta.url))

export interface Installation {
  /** Where the manifests are written. */
  readonly folder: string
  /** With its tag. */
  readonly image: string
  readonly systemNamespace: string
  readonly watchedNamespace: string
  /** Where pods reach the API server, which has a certificate for `kubernetes.default.svc`. */
  readonly apiserver: { readonly address: string; readonly port: number }
}

const edit = (file: string, ...changes: ReadonlyArray<readonly [from: string, to: string]>): void => {
  let text = readFileSync(file, "utf8")
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} does not hold ${from}`)
    text = text.replaceAll(from, to)
  }
  writeFileSync(file, text)
}

/**
 * A copy of deploy/ for one namespace with an image of one's own, changed where the guides say so, and with the way to
 * the API server that a cluster's network would give; gives the folder for `kubectl apply -k`.
 */
export const write = (installation: Installation): string => {
  const { apiserver, folder, image, systemNamespace, watchedNamespace } = installation
  for (const name of ["deploy", "crds"]) cpSync(join(root, name), join(folder, name), { recursive: true })
  const overlay = (...names: ReadonlyArray<string>) => join(folder, "deploy", "overlays", ...names)
  for (const entry of readdirSync(join(folder, "deploy"), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (entry.isFile() && readFileSync(file, "utf8").includes("kafka-backup-system"))
      edit(file, ["kafka-backup-system", systemNamespace])
  }
  edit(overlay("single-namespace", "role.yaml"), ["namespace: kafka-backup\n", `namespace: ${watchedNamespace}\n`])
  const [name = "", tag = ""] = image.split(":")
  edit(
    overlay("own-image", "kustomization.yaml"),
    ["  - ../cluster-wide\n", "  - ../single-namespace\n"],
    ["newName: registry.example.com/kafka-backup\n", `newName: ${name}\n`],
    ["newTag: 0.1.0\n", `newTag: ${tag}\n`]
  )
  const host = "kubernetes.default.svc"
  const reachable = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "kafka-backup-operator", namespace: systemNamespace },
    spec: {
      template: {
        spec: {
          hostAliases: [{ ip: apiserver.address, hostnames: [host] }],
          containers: [
            {
              name: "operator",
              env: [
                { name: "KUBERNETES_SERVICE_HOST", value: host },
                { name: "KUBERNETES_SERVICE_PORT", value: String(apiserver.port) }
              ]
            }
          ]
        }
      }
    }
  }
  mkdirSync(overlay("reachable"))
  writeFileSync(
    overlay("reachable", "kustomization.yaml"),
    stringify({ resources: ["../own-image"], patches: [{ patch: stringify(reachable) }] })
  )
  return overlay("reachable")
}
