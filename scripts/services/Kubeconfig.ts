import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { parse } from "yaml"

/** Where an API server is and how to log in to it. */
export interface Access {
  /** `https://127.0.0.1:port` */
  readonly server: string
  /** Path of the authority that signed the server's certificate; absent when a kubeconfig holds it itself. */
  readonly caPem?: string
  /** Bearer token; absent when a kubeconfig names another way to log in. */
  readonly token?: string
}

interface Kubeconfig {
  readonly "current-context"?: string
  readonly contexts?: ReadonlyArray<{ readonly name: string; readonly context: { cluster: string; user: string } }>
  readonly clusters?: ReadonlyArray<{
    readonly name: string
    readonly cluster: { readonly server: string; readonly "certificate-authority"?: string }
  }>
  readonly users?: ReadonlyArray<{ readonly name: string; readonly user?: { readonly token?: string } }>
}

/** Writes a kubeconfig of one user; JSON is YAML. */
export const write = (file: string, { caPem, server, token }: Required<Access>): void => {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "tests", cluster: { server, "certificate-authority": caPem } }],
    users: [{ name: "user", user: { token } }],
    contexts: [{ name: "tests", context: { cluster: "tests", user: "user" } }],
    "current-context": "tests"
  }
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 })
}

/** Server and credentials of a kubeconfig's current context. Throws, naming the file, if there is none. */
export const read = (given: string): Access & { readonly kubeconfig: string } => {
  const kubeconfig = resolve(given)
  if (!existsSync(kubeconfig)) throw new Error(`there is no kubeconfig ${kubeconfig}`)
  const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig
  const context = config.contexts?.find(({ name }) => name === config["current-context"])?.context
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster
  if (cluster === undefined) throw new Error(`the kubeconfig ${kubeconfig} has no cluster for its current context`)
  const ca = cluster["certificate-authority"]
  const token = config.users?.find(({ name }) => name === context?.user)?.user?.token
  return {
    server: cluster.server,
    kubeconfig,
    ...(ca === undefined ? {} : { caPem: resolve(dirname(kubeconfig), ca) }),
    ...(token === undefined ? {} : { token })
  }
}
