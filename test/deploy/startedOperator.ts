import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Ports from "../../scripts/services/Ports.ts"
import { OperatorProcess } from "../e2e/operatorWorld.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { root } from "./manifests.ts"

/** An operator that is logged in as an account without any right of its own. */
export class StartedOperator {
  readonly #process: OperatorProcess
  readonly #folder: string

  private constructor(process: OperatorProcess, folder: string) {
    this.#process = process
    this.#folder = folder
  }

  static async make(apiserver: ApiServer): Promise<StartedOperator> {
    const folder = mkdtempSync(join(tmpdir(), "kafka-backup-definitions-"))
    await Kubectl.succeed(apiserver, ["create", "serviceaccount", "nobody", "--namespace=default"])
    const token = await Kubectl.succeed(apiserver, ["create", "token", "nobody", "--namespace=default"])
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: apiserver.server, "certificate-authority": apiserver.caPem } }],
      users: [{ name: "nobody", user: { token: token.trim() } }],
      contexts: [{ name: "c", context: { cluster: "c", user: "nobody" } }],
      "current-context": "c"
    }
    const kubeconfig = join(folder, "kubeconfig")
    writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
    const [port] = await Ports.free(1)
    const args = ["operator", "--image=x", `--listen=127.0.0.1:${port}`, "--no-leader-election"]
    const child = spawn(process.execPath, [join(root, "src", "main.ts"), ...args], {
      env: { ...process.env, KUBECONFIG: kubeconfig },
      stdio: ["ignore", "pipe", "pipe"]
    })
    return new StartedOperator(new OperatorProcess(child, `http://127.0.0.1:${port}`), folder)
  }

  /** What `/readyz` answers, once that is as wanted; the operator is never ready here. */
  async readiness(isWanted: (text: string) => boolean): Promise<string> {
    return this.#until(async () => {
      const answer = await this.#process.get("/readyz").catch(() => undefined)
      return answer?.status === 503 && isWanted(answer.text) ? answer.text : undefined
    })
  }

  /** Waits until the log has the words. */
  async says(words: string): Promise<void> {
    await this.#until(async () => (this.#process.log.includes(words) ? words : undefined))
  }

  async stop(): Promise<void> {
    await this.#process.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #until(find: () => Promise<string | undefined>): Promise<string> {
    for (let tries = 0; tries < 120; tries++) {
      const found = await find()
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    const last = await this.#process.get("/readyz").catch((error: Error) => ({ text: error.message }))
    throw new Error(`still not after a minute; /readyz says: ${last.text}\n${this.#process.log}`)
  }
}
