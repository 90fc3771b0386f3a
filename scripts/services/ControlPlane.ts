import { randomBytes } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { get } from "node:https"
import { dirname, join, resolve } from "node:path"
import { parse } from "yaml"
import * as Cache from "./Cache.ts"
import { accepts, type Fleet } from "./Fleet.ts"
import * as Pki from "./Pki.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

/** A Kubernetes API server and how to talk to it as its administrator. */
export interface ApiServer {
  /** `https://127.0.0.1:port` */
  readonly server: string
  /** Path of a kubeconfig whose current context is an administrator of this server. */
  readonly kubeconfig: string
  /** Path of the authority that signed the server's certificate; absent when the kubeconfig holds it itself. */
  readonly caPem?: string
  /** Bearer token of the administrator; absent when the kubeconfig names another way to log in. */
  readonly token?: string
  /** The program, as a path or to be found on the PATH. */
  readonly kubectl: string
  readonly pid?: number
}

/** Paths of the programs that make a control plane. */
export interface Programs {
  readonly etcd: string
  readonly apiserver: string
  readonly kubectl: string
}

const bootMillis = 120_000

/** A small etcd that does not wait for the disk; gives its address. */
const etcd = async (fleet: Fleet, program: string): Promise<string> => {
  const [client = 0, peer = 0] = await Ports.free(2)
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  const server = fleet.start("etcd", program, [
    "--name=tests",
    `--data-dir=${join(fleet.folder, "etcd")}`,
    "--unsafe-no-fsync",
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=tests=${peers}`,
    "--log-level=warn"
  ])
  await server.ready(() => accepts("127.0.0.1", client), bootMillis)
  return clients
}

const isReady = (server: string, token: string, ca: Buffer): Promise<boolean> =>
  new Promise((answer) => {
    const asking = get(`${server}/readyz`, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume()
      answer(response.statusCode === 200)
    })
    asking.setTimeout(5_000, () => asking.destroy())
    asking.once("error", () => answer(false))
  })

const writeKubeconfig = (file: string, server: string, ca: string, token: string): void => {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "tests", cluster: { server, "certificate-authority": ca } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "tests", context: { cluster: "tests", user: "admin" } }],
    "current-context": "tests"
  }
  writeFileSync(file, JSON.stringify(config, null, 2), { mode: 0o600 })
}

/**
 * etcd and kube-apiserver. Nothing else runs: objects are stored, checked and watched as in any cluster, but nobody makes pods of
 * a Job or removes the content of a namespace.
 */
export const start = async (fleet: Fleet, programs: Programs): Promise<ApiServer> => {
  const folder = join(fleet.folder, "kubernetes")
  const pki = Pki.makeForControlPlane(folder)
  const [[port = 0], store] = await Promise.all([Ports.free(1), etcd(fleet, programs.etcd)])
  const token = randomBytes(24).toString("hex")
  const tokens = join(folder, "tokens.csv")
  writeFileSync(tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 })
  const process = fleet.start("kube-apiserver", programs.apiserver, [
    `--etcd-servers=${store}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${pki.server.cert}`,
    `--tls-private-key-file=${pki.server.key}`,
    `--client-ca-file=${pki.ca}`,
    `--token-auth-file=${tokens}`,
    "--authorization-mode=Node,RBAC",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${pki.serviceAccounts.cert}`,
    `--service-account-signing-key-file=${pki.serviceAccounts.key}`,
    "--enable-admission-plugins=NodeRestriction",
    "--profiling=false"
  ])
  const server = `https://127.0.0.1:${port}`
  const ca = readFileSync(pki.ca)
  await process.ready(() => isReady(server, token, ca), bootMillis)
  const kubeconfig = join(folder, "kubeconfig")
  writeKubeconfig(kubeconfig, server, pki.ca, token)
  say(`apiserver: ready at ${server}, KUBECONFIG=${kubeconfig}`)
  return { server, kubeconfig, caPem: pki.ca, token, kubectl: programs.kubectl, pid: process.pid }
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

/** The server of somebody's kubeconfig, by its current context. */
export const fromKubeconfig = (file: string): ApiServer => {
  const kubeconfig = resolve(file)
  if (!existsSync(kubeconfig)) throw new Error(`there is no kubeconfig ${kubeconfig}`)
  const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig
  const context = config.contexts?.find(({ name }) => name === config["current-context"])?.context
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster
  if (cluster === undefined) throw new Error(`the kubeconfig ${kubeconfig} has no cluster for its current context`)
  const ca = cluster["certificate-authority"]
  const token = config.users?.find(({ name }) => name === context?.user)?.user?.token
  const installed = join(Cache.kubectl, "kubectl")
  return {
    server: cluster.server,
    kubeconfig,
    ...(ca === undefined ? {} : { caPem: resolve(dirname(kubeconfig), ca) }),
    ...(token === undefined ? {} : { token }),
    kubectl: existsSync(installed) ? installed : "kubectl"
  }
}
