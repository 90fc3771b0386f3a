import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import type { Browser } from "./Browser.ts"
import * as Cache from "./Cache.ts"
import * as CloudStores from "./CloudStores.ts"
import * as ControlPlane from "./ControlPlane.ts"
import { type Fleet, isAlive } from "./Fleet.ts"
import * as Install from "./Install.ts"
import * as Kafka from "./Kafka.ts"
import * as Kubelet from "./Kubelet.ts"
import * as ObjectStores from "./ObjectStores.ts"
import { say } from "./Progress.ts"
import * as Toxiproxy from "./Toxiproxy.ts"

/** The services for integration tests. `missing` has the reason for each absent one. */
export interface Services {
  readonly kafka?: Kafka.KafkaBroker
  readonly kafka3?: Kafka.KafkaCluster
  readonly versitygw?: ObjectStores.S3Store
  readonly minio?: ObjectStores.S3Store
  readonly azurite?: CloudStores.AzureStore
  readonly fakegcs?: CloudStores.GcsStore
  readonly toxiproxy?: Toxiproxy.Toxiproxy
  readonly apiserver?: ControlPlane.ApiServer
  readonly kubelet?: Kubelet.ContainerNode
  /** Installed, and started by tests. */
  readonly browser?: Browser
  /** Classpath of the Java loader and reader, for `java -cp`. */
  readonly java?: { readonly classpath: string }
  readonly missing: Readonly<Record<string, string>>
  /** The process that owns them; 0 if `npm run services` started none of them. */
  readonly ownerPid: number
}

export const names = [
  "kafka",
  "kafka3",
  "versitygw",
  "minio",
  "azurite",
  "fakegcs",
  "toxiproxy",
  "apiserver",
  "java"
] as const

/** Services that need more than compilers, such as root or a certain processor. They are never required. */
export const optional = ["kubelet", "browser"] as const
export type Name = (typeof names)[number] | (typeof optional)[number]

type Defined<A> = { readonly [K in keyof A]?: Exclude<A[K], undefined> }

/** The fields that have a value: a spread of them overwrites nothing with undefined. */
const defined = <A extends object>(fields: A): Defined<A> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<A>

const given = (name: string): string | undefined => {
  const value = process.env[name]
  return value === undefined || value === "" ? undefined : value
}

/** The account name is the last part of the address. */
const azuriteAt = (endpoint: string | undefined): CloudStores.AzureStore | undefined => {
  const [accountKey, accountName] = [given("KBO_AZURITE_KEY"), endpoint?.split("/").at(-1)]
  if (endpoint === undefined || accountName === undefined || accountKey === undefined) return undefined
  return { endpoint, accountName, accountKey }
}

/** Services that the environment names. They are used as they are, and never started or stopped here. */
export const fromEnvironment = (): Partial<Services> => {
  const store = (endpoint: string | undefined): ObjectStores.S3Store | undefined =>
    endpoint === undefined
      ? undefined
      : {
          endpoint,
          accessKey: given("KBO_S3_ACCESS_KEY") ?? "testkey",
          secretKey: given("KBO_S3_SECRET_KEY") ?? "testsecret123",
          region: given("KBO_S3_REGION") ?? "us-east-1"
        }
  const plaintext = given("KBO_KAFKA_BOOTSTRAP")
  const bootstrap = given("KBO_KAFKA3_BOOTSTRAP")
  const versitygw = store(given("KBO_VERSITYGW_ENDPOINT"))
  const minio = store(given("KBO_MINIO_ENDPOINT"))
  const azurite = azuriteAt(given("KBO_AZURITE_ENDPOINT"))
  const fakegcs = given("KBO_FAKEGCS_ENDPOINT")
  const toxiproxy = given("KBO_TOXIPROXY_URL")
  const kubeconfig = given("KBO_KUBECONFIG")
  const apiserver = kubeconfig === undefined ? undefined : ControlPlane.fromKubeconfig(kubeconfig)
  return defined({
    kafka: plaintext === undefined ? undefined : { plaintext },
    kafka3: bootstrap === undefined ? undefined : { bootstrap },
    versitygw,
    minio,
    azurite,
    fakegcs: fakegcs === undefined ? undefined : { endpoint: fakegcs },
    toxiproxy: toxiproxy === undefined ? undefined : { url: toxiproxy },
    apiserver
  })
}

/**
 * The services that tests can use: those that the environment names, then the announced ones. If both have the same
 * address, the announcement is used because it has more facts.
 */
export const available = (file?: string): Services => {
  const known = announced(file) ?? { missing: {}, ownerPid: 0 }
  const { kafka, kafka3, versitygw, minio, azurite, fakegcs, toxiproxy, apiserver } = fromEnvironment()
  return {
    ...known,
    ...(kafka === undefined || kafka.plaintext === known.kafka?.plaintext ? {} : { kafka }),
    ...(kafka3 === undefined || kafka3.bootstrap === known.kafka3?.bootstrap ? {} : { kafka3 }),
    ...(versitygw === undefined || versitygw.endpoint === known.versitygw?.endpoint ? {} : { versitygw }),
    ...(minio === undefined || minio.endpoint === known.minio?.endpoint ? {} : { minio }),
    ...(azurite === undefined || azurite.endpoint === known.azurite?.endpoint ? {} : { azurite }),
    ...(fakegcs === undefined || fakegcs.endpoint === known.fakegcs?.endpoint ? {} : { fakegcs }),
    ...(toxiproxy === undefined || toxiproxy.url === known.toxiproxy?.url ? {} : { toxiproxy }),
    ...(apiserver === undefined || apiserver.server === known.apiserver?.server ? {} : { apiserver })
  }
}

/** The same facts as environment variables, for shells and for tools of others. */
export const toEnvironment = (services: Services): Readonly<Record<string, string>> => {
  const s3 = services.versitygw ?? services.minio
  return defined({
    KBO_KAFKA_BOOTSTRAP: services.kafka?.plaintext,
    KBO_KAFKA3_BOOTSTRAP: services.kafka3?.bootstrap,
    KBO_VERSITYGW_ENDPOINT: services.versitygw?.endpoint,
    KBO_MINIO_ENDPOINT: services.minio?.endpoint,
    KBO_AZURITE_ENDPOINT: services.azurite?.endpoint,
    KBO_AZURITE_KEY: services.azurite?.accountKey,
    KBO_FAKEGCS_ENDPOINT: services.fakegcs?.endpoint,
    KBO_TOXIPROXY_URL: services.toxiproxy?.url,
    KBO_KUBECONFIG: services.apiserver?.kubeconfig,
    KBO_S3_ACCESS_KEY: s3?.accessKey,
    KBO_S3_SECRET_KEY: s3?.secretKey,
    KBO_S3_REGION: s3?.region
  })
}

/** Installs the wanted services that the environment does not name; a failure becomes a reason in `missing`. */
export const install = async (wanted: ReadonlyArray<Name>) => {
  const present = fromEnvironment()
  const missing: Record<string, string> = {}
  const isWanted = (name: Name) => wanted.includes(name) || (name === "apiserver" && wanted.includes("kubelet"))
  const isMine = (name: Name) => isWanted(name) && (name === "java" || present[name] === undefined)
  const attempt = async <A>(candidates: ReadonlyArray<Name>, work: () => Promise<A>): Promise<A | undefined> => {
    const mine = candidates.filter(isMine)
    if (mine.length === 0) return undefined
    try {
      return await work()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      for (const name of mine) missing[name] = reason
      say(`${mine.join(", ")}: ${reason}`)
      return undefined
    }
  }
  // Maven and npm wait for the network while Go compiles, so these run in parallel; two Go builds would compete for
  // cores.
  const [java, azurite, browser, stores] = await Promise.all([
    attempt(["kafka", "kafka3", "java"], async () => Install.javaTools(await Install.kafka())),
    attempt(["azurite"], Install.azurite),
    attempt(["browser"], Install.browser),
    attempt(["versitygw"], Install.versitygw).then(async (versitygw) => ({
      versitygw,
      minio: await attempt(["minio"], Install.minio),
      fakegcs: await attempt(["fakegcs"], Install.fakegcs),
      toxiproxy: await attempt(["toxiproxy"], Install.toxiproxy),
      controlPlane: await attempt(["apiserver"], async () => {
        const programs = await Install.controlPlane()
        // A client of it, like kubectl: tests of the chart find it where it is installed (test/harness/Helm.ts).
        await Install.helm()
        return programs
      }),
      kubelet: await attempt(["kubelet"], Install.kubelet)
    }))
  ])
  return { java, azurite, browser, ...stores, present, missing, isMine }
}

/** Starts services in `fleet`. `missing` lists the unavailable ones; services of the environment are passed on. */
export const start = async (fleet: Fleet, wanted: ReadonlyArray<Name>): Promise<Services> => {
  const installed = await install(wanted)
  const { java, versitygw, minio, azurite, fakegcs, toxiproxy, controlPlane, kubelet } = installed
  const { browser, present, missing, isMine } = installed
  const brokers = async () => {
    if (java === undefined || !(isMine("kafka") || isMine("kafka3"))) return {}
    const single = isMine("kafka") ? await Kafka.prepareBroker(fleet) : undefined
    const cluster = isMine("kafka3") ? await Kafka.prepareCluster(fleet) : undefined
    say("kafka: formatting and booting, 10-40 s")
    Kafka.format(java, [...(single?.nodes ?? []), ...(cluster?.nodes ?? [])])
    const [kafka, kafka3] = await Promise.all([single?.start(java), cluster?.start(java)])
    return defined({ kafka, kafka3 })
  }
  const cluster = async () => {
    const apiserver = controlPlane === undefined ? undefined : await ControlPlane.start(fleet, controlPlane)
    if (kubelet === undefined) return { apiserver }
    try {
      if (apiserver === undefined) throw new Error("it can only join a control plane that is started here")
      return { apiserver, node: await Kubelet.start(fleet, kubelet, apiserver) }
    } catch (error) {
      missing["kubelet"] = error instanceof Error ? error.message : String(error)
      return { apiserver }
    }
  }
  const [kafkas, gateway, bucketStore, azure, gcs, network, { apiserver, node }] = await Promise.all([
    brokers(),
    versitygw === undefined ? undefined : ObjectStores.versitygw(fleet, versitygw),
    minio === undefined ? undefined : ObjectStores.minio(fleet, minio),
    azurite === undefined ? undefined : CloudStores.azurite(fleet, azurite),
    fakegcs === undefined ? undefined : CloudStores.fakegcs(fleet, fakegcs),
    toxiproxy === undefined ? undefined : Toxiproxy.start(fleet, toxiproxy),
    cluster()
  ])
  const started = defined({
    versitygw: gateway,
    minio: bucketStore,
    azurite: azure,
    fakegcs: gcs,
    toxiproxy: network,
    apiserver,
    kubelet: node,
    browser,
    java: java === undefined ? undefined : { classpath: java }
  })
  return { ...present, ...kafkas, ...started, missing, ownerPid: process.pid }
}

/** Writes `services` where tests look for them; readers see the old file or the new one, never half. */
export const announce = (services: Services, file: string): void => {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, JSON.stringify({ ...services, env: toEnvironment(services) }, null, 2), { mode: 0o600 })
  renameSync(temporary, file)
}

/** Removes the announcement, unless another process has replaced it. */
export const withdraw = (file: string): void => {
  if (announced(file)?.ownerPid === process.pid) rmSync(file, { force: true })
}

/** The services that a running `npm run services` announced; undefined if its process is gone. */
export const announced = (file: string = Cache.environmentFile): Services | undefined => {
  if (!existsSync(file)) return undefined
  const services = JSON.parse(readFileSync(file, "utf8")) as Services
  return isAlive(services.ownerPid) ? services : undefined
}
