import { type ChildProcessByStdio, spawn } from "node:child_process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import { fileURLToPath } from "node:url"

/** The command line as users start it: a process with pipes, no terminal. */
export interface Started {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly out: () => string
  readonly err: () => string
  /** Resolves when `text` has been written to standard error. */
  readonly said: (text: string) => Promise<void>
  /** The exit code, when the process and its pipes have ended. */
  readonly ended: Promise<number | null>
}

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** With real ports, and with the demo's cluster in memory. */
export const programs = { real: file("../../src/main.ts"), inMemory: file("inMemoryMain.ts") }

/** Starts `program`; compiled modules are kept between tests. */
export const start = (
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {}
): Started => {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "kafka-backup-test-cache"), ...env }
  })
  let out = ""
  let err = ""
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()))
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (err.includes(text)) resolve()
      }
      child.stderr.on("data", look)
      child.on("close", () => reject(new Error(`ended without saying ${text}:\n${err}`)))
      look()
    })
  return { child, out: () => out, err: () => err, said, ended }
}

/** Starts `program` and waits for its end. */
export const finished = async (
  program: string,
  args: ReadonlyArray<string>,
  input = "",
  env: Readonly<Record<string, string>> = {}
) => {
  const started = start(program, args, env)
  started.child.stdin.end(input)
  const exitCode = await started.ended
  return { exitCode, out: started.out(), err: started.err() }
}
