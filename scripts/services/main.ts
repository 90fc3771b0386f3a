import { parseArgs } from "node:util"
import * as Cache from "./Cache.ts"
import { Fleet } from "./Fleet.ts"
import * as Install from "./Install.ts"
import { say } from "./Progress.ts"
import * as Services from "./Services.ts"
import * as Tools from "./Tools.ts"

const everything: ReadonlyArray<Services.Name> = [...Services.names, ...Services.optional]

const usage = `npm run services [-- up|install|status|down] [names...]

  up       install what is missing, start, print environment variables, run until Ctrl-C (the default)
  install  only install; without names, the tools of tests as well (Tools.ts)
  status   show what is installed and what is running
  down     stop the services that another \`npm run services\` started

names: ${everything.join(" ")} (default: all)
KBO_CACHE moves the cache from .cache; KBO_KAFKA_BOOTSTRAP, KBO_KAFKA3_BOOTSTRAP, KBO_VERSITYGW_ENDPOINT and
KBO_MINIO_ENDPOINT (with KBO_S3_ACCESS_KEY, KBO_S3_SECRET_KEY, KBO_S3_REGION), KBO_AZURITE_ENDPOINT (with
KBO_AZURITE_KEY), KBO_FAKEGCS_ENDPOINT, KBO_TOXIPROXY_URL (its API) and KBO_KUBECONFIG (its current context; tests make
and delete resources there) name existing services to use. kubelet is a real node: it needs root, and Debian packages that
it installs if KBO_INSTALL_PACKAGES=1.
`

const isName = (word: string): word is Services.Name => (everything as ReadonlyArray<string>).includes(word)

const up = async (wanted: ReadonlyArray<Services.Name>): Promise<void> => {
  const fleet = new Fleet()
  let isStopping = false
  const stop = async (code: number): Promise<never> => {
    if (!isStopping) {
      isStopping = true
      say("stopping")
      Services.withdraw(Cache.environmentFile)
    }
    await fleet.stop()
    process.exit(code)
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop(0))
  try {
    const services = await Services.start(fleet, wanted)
    if (isStopping) return
    Services.announce(services, Cache.environmentFile)
    for (const [name, value] of Object.entries(Services.toEnvironment(services))) console.log(`export ${name}=${value}`)
    for (const [name, reason] of Object.entries(services.missing)) say(`${name} is missing: ${reason}`)
    say(`all details: ${Cache.environmentFile}; logs and data: ${fleet.folder}; Ctrl-C stops everything`)
    setInterval(() => {}, 1 << 30)
  } catch (error) {
    if (isStopping) return
    say(error instanceof Error ? error.message : String(error))
    await stop(1)
  }
}

const install = async (wanted: ReadonlyArray<Services.Name>): Promise<void> => {
  const { missing } = await Services.install(wanted)
  if (wanted.length === everything.length) await Tools.install()
  if (Object.keys(missing).length > 0) process.exitCode = 1
  else say(`installed in ${Cache.folder}`)
}

const status = (): void => {
  const running = Services.announced()
  for (const [name, isThere] of Object.entries(Install.installed())) {
    console.log(`${name.padEnd(10)} ${isThere ? "installed" : "not installed"}`)
  }
  if (running === undefined) return console.log("not running")
  console.log(`running, owned by process ${running.ownerPid}`)
  for (const [name, value] of Object.entries(Services.toEnvironment(running))) console.log(`export ${name}=${value}`)
}

const down = (): void => {
  const running = Services.announced()
  if (running === undefined) return console.log("not running")
  process.kill(running.ownerPid, "SIGTERM")
  console.log(`asked process ${running.ownerPid} to stop`)
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", short: "h" } }
})
const [first = "up", ...rest] = positionals
const command = isName(first) ? "up" : first
const words = isName(first) ? positionals : rest
const unknown = words.filter((word) => !isName(word))
const wanted = words.length === 0 ? everything : words.filter(isName)

if (values.help || unknown.length > 0) {
  console.log(usage)
  if (unknown.length > 0) process.exitCode = 2
} else if (command === "up") await up(wanted)
else if (command === "install") await install(wanted)
else if (command === "status") status()
else if (command === "down") down()
else {
  console.log(usage)
  process.exitCode = 2
}
