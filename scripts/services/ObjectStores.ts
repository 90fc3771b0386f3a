import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { accepts, type Fleet } from "./Fleet.ts"
import * as Ports from "./Ports.ts"
import { say } from "./Progress.ts"

export interface S3Store {
  readonly endpoint: string
  readonly accessKey: string
  readonly secretKey: string
  readonly region: string
  readonly pid?: number
}

const accessKey = "testkey"
const secretKey = "testsecret123"
const region = "us-east-1"
const bootMillis = 60_000

interface Plan {
  readonly name: string
  readonly binary: string
  readonly args: (address: string, data: string) => ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** A path that answers 200 once requests can be served. */
  readonly health: string
}

const start = async (fleet: Fleet, plan: Plan): Promise<S3Store> => {
  const [port] = await Ports.free(1)
  if (port === undefined) throw new Error("no free port")
  const data = join(fleet.folder, plan.name)
  mkdirSync(data, { recursive: true })
  const address = `127.0.0.1:${port}`
  const process = fleet.start(plan.name, plan.binary, plan.args(address, data), plan.env)
  const isUp = async () => {
    if (!(await accepts("127.0.0.1", port))) return false
    const answer = await fetch(`http://${address}${plan.health}`).catch(() => undefined)
    await answer?.arrayBuffer()
    return answer?.status === 200
  }
  await process.ready(isUp, bootMillis)
  say(`${plan.name}: ready at http://${address}`)
  return { endpoint: `http://${address}`, accessKey, secretKey, region, pid: process.pid }
}

/** versitygw over a directory. It refuses a key that is a prefix of another key, as a file system does. */
export const versitygw = (fleet: Fleet, binary: string): Promise<S3Store> =>
  start(fleet, {
    name: "versitygw",
    binary,
    args: (address, data) => ["--port", address, "--health", "/health", "posix", data],
    env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
    health: "/health"
  })

/** MinIO on one directory. It ignores If-Match on DELETE. With `more` in its environment: a key to encrypt with. */
export const minio = (fleet: Fleet, binary: string, more: Readonly<Record<string, string>> = {}): Promise<S3Store> =>
  start(fleet, {
    name: "minio",
    binary,
    args: (address, data) => ["server", data, "--address", address],
    env: {
      MINIO_ROOT_USER: accessKey,
      MINIO_ROOT_PASSWORD: secretKey,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
      MINIO_REGION_NAME: region,
      ...more
    },
    health: "/minio/health/ready"
  })
