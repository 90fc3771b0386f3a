import { type ChildProcess, spawn } from "node:child_process"
import { dirname, join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Answer from "./Answer.ts"

const start = ({ kubeconfig, kubectl }: ApiServer, args: ReadonlyArray<string>): ChildProcess =>
  spawn(kubectl, [`--kubeconfig=${kubeconfig}`, `--cache-dir=${join(dirname(kubeconfig), "cache")}`, ...args])

/** Runs what a user types, with `input` for `-f -`. */
export const run = (apiserver: ApiServer, args: ReadonlyArray<string>, input = ""): Promise<Answer.Answer> =>
  Answer.of(start(apiserver, args), input)

/** As `run`, but anything but success is an error that says what kubectl said; gives its standard output. */
export const succeed = async (apiserver: ApiServer, args: ReadonlyArray<string>, input = ""): Promise<string> => {
  const { code, stderr, stdout } = await run(apiserver, args, input)
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} ended with ${code}:\n${stderr}${stdout}`)
  return stdout
}

/** Runs a plugin that lies in the folder. kubectl takes no options before its name: a variable names the config. */
export const plugin = (
  { kubeconfig, kubectl }: ApiServer,
  folder: string,
  args: ReadonlyArray<string>
): Promise<Answer.Answer> => {
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    PATH: `${folder}:${dirname(process.execPath)}:${process.env["PATH"]}`
  }
  return Answer.of(spawn(kubectl, args, { env }), "")
}

/**
 * Waits until the API server serves a CustomResourceDefinition, by its name or its file. Just after it was made it has
 * no conditions, which `kubectl wait` takes for a mistake.
 */
export const established = async (apiserver: ApiServer, ...definition: ReadonlyArray<string>): Promise<void> => {
  const wait = ["wait", "--for=condition=Established", "--timeout=60s", ...definition]
  for (let tries = 0; tries < 100; tries++) {
    const { code, stderr } = await run(apiserver, wait)
    if (code === 0) return
    if (!stderr.includes("accessor error")) break
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await succeed(apiserver, wait)
}

/** The API over plain HTTP, logged in as the kubeconfig says: for tests that ask hundreds of times. */
export interface Proxy {
  /** `http://127.0.0.1:port` */
  readonly address: string
  readonly stop: () => Promise<void>
}

export const proxy = (apiserver: ApiServer): Promise<Proxy> =>
  new Promise((resolve, reject) => {
    const child = start(apiserver, ["proxy", "--port=0"])
    const gone = new Promise<void>((ended) => void child.once("close", () => ended()))
    let output = ""
    const take = (chunk: Buffer) => {
      output += chunk.toString()
      const port = /Starting to serve on 127\.0\.0\.1:(\d+)/.exec(output)?.[1]
      if (port === undefined) return
      const stop = () => {
        child.kill()
        return gone
      }
      resolve({ address: `http://127.0.0.1:${port}`, stop })
    }
    child.stdout?.on("data", take)
    child.stderr?.on("data", take)
    child.once("error", reject)
    void gone.then(() => reject(new Error(`kubectl proxy ended:\n${output}`)))
  })
