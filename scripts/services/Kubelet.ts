import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ask } from "./ApiRequest.ts"
import { type ApiServer, nodeName } from "./ControlPlane.ts"
import { type Fleet, isAlive } from "./Fleet.ts"
import * as OciImage from "./OciImage.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

/**
 * A real node: kubelet, containerd and runc. Pods come to it as to a node of the tests' own, see NodeObject.takeOver.
 */
export interface ContainerNode {
  readonly node: string
  /** Name of an image whose entry point is `/bin/busybox`. */
  readonly busybox: string
  /** Arguments of a shell that imports a tar with an image: `ctr` is only understood next to its containerd. */
  readonly imports: ReadonlyArray<string>
  /** Folder of the pods' logs, by `namespace_name_uid/container`. */
  readonly logs: string
  readonly pid?: number
}

/** Label and taint of the node; its value is the node's name. */
const own = "kafka-backup.test/node"

const bootMillis = 120_000

const prefix = "kbk"

const cgroups = "/sys/fs/cgroup"

/** The folders of one name in every hierarchy, or in the only one. */
const cgroupFolders = (name: string): ReadonlyArray<string> =>
  existsSync(join(cgroups, "cgroup.controllers"))
    ? [join(cgroups, name)]
    : readdirSync(cgroups, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(cgroups, entry.name, name))

const removeCgroup = (folder: string): void => {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name))
  }
  rmdirSync(folder)
}

const ip = (...args: ReadonlyArray<string>): string => execFileSync("ip", args, { encoding: "utf8", stdio: "pipe" })

const remove = (name: string): void => {
  if (existsSync(join("/sys/class/net", name))) ip("link", "delete", name)
  for (const folder of cgroupFolders(name)) removeCgroup(folder)
}

/** Bridges and cgroups are named by their owner's process id; those of ended processes can be removed. */
const removeLeftovers = (): void => {
  const names = readdirSync("/sys/class/net").filter((name) => name.startsWith(prefix))
  for (const name of names) if (!isAlive(Number(name.slice(prefix.length)))) remove(name)
}

interface Place {
  readonly folder: string
  readonly socket: string
  readonly bridge: string
  /** First three parts of the pods' addresses; `.1` is the node. */
  readonly network: string
  readonly port: number
}

const containerdConfig = ({ folder, socket }: Place): string => `
version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pause}"
  # Without the right to lower it, runc could start nothing.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`

const networkConfig = ({ bridge, folder, network }: Place): string =>
  JSON.stringify({
    cniVersion: "0.4.0",
    name: bridge,
    plugins: [
      {
        type: "bridge",
        bridge,
        isGateway: true,
        ipMasq: false,
        ipam: {
          type: "host-local",
          dataDir: join(folder, "addresses"),
          ranges: [[{ subnet: `${network}.0/24`, rangeStart: `${network}.10` }]]
        }
      }
    ]
  })

const kubeletConfig = ({ bridge, folder, network, port, socket }: Place, caPem: string): string =>
  JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: `${network}.1`,
    port,
    healthzPort: 0,
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${bridge}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ["pods"],
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    resolvConf: join(folder, "resolv.conf"),
    podLogsDir: join(folder, "logs"),
    volumePluginDir: join(folder, "plugins"),
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%" },
    // Secrets are looked up as often as this, so a rotation is seen soon.
    syncFrequency: "2s",
    configMapAndSecretChangeDetectionStrategy: "Watch",
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: caPem } },
    authorization: { mode: "Webhook" }
  })

const pause = "kafka-backup.test/pause:1"
const busybox = "kafka-backup.test/busybox:1"

/**
 * The first process of a space of its own: whatever containers leave behind ends when it ends, and no mount of theirs
 * is seen outside.
 */
const inside = ({ folder, network, socket }: Place, kubelet: string, kubeconfig: string): string => `
set -e
mount --make-rprivate /
mount --make-rshared /
for folder in /run/containerd /run/netns /var/lib/cni; do mkdir -p $folder; mount -t tmpfs tmpfs $folder; done
trap 'kill -TERM $kubelet $containerd' TERM
containerd --config ${folder}/containerd.toml > ${folder}/containerd.log 2>&1 &
containerd=$!
until ctr --address ${socket} version > /dev/null 2>&1; do kill -0 $containerd; sleep 0.2; done
for image in ${folder}/images/*.tar; do ctr --address ${socket} --namespace k8s.io images import $image; done
${kubelet} --config=${folder}/kubelet.json --kubeconfig=${kubeconfig} --root-dir=${folder}/kubelet \
  --hostname-override=${nodeName} --node-ip=${network}.1 --cert-dir=${folder}/pki \
  --node-labels=${own}=${nodeName} --register-with-taints=${own}=${nodeName}:NoSchedule &
kubelet=$!
wait $kubelet || true
wait $containerd || true
`

/** True once the node says that it is ready. */
const isReady = async ({ caPem = "", server, token = "" }: ApiServer): Promise<boolean> => {
  const { body, status } = await ask({ server, caPem, token }, "GET", `/api/v1/nodes/${nodeName}`)
  if (status !== 200) return false
  const conditions: ReadonlyArray<{ type: string; status: string }> = JSON.parse(body).status?.conditions ?? []
  return conditions.some(({ status, type }) => type === "Ready" && status === "True")
}

/**
 * Adds a real node to a control plane of ours. Needs root: it makes a network bridge and cgroups, and takes them away
 * again.
 */
export const start = async (fleet: Fleet, kubelet: string, apiserver: ApiServer): Promise<ContainerNode> => {
  const { caPem = "", nodeKubeconfig = "" } = apiserver
  removeLeftovers()
  const folder = join(fleet.folder, "kubelet")
  const [port = 0] = await Ports.free(1)
  const part = (from: number, until: number) => from + Math.floor(Math.random() * (until - from))
  const place: Place = {
    folder,
    socket: join(folder, "containerd.sock"),
    bridge: `${prefix}${process.pid}`,
    network: `10.${part(128, 250)}.${part(0, 250)}`,
    port
  }
  for (const name of ["images", "cni", "logs", "plugins"]) mkdirSync(join(folder, name), { recursive: true })
  writeFileSync(join(folder, "containerd.toml"), containerdConfig(place))
  writeFileSync(join(folder, "cni", "10-bridge.conflist"), networkConfig(place))
  writeFileSync(join(folder, "kubelet.json"), kubeletConfig(place, caPem))
  // Not a loopback address, and not in use.
  writeFileSync(join(folder, "resolv.conf"), "nameserver 192.0.2.1\n")
  const files = { "bin/busybox": "/bin/busybox" }
  const entrypoint = ["/bin/busybox"]
  const folders = ["tmp"]
  OciImage.write({ name: busybox, files, folders, entrypoint }, join(folder, "images", "busybox.tar"))
  const sleeping = { files, entrypoint: [...entrypoint, "sleep", "2147483647"] }
  OciImage.write({ name: pause, ...sleeping }, join(folder, "images", "pause.tar"))

  fleet.afterwards(() => remove(place.bridge))
  for (const cgroup of cgroupFolders(place.bridge)) mkdirSync(cgroup, { recursive: true })
  ip("link", "add", place.bridge, "type", "bridge")
  ip("address", "add", `${place.network}.1/24`, "dev", place.bridge)
  ip("link", "set", place.bridge, "up")
  const space = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]
  const script = inside(place, kubelet, nodeKubeconfig)
  const process_ = fleet.start("kubelet", "unshare", [...space, "/bin/sh", "-c", script])
  await process_.ready(() => isReady(apiserver), bootMillis)
  say(`kubelet: node ${nodeName} is ready`)
  return {
    node: nodeName,
    busybox,
    imports: ["ctr", "--address", place.socket, "--namespace", "k8s.io", "images", "import"],
    logs: join(folder, "logs"),
    pid: process_.pid
  }
}
