import { readFileSync, writeSync } from "node:fs"

/*
 * Loaded before the command (node --import): gives the process a memory limit as a container has it, unless it has one,
 * and writes at its end how much memory it had at most.
 */

const limitBytes = Number(process.env["KBO_TEST_MEMORY_LIMIT"])
const own = process.constrainedMemory()
if (!(own > 0 && own <= limitBytes)) process.constrainedMemory = () => limitBytes

process.on("exit", () => {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]
  writeSync(2, `\npeak ${Number(peak) * 1024} bytes, limit ${process.constrainedMemory()}\n`)
})
