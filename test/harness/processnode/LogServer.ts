import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { createServer, type Server } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { PodProcess } from "./PodProcess.ts"

/*
 * What the API server asks a kubelet for `kubectl logs`. It does not look at the certificate of a kubelet unless it was
 * told of an authority.
 */

const certificate = (): { readonly key: Buffer; readonly cert: Buffer } => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-node-"))
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem"]
  const request = ["req", "-x509", ...key, "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost"]
  execFileSync("openssl", request, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] })
  const made = { key: readFileSync(join(folder, "key.pem")), cert: readFileSync(join(folder, "cert.pem")) }
  rmSync(folder, { recursive: true })
  return made
}

const everyMillis = 100

/** Sends what the process has written, and with `isFollowed` what it writes until it ends. */
const send = async (pod: PodProcess, response: ServerResponse, isFollowed: boolean, tail: number): Promise<void> => {
  const whole = pod.log
  const lines = whole.split(/(?<=\n)/u)
  response.write(lines.slice(Math.max(0, lines.length - tail)).join(""))
  let sent = whole.length
  while (isFollowed && pod.isRunning && !response.closed) {
    await new Promise((resolve) => setTimeout(resolve, everyMillis))
    const log = pod.log
    response.write(log.slice(sent))
    sent = log.length
  }
  response.end(isFollowed ? pod.log.slice(sent) : "")
}

export class LogServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /** Serves the logs of the pods that `find` knows, by namespace and name. */
  static start(find: (namespace: string, name: string) => PodProcess | undefined): Promise<LogServer> {
    const server = createServer(certificate(), (request, response) => {
      const url = new URL(request.url ?? "", "https://localhost")
      const [, what, namespace = "", name = "", container = ""] = url.pathname.split("/")
      const pod = what === "containerLogs" ? find(namespace, name) : undefined
      if (pod === undefined) return void response.writeHead(404).end("no such pod")
      if (pod.pid === undefined) return void response.writeHead(400).end(`container "${container}" is waiting to start`)
      response.writeHead(200, { "content-type": "text/plain" })
      const tail = Number(url.searchParams.get("tailLines") ?? Infinity)
      send(pod, response, url.searchParams.get("follow") === "true", tail).catch(() => response.destroy())
    })
    return new Promise((resolve, reject) => {
      server.once("error", reject)
      server.listen(0, () => resolve(new LogServer(server)))
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}
