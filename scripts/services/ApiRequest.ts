import { readFileSync } from "node:fs"
import { request } from "node:https"
import type { Access } from "./Kubeconfig.ts"

/** One answer of an API server; `body` is its text. */
export interface ApiAnswer {
  readonly status: number
  readonly body: string
}

/** Sends one request, with a timeout of ten seconds. */
export const ask = (access: Required<Access>, method: string, path: string, json?: unknown): Promise<ApiAnswer> =>
  new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${access.token}`, "content-type": "application/json" }
    const options = { method, ca: readFileSync(access.caPem), headers, agent: false, timeout: 10_000 } as const
    const asking = request(`${access.server}${path}`, options, (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => (body += text))
      response.once("error", reject)
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asking.once("timeout", () => asking.destroy(new Error(`${method} ${path} was not answered within 10 s`)))
    asking.once("error", reject)
    asking.end(json === undefined ? undefined : JSON.stringify(json))
  })
