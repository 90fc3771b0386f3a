import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** KafkaTool (test/java) as a process: requests go in as JSON lines, answers come back in any order. */
export class JavaTool {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #next = 1
  #complaints = ""

  constructor(classpath: string) {
    const options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8"]
    const log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    const child = spawn("java", [...options, log, "-cp", classpath, "KafkaTool", "serve"], {
      stdio: ["pipe", "pipe", "pipe"]
    })
    this.#process = child
    child.stderr.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-4_000)
    })
    child.stdin.on("error", () => {})
    createInterface({ input: child.stdout }).on("line", (line) => this.#answer(line))
    this.#ended = new Promise((resolve) => {
      const end = (why: string) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`java ended (${why}): ${this.#complaints}`))
        this.#waiting.clear()
        resolve()
      }
      child.once("error", (error) => end(error.message))
      child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  #answer(line: string): void {
    const answer = JSON.parse(line) as { readonly id: number; readonly ok?: unknown; readonly error?: string }
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if (answer.error === undefined) waiting?.resolve(answer.ok)
    else waiting?.reject(new Error(answer.error))
  }

  /** One request; rejects with what Kafka said when it is refused, and when the JVM ends first. */
  call<A>(op: string, request: object): Promise<A> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      if (this.#process.exitCode !== null) return reject(new Error(`java has ended: ${this.#complaints}`))
      this.#waiting.set(id, { resolve: (value) => resolve(value as A), reject })
      this.#process.stdin?.write(`${JSON.stringify({ id, op, ...request })}\n`)
    })
  }

  /** Ends the JVM and waits for it. */
  async close(): Promise<void> {
    this.#process.stdin?.end()
    await this.#ended
  }
}
