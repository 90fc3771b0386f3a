import { randomBytes } from "node:crypto"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ask } from "./ApiRequest.ts"
import * as Cache from "./Cache.ts"
import { accepts, type Fleet } from "./Fleet.ts"
import * as Kubeconfig from "./Kubeconfig.ts"
import * as Pki from "./Pki.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

/** The node that may join with a real kubelet (Kubelet.ts). */
export const nodeName = "containers"

/** A Kubernetes API server and how to talk to it as its administrator. */
export interface ApiServer extends Kubeconfig.Access {
  /** Path of a kubeconfig whose current context is an administrator of this server. */
  readonly kubeconfig: string
  /** The program, as a path or to be found on the PATH. */
  readonly kubectl: string
  /** Of a control plane that we started: path of a kubeconfig for the kubelet of the node `containers`. */
  readonly nodeKubeconfig?: string
  /** Only of a control plane that we started. */
  readonly pid?: number
}

/** Paths of the programs that make a control plane. */
export interface Programs {
  readonly etcd: string
  readonly apiserver: string
  readonly controllerManager: string
  readonly scheduler: string
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

/** The users' tokens, and the token file of the API server. */
const makeTokens = (folder: string) => {
  const make = () => randomBytes(24).toString("hex")
  const [admin, controllerManager, scheduler, node] = [make(), make(), make(), make()]
  const file = join(folder, "tokens.csv")
  const lines = [
    `${admin},admin,admin,"system:masters"`,
    `${controllerManager},system:kube-controller-manager,system:kube-controller-manager`,
    `${scheduler},system:kube-scheduler,system:kube-scheduler`,
    `${node},system:node:${nodeName},system:node:${nodeName},"system:nodes"`
  ]
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 })
  return { file, admin, controllerManager, scheduler, node }
}

/**
 * The last two are not on by default: with them a namespace says, by annotations, which nodes its pods go to and what
 * they tolerate. So a test has nodes of its own, and no other test's pods on them, without a word in its pods.
 */
const admission = "NodeRestriction,PodNodeSelector,PodTolerationRestriction"

const isReady = (access: Required<Kubeconfig.Access>): Promise<boolean> =>
  ask(access, "GET", "/readyz").then(
    ({ status }) => status === 200,
    () => false
  )

/**
 * True once new namespaces get their default ServiceAccount. Creates the namespace `name` if it does not exist.
 */
const controllersWork = async (access: Required<Kubeconfig.Access>, name: string): Promise<boolean> => {
  const namespace = `/api/v1/namespaces/${name}`
  const { status } = await ask(access, "GET", `${namespace}/serviceaccounts/default`)
  if (status === 200) return true
  await ask(access, "POST", "/api/v1/namespaces", { metadata: { name } })
  return false
}

/**
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler: Jobs get pods, namespaces and their content go, and
 * pods are bound to nodes. There is no node: tests bring their own (test/harness/ProcessNode.ts).
 */
export const start = async (fleet: Fleet, programs: Programs): Promise<ApiServer> => {
  const folder = join(fleet.folder, "kubernetes")
  const pki = Pki.makeForControlPlane(folder)
  const [ports, store] = await Promise.all([Ports.free(3), etcd(fleet, programs.etcd)])
  const [port = 0, controllerPort = 0, schedulerPort = 0] = ports
  const tokens = makeTokens(folder)
  const apiserver = fleet.start("kube-apiserver", programs.apiserver, [
    `--etcd-servers=${store}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${pki.server.cert}`,
    `--tls-private-key-file=${pki.server.key}`,
    `--client-ca-file=${pki.ca}`,
    `--token-auth-file=${tokens.file}`,
    "--authorization-mode=Node,RBAC",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${pki.serviceAccounts.cert}`,
    `--service-account-signing-key-file=${pki.serviceAccounts.key}`,
    `--enable-admission-plugins=${admission}`,
    // Or else a privileged pod is refused before Pod Security sees it.
    "--allow-privileged=true",
    "--profiling=false"
  ])
  const server = `https://127.0.0.1:${port}`
  const admin = { server, caPem: pki.ca, token: tokens.admin }
  await apiserver.ready(() => isReady(admin), bootMillis)

  /** What both get to know the API server by, and where they listen. */
  const common = (name: string, token: string, securePort: number) => {
    const file = join(folder, `${name}.kubeconfig`)
    Kubeconfig.write(file, { server, caPem: pki.ca, token })
    return [
      ...["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"].map((flag) => `--${flag}=${file}`),
      "--bind-address=127.0.0.1",
      `--secure-port=${securePort}`,
      "--leader-elect=false",
      "--profiling=false"
    ]
  }
  const controllers = fleet.start("kube-controller-manager", programs.controllerManager, [
    ...common("kube-controller-manager", tokens.controllerManager, controllerPort),
    "--controllers=*",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${pki.serviceAccounts.key}`,
    `--root-ca-file=${pki.ca}`,
    // Otherwise a claim that is checked a moment too early is bound 15 s later.
    "--pvclaimbinder-sync-period=1s",
    // The default, 20 a second, is less than a few tests ask for.
    "--kube-api-qps=200",
    "--kube-api-burst=400"
  ])
  const scheduler = fleet.start(
    "kube-scheduler",
    programs.scheduler,
    common("kube-scheduler", tokens.scheduler, schedulerPort)
  )
  const probe = `ready-${randomBytes(4).toString("hex")}`
  await Promise.all([
    controllers.ready(() => controllersWork(admin, probe), bootMillis),
    scheduler.ready(() => accepts("127.0.0.1", schedulerPort), bootMillis)
  ])
  await ask(admin, "DELETE", `/api/v1/namespaces/${probe}`)

  const kubeconfig = join(folder, "kubeconfig")
  Kubeconfig.write(kubeconfig, admin)
  const nodeKubeconfig = join(folder, "node.kubeconfig")
  Kubeconfig.write(nodeKubeconfig, { ...admin, token: tokens.node })
  say(`apiserver: ready at ${server}, KUBECONFIG=${kubeconfig}`)
  return { ...admin, kubeconfig, nodeKubeconfig, kubectl: programs.kubectl, pid: apiserver.pid }
}

/** The server of a user's kubeconfig, by its current context. */
export const fromKubeconfig = (file: string): ApiServer => {
  const installed = join(Cache.kubectl, "kubectl")
  return { ...Kubeconfig.read(file), kubectl: existsSync(installed) ? installed : "kubectl" }
}
