import type { ChildProcess } from "node:child_process"

/** How a program ended and what it printed. */
export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Gives a started program its input, and waits for its end. */
export const of = (child: ChildProcess, input = ""): Promise<Answer> =>
  new Promise((resolve, reject) => {
    let [stdout, stderr] = ["", ""]
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdin?.on("error", () => {})
    child.stdin?.end(input)
    child.once("error", reject)
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }))
  })
