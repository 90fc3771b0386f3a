import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Paths of PEM files, all made fresh for one start. */
export interface Pki {
  /** Certificate authority that signed everything below. */
  readonly ca: string
  /** Key, certificate and authority of the broker in one file, the way Kafka wants a PEM key store. */
  readonly serverStore: string
  /** Certificate of the user `backup` (CN=backup), for listeners that ask clients for one. */
  readonly clientCert: string
  readonly clientKey: string
  /** An authority that signed nothing here: whoever trusts only it must refuse the broker. */
  readonly strangerCa: string
}

const openssl = (folder: string, args: ReadonlyArray<string>): void => {
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
}

const authority = (folder: string, name: string): void =>
  openssl(folder, [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "30",
    "-subj",
    `/CN=${name}`,
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign,cRLSign",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`
  ])

const signed = (folder: string, name: string, usage: string): void => {
  const extensions = `subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=${usage}\n`
  writeFileSync(join(folder, `${name}.ext`), extensions)
  openssl(folder, [
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`
  ])
  openssl(folder, [
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    "-CA",
    "ca.crt",
    "-CAkey",
    "ca.key",
    "-CAcreateserial",
    "-days",
    "30",
    "-extfile",
    `${name}.ext`,
    "-out",
    `${name}.crt`
  ])
}

/** An authority, a broker certificate for localhost and 127.0.0.1, a client certificate, and an unrelated authority. */
export const make = (folder: string): Pki => {
  mkdirSync(folder, { recursive: true })
  authority(folder, "ca")
  authority(folder, "stranger")
  signed(folder, "server", "serverAuth")
  signed(folder, "backup", "clientAuth")
  const store = ["server.key", "server.crt", "ca.crt"].map((name) => readFileSync(join(folder, name), "utf8")).join("")
  writeFileSync(join(folder, "server.pem"), store, { mode: 0o600 })
  return {
    ca: join(folder, "ca.crt"),
    serverStore: join(folder, "server.pem"),
    clientCert: join(folder, "backup.crt"),
    clientKey: join(folder, "backup.key"),
    strangerCa: join(folder, "stranger.crt")
  }
}
