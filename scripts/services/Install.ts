import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { basename, delimiter, dirname, join } from "node:path"
import * as Browser from "./Browser.ts"
import * as Cache from "./Cache.ts"
import type { Programs } from "./ControlPlane.ts"
import { isAlive } from "./Fleet.ts"
import { say, whileWorking } from "./Progress.ts"
import * as Versions from "./Versions.ts"

/** A service cannot be installed on this machine; the message says what to install or do. */
export class CannotInstall extends Error {
  override readonly name = "CannotInstall"
}

const isOnPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, program)))

const need = (what: string, programs: ReadonlyArray<string>, hint: string): void => {
  const absent = programs.filter((program) => !isOnPath(program))
  if (absent.length > 0) throw new CannotInstall(`${what} needs ${absent.join(" and ")} on the PATH (${hint})`)
}

interface Command {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Where it runs; absent for where this process does. */
  readonly folder?: string
}

/** Runs a command to its end; resolves with the exit code and all output, calling `line` for each line as it comes. */
const run = (command: Command, line: (text: string) => void = () => {}) =>
  new Promise<{ readonly code: number; readonly output: string }>((resolve, reject) => {
    const child = spawn(command.program, command.args, {
      env: { ...process.env, ...command.env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(command.folder === undefined ? {} : { cwd: command.folder })
    })
    let output = ""
    const take = (chunk: Buffer) => {
      const text = chunk.toString()
      output += text
      for (const part of text.split("\n")) if (part.trim() !== "") line(part)
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    const end = () => child.kill()
    process.once("exit", end)
    child.once("error", reject)
    child.once("close", (code) => {
      process.off("exit", end)
      resolve({ code: code ?? 1, output })
    })
  })

/** Removes what installs left behind whose process is gone. */
const removeLeftovers = (target: string): void => {
  const folder = dirname(target)
  const prefix = `${basename(target)}.part-`
  const parts = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : []
  for (const name of parts) {
    if (!isAlive(Number(name.slice(prefix.length)))) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

/**
 * Fills a folder and only then gives it its name, so an install that was cut short is never taken for a whole one,
 * and two installs at once do no harm: the later one is thrown away.
 */
const into = async (target: string, fill: (folder: string) => Promise<void>): Promise<void> => {
  removeLeftovers(target)
  const temporary = `${target}.part-${process.pid}`
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true })
  try {
    await fill(temporary)
    if (!existsSync(target)) renameSync(temporary, target)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Kafka's jars from Maven Central, as scripts/services/kafka/pom.xml pins them: about 90 files, 54 MB. */
export const kafka = async (): Promise<string> => {
  need("Kafka", ["java", "javac", "openssl"], "Debian: apt-get install openjdk-17-jdk-headless openssl")
  if (existsSync(Cache.kafkaJars)) return Cache.kafkaJars
  need("installing Kafka", ["mvn"], "Debian: apt-get install maven")
  say(`kafka: fetching the jars of Apache Kafka ${Versions.kafka} with Maven, about half a minute`)
  const since = performance.now()
  await into(Cache.kafkaJars, async (folder) => {
    const working = run({
      program: "mvn",
      args: [
        "-q",
        "-B",
        "-f",
        join(import.meta.dirname, "kafka", "pom.xml"),
        "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies",
        "-DincludeScope=runtime",
        `-DoutputDirectory=${folder}`
      ]
    })
    const { code, output } = await whileWorking(
      () => `kafka: still fetching, ${readdirSync(folder).length} jars copied`,
      working
    )
    if (code !== 0) throw new CannotInstall(`mvn could not fetch Kafka (exit ${code}):\n${output.slice(-2_000)}`)
  })
  say(`kafka: installed in ${Math.round((performance.now() - since) / 1000)} s`)
  return Cache.kafkaJars
}

/** One Go program in a folder of its own; `tags` leave out what is not needed of it. */
export const goProgram = (
  target: string,
  program: string,
  module: string,
  minutes: string,
  tags = ""
): Promise<string> =>
  compiled(target, program, module, minutes, (folder) => ({
    program: "go",
    args: ["install", "-v", "-trimpath", ...(tags === "" ? [] : ["-tags", tags]), "-ldflags", "-s -w", module],
    env: { GOBIN: folder }
  }))

/** The same, from a module whose go.mod and go.sum are kept here because it cannot be named by version alone. */
const pinnedGoProgram = (
  target: string,
  program: string,
  pinned: { readonly module: string; readonly package: string; readonly linker?: string },
  minutes: string
): Promise<string> =>
  compiled(target, program, pinned.package, minutes, (folder) => ({
    program: "go",
    args: [
      "build",
      "-C",
      join(import.meta.dirname, "controlplane", pinned.module),
      "-v",
      "-trimpath",
      "-ldflags",
      `-s -w${pinned.linker ?? ""}`,
      "-o",
      join(folder, program),
      pinned.package
    ]
  }))

const compiled = async (
  target: string,
  program: string,
  module: string,
  minutes: string,
  command: (folder: string) => Command
): Promise<string> => {
  const binary = join(target, program)
  if (existsSync(target)) return binary
  need(`installing ${program}`, ["go"], "https://go.dev/dl, version 1.26 or newer")
  say(`${program}: compiling ${module}, ${minutes} when nothing is cached`)
  const since = performance.now()
  let packages = 0
  let latest = "downloading modules"
  await into(target, async (folder) => {
    const { args, env, program: compiler } = command(folder)
    const working = run(
      { program: compiler, args, env: { ...env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" } },
      (line) => {
        if (!line.startsWith("go: ")) packages += 1
        latest = line
      }
    )
    const { code, output } = await whileWorking(
      () => `${program}: still at it, ${packages} packages compiled, now ${latest}`,
      working
    )
    if (code !== 0) {
      throw new CannotInstall(`go could not build ${program} (exit ${code}):\n${output.slice(-2_000)}`)
    }
  })
  say(`${program}: installed in ${Math.round((performance.now() - since) / 1000)} s`)
  return binary
}

/** The S3 gateway over a directory; small, strict about conditions. */
export const versitygw = (): Promise<string> =>
  goProgram(
    Cache.versitygw,
    "versitygw",
    `github.com/versity/versitygw/cmd/versitygw@v${Versions.versitygw}`,
    "1-2 minutes"
  )

/** MinIO's release tags are refused by the module proxy, so this is the pseudo-version that `@latest` named. */
export const minio = (): Promise<string> =>
  goProgram(Cache.minio, "minio", "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c", "3-6 minutes")

/** The emulator of Google Cloud Storage. */
export const fakegcs = (): Promise<string> =>
  goProgram(Cache.fakegcs, "fake-gcs-server", `github.com/fsouza/fake-gcs-server@v${Versions.fakegcs}`, "1-2 minutes")

/** The TCP proxy that makes a network bad on purpose. Its program is called `server`. */
export const toxiproxy = (): Promise<string> =>
  goProgram(
    Cache.toxiproxy,
    "server",
    `github.com/Shopify/toxiproxy/v2/cmd/server@v${Versions.toxiproxy}`,
    "half a minute"
  )

/** What the API server says its version is; without it, it says v0.0.0 and clients doubt it. */
const kubernetesLinker = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
  .flatMap((variables) =>
    Object.entries({
      gitVersion: `v${Versions.kubernetes}`,
      gitMajor: Versions.kubernetes.split(".")[0],
      gitMinor: Versions.kubernetes.split(".")[1],
      gitTreeState: "clean",
      gitCommit: "unknown",
      buildDate: "1970-01-01T00:00:00Z"
    }).map(([name, value]) => ` -X ${variables}.${name}=${value}`)
  )
  .join("")

const kubernetes = (target: string, program: string, minutes: string): Promise<string> =>
  pinnedGoProgram(
    target,
    program,
    { module: "kubernetes", package: `k8s.io/kubernetes/cmd/${program}`, linker: kubernetesLinker },
    minutes
  )

/** etcd and the programs of Kubernetes, one after the other; the first of Kubernetes' compiles what they share. */
export const controlPlane = async (): Promise<Programs> => {
  need("the control plane", ["openssl"], "Debian: apt-get install openssl")
  const etcd = { module: "etcd", package: "go.etcd.io/etcd/server/v3" }
  return {
    etcd: await pinnedGoProgram(Cache.etcd, "etcd", etcd, "1-2 minutes"),
    apiserver: await kubernetes(Cache.apiserver, "kube-apiserver", "4-8 minutes"),
    controllerManager: await kubernetes(Cache.controllerManager, "kube-controller-manager", "1-3 minutes"),
    scheduler: await kubernetes(Cache.scheduler, "kube-scheduler", "half a minute"),
    kubectl: await kubernetes(Cache.kubectl, "kubectl", "1 minute")
  }
}

/** The client that installs the chart in deploy/helm. */
export const helm = (): Promise<string> =>
  goProgram(Cache.helm, "helm", `helm.sh/helm/v4/cmd/helm@v${Versions.helm}`, "2-4 minutes")

const containerPackages = ["containerd", "runc", "containernetworking-plugins", "busybox-static"]
const containerPrograms = ["containerd", "ctr", "runc", "busybox", "ip", "unshare"]

/** Installs the Debian packages that the kubelet needs, if KBO_INSTALL_PACKAGES allows that. */
const containerRuntime = async (): Promise<void> => {
  const isThere = () => containerPrograms.every(isOnPath) && existsSync("/usr/lib/cni/bridge")
  if (isThere() || process.env["KBO_INSTALL_PACKAGES"] !== "1" || !isOnPath("apt-get")) return
  say(`kubelet: installing ${containerPackages.join(", ")}, about a minute`)
  const script = `apt-get update -q && apt-get install -q -y --no-install-recommends ${containerPackages.join(" ")}`
  const working = run({ program: "sh", args: ["-c", script], env: { DEBIAN_FRONTEND: "noninteractive" } })
  const { code, output } = await whileWorking(() => "kubelet: still installing packages", working)
  if (code !== 0) throw new CannotInstall(`apt-get could not install them (exit ${code}):\n${output.slice(-2_000)}`)
}

/**
 * The kubelet; containerd and what belongs to it have to be on the machine, or may be put there with
 * KBO_INSTALL_PACKAGES=1.
 */
export const kubelet = async (): Promise<string> => {
  if (process.getuid?.() !== 0) throw new CannotInstall("the kubelet needs root")
  await containerRuntime()
  const hint = `Debian: KBO_INSTALL_PACKAGES=1, or apt-get install ${containerPackages.join(" ")}`
  need("the kubelet", containerPrograms, hint)
  if (!existsSync("/usr/lib/cni/bridge")) throw new CannotInstall(`the kubelet needs /usr/lib/cni/bridge (${hint})`)
  return kubernetes(Cache.kubelet, "kubelet", "1 minute")
}

/**
 * The emulator of Azure Blob Storage, in a folder of its own because it brings 365 MB of packages; gives its main
 * script.
 */
export const azurite = async (): Promise<string> => {
  const script = join(Cache.azurite, "node_modules", "azurite", "dist", "src", "blob", "main.js")
  if (existsSync(Cache.azurite)) return script
  need("installing azurite", ["npm", "openssl"], "npm comes with Node; Debian: apt-get install openssl")
  say("azurite: fetching the npm package, 1-2 minutes")
  const since = performance.now()
  await into(Cache.azurite, async (folder) => {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }))
    const args = ["install", "--prefix", folder, "--save-exact", "--no-audit", "--no-fund", "--ignore-scripts"]
    const working = run({ program: "npm", args: [...args, `azurite@${Versions.azurite}`] })
    const { code, output } = await whileWorking(() => "azurite: still fetching", working)
    if (code !== 0) throw new CannotInstall(`npm could not install azurite (exit ${code}):\n${output.slice(-2_000)}`)
  })
  say(`azurite: installed in ${Math.round((performance.now() - since) / 1000)} s`)
  return script
}

/**
 * A headless Chromium as an npm package brings it, and what drives it: no system packages are needed. Only for Linux on
 * x86-64.
 */
export const browser = async (): Promise<Browser.Browser> => {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new CannotInstall("the package of Chromium is for Linux on x86-64 only")
  }
  if (existsSync(Cache.browser)) return Browser.at(Cache.browser)
  need("installing a browser", ["npm", "ldd"], "npm comes with Node")
  say("browser: fetching the npm packages, half a minute")
  const since = performance.now()
  await into(Cache.browser, async (folder) => {
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }))
    const args = ["install", "--prefix", folder, "--save-exact", "--no-audit", "--no-fund", "--ignore-scripts"]
    const packages = [`@sparticuz/chromium@${Versions.chromium}`, "puppeteer-core@25.16.0"]
    const working = run({ program: "npm", args: [...args, ...packages] })
    const { code, output } = await whileWorking(() => "browser: still fetching", working)
    if (code !== 0) throw new CannotInstall(`npm could not install a browser (exit ${code}):\n${output.slice(-2_000)}`)
    const unpacking = run({
      program: process.execPath,
      args: ["--input-type=module", "-e", Browser.unpackScript],
      env: Browser.unpackEnvironment(folder),
      folder
    })
    const unpacked = await whileWorking(() => "browser: still unpacking", unpacking)
    if (unpacked.code !== 0)
      throw new CannotInstall(`the browser cannot be unpacked:\n${unpacked.output.slice(-2_000)}`)
    // 64 MB that are not needed any more.
    rmSync(join(folder, "node_modules", "@sparticuz"), { recursive: true })
  })
  say(`browser: installed in ${Math.round((performance.now() - since) / 1000)} s`)
  return Browser.at(Cache.browser)
}

/** Compiles test/java against Kafka's jars, once per content of the sources; gives the classpath for `java -cp`. */
export const javaTools = async (jars: string): Promise<string> => {
  const sources = readdirSync(Cache.javaSources)
    .filter((name) => name.endsWith(".java"))
    .toSorted()
    .map((name) => join(Cache.javaSources, name))
  const hash = createHash("sha256").update(basename(jars))
  for (const source of sources) hash.update(readFileSync(source))
  const classes = join(Cache.folder, `java-${hash.digest("hex").slice(0, 16)}`)
  if (!existsSync(classes)) {
    need("the Java test tools", ["javac"], "Debian: apt-get install openjdk-17-jdk-headless")
    say("java: compiling test/java")
    await into(classes, async (folder) => {
      const { code, output } = await run({
        program: "javac",
        args: ["-nowarn", "-proc:none", "-encoding", "UTF-8", "-d", folder, "-cp", join(jars, "*"), ...sources]
      })
      if (code !== 0) throw new CannotInstall(`javac refused test/java:\n${output}`)
    })
  }
  return `${classes}${delimiter}${join(jars, "*")}`
}

const controlPlaneFolders = [
  Cache.etcd,
  Cache.apiserver,
  Cache.controllerManager,
  Cache.scheduler,
  Cache.kubectl,
  Cache.helm
]

/** What of this is in place already, without changing anything. */
export const installed = () => ({
  kafka: existsSync(Cache.kafkaJars),
  versitygw: existsSync(Cache.versitygw),
  minio: existsSync(Cache.minio),
  azurite: existsSync(Cache.azurite),
  browser: existsSync(Cache.browser),
  fakegcs: existsSync(Cache.fakegcs),
  toxiproxy: existsSync(Cache.toxiproxy),
  apiserver: controlPlaneFolders.every((folder) => existsSync(folder)),
  kubelet: existsSync(Cache.kubelet) && containerPrograms.every(isOnPath),
  java: isOnPath("java") && spawnSync("java", ["-version"]).status === 0
})
