import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { accepts, type Fleet } from "./Fleet.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

/** An emulated storage account of Azure. */
export interface AzureStore {
  readonly accountName: string
  readonly accountKey: string
  /** Address of the account over plain HTTP, for keys and SAS tokens: `http://127.0.0.1:port/account`. */
  readonly endpoint: string
  /** A second server that takes bearer tokens, over HTTPS; only when we started it. */
  readonly secure?: { readonly endpoint: string } & Certificate
  readonly pid?: number
}

/** Paths of PEM files; the certificate is for localhost and 127.0.0.1, and its own authority. */
export interface Certificate {
  readonly certPem: string
  readonly keyPem: string
}

/** An emulator of Google Cloud Storage; it accepts requests without credentials. */
export interface GcsStore {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string
  readonly pid?: number
}

const bootMillis = 90_000

const certificate = (folder: string): Certificate => {
  const [certPem, keyPem] = [join(folder, "server.crt"), join(folder, "server.key")]
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", keyPem, "-out", certPem]
  execFileSync("openssl", ["req", "-x509", "-days", "30", ...names, ...key], { stdio: ["ignore", "ignore", "pipe"] })
  return { certPem, keyPem }
}

const freePort = async (): Promise<number> => {
  const [port] = await Ports.free(1)
  if (port === undefined) throw new Error("no free port")
  return port
}

/** Azurite twice, each on a folder: over HTTP for keys and SAS tokens, over HTTPS for bearer tokens. */
export const azurite = async (fleet: Fleet, script: string): Promise<AzureStore> => {
  // The account of the documentation's examples.
  const accountName = "kafkabackups123456"
  const accountKey = randomBytes(64).toString("base64")
  const start = async (name: string, extra: ReadonlyArray<string>) => {
    const port = await freePort()
    const data = join(fleet.folder, name)
    mkdirSync(data, { recursive: true })
    const place = ["--location", data, "--blobHost", "127.0.0.1", "--blobPort", String(port)]
    const args = [script, ...place, "--silent", "--skipApiVersionCheck", "--disableTelemetry", ...extra]
    const server = fleet.start(name, process.execPath, args, { AZURITE_ACCOUNTS: `${accountName}:${accountKey}` })
    await server.ready(() => accepts("127.0.0.1", port), bootMillis)
    return { port, pid: server.pid }
  }
  const folder = join(fleet.folder, "azurite-certificate")
  mkdirSync(folder, { recursive: true })
  const pair = certificate(folder)
  const [plain, secure] = await Promise.all([
    start("azurite", []),
    start("azurite-oauth", ["--oauth", "basic", "--cert", pair.certPem, "--key", pair.keyPem])
  ])
  const endpoint = `http://127.0.0.1:${plain.port}/${accountName}`
  say(`azurite: ready at ${endpoint}`)
  return {
    accountName,
    accountKey,
    endpoint,
    secure: { endpoint: `https://127.0.0.1:${secure.port}/${accountName}`, ...pair },
    pid: plain.pid
  }
}

/** fake-gcs-server with its objects in memory. */
export const fakegcs = async (fleet: Fleet, binary: string): Promise<GcsStore> => {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const place = ["-scheme", "http", "-host", "127.0.0.1", "-port", String(port), "-public-host", address]
  const server = fleet.start("fakegcs", binary, [...place, "-backend", "memory", "-log-level", "error"])
  await server.ready(() => accepts("127.0.0.1", port), bootMillis)
  say(`fakegcs: ready at http://${address}`)
  return { endpoint: `http://${address}`, pid: server.pid }
}
