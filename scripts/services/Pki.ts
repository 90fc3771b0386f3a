import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** Paths of a client's PEM files. */
export interface ClientPair {
  readonly cert: string
  readonly key: string
}

/** Paths of PEM files, all made fresh for one start. */
export interface Pki {
  /** Certificate authority that signed everything below. */
  readonly ca: string
  /** Key, certificate and authority of the broker in one file, the way Kafka wants a PEM key store. */
  readonly serverStore: string
  /** Certificate of the user `backup` (CN=backup), for listeners that ask clients for one. */
  readonly clientCert: string
  readonly clientKey: string
  /** An authority that signed no broker: whoever trusts only it must refuse them. */
  readonly strangerCa: string
  /** As `serverStore`, but expired; and for a host name that is not ours. */
  readonly expiredStore: string
  readonly elsewhereStore: string
  /**
   * More client certificates with CN=backup: the next one (with an EC key), an expired one, and one of the stranger's.
   */
  readonly clients: { readonly renewed: ClientPair; readonly expired: ClientPair; readonly stranger: ClientPair }
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

interface Certificate {
  /** Of the files; CN too, unless `user` says another. */
  readonly name: string
  readonly user?: string
  readonly usage: "serverAuth" | "clientAuth"
  readonly issuer?: "ca" | "stranger"
  readonly hosts?: string
  /** Negative: it has expired already. */
  readonly days?: number
  readonly newKey?: ReadonlyArray<string>
}

const rsa = ["rsa:2048"]
const ec = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
const here = "DNS:localhost,IP:127.0.0.1"

const signed = (folder: string, { name, user = name, usage, ...rest }: Certificate): void => {
  const { issuer = "ca", hosts = here, days = 30, newKey = rsa } = rest
  writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${hosts}\nextendedKeyUsage=${usage}\n`)
  const request = ["-subj", `/CN=${user}`, "-keyout", `${name}.key`, "-out", `${name}.csr`]
  openssl(folder, ["req", "-newkey", ...newKey, "-nodes", ...request])
  const signing = ["-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-extfile", `${name}.ext`]
  openssl(folder, ["x509", "-req", "-in", `${name}.csr`, ...signing, "-days", String(days), "-out", `${name}.crt`])
}

/** Key, certificate and authority in one file. */
const store = (folder: string, name: string): string => {
  const parts = [`${name}.key`, `${name}.crt`, "ca.crt"]
  const file = join(folder, `${name}.pem`)
  writeFileSync(file, parts.map((part) => readFileSync(join(folder, part), "utf8")).join(""), { mode: 0o600 })
  return file
}

const pair = (folder: string, name: string): ClientPair => ({
  cert: join(folder, `${name}.crt`),
  key: join(folder, `${name}.key`)
})

/** Two authorities, and certificates of brokers and clients: those that work, and those that have to be refused. */
export const make = (folder: string): Pki => {
  mkdirSync(folder, { recursive: true })
  authority(folder, "ca")
  authority(folder, "stranger")
  signed(folder, { name: "server", usage: "serverAuth" })
  signed(folder, { name: "server-expired", usage: "serverAuth", days: -1, newKey: ec })
  signed(folder, { name: "server-elsewhere", usage: "serverAuth", hosts: "DNS:kafka.example", newKey: ec })
  signed(folder, { name: "backup", usage: "clientAuth" })
  const user = { user: "backup", usage: "clientAuth", newKey: ec } as const
  signed(folder, { name: "backup-renewed", ...user })
  signed(folder, { name: "backup-expired", ...user, days: -1 })
  signed(folder, { name: "backup-stranger", ...user, issuer: "stranger" })
  const { cert, key } = pair(folder, "backup")
  return {
    ca: join(folder, "ca.crt"),
    serverStore: store(folder, "server"),
    expiredStore: store(folder, "server-expired"),
    elsewhereStore: store(folder, "server-elsewhere"),
    clientCert: cert,
    clientKey: key,
    strangerCa: join(folder, "stranger.crt"),
    clients: {
      renewed: pair(folder, "backup-renewed"),
      expired: pair(folder, "backup-expired"),
      stranger: pair(folder, "backup-stranger")
    }
  }
}

/** Paths of PEM files for an API server. */
export interface ControlPlanePki {
  readonly ca: string
  readonly server: ClientPair
  /** Signs and verifies the tokens of service accounts; here `cert` is a bare public key. */
  readonly serviceAccounts: ClientPair
}

/** An authority, the API server's certificate, and the key of service accounts. */
export const makeForControlPlane = (folder: string): ControlPlanePki => {
  mkdirSync(folder, { recursive: true })
  authority(folder, "ca")
  const inside = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:10.96.0.1"
  signed(folder, { name: "apiserver", usage: "serverAuth", hosts: `${here},${inside}`, newKey: ec })
  openssl(folder, ["genrsa", "-out", "sa.key", "2048"])
  openssl(folder, ["rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub"])
  return {
    ca: join(folder, "ca.crt"),
    server: pair(folder, "apiserver"),
    serviceAccounts: { cert: join(folder, "sa.pub"), key: join(folder, "sa.key") }
  }
}
