#!/usr/bin/env node
// Starts the command line from a checkout, whatever Node the machine has: the project brings its own.
import { spawn } from "node:child_process"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
if (Number(process.versions.node.split(".")[0]) >= 24) {
  await import(main)
} else {
  const node = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url))
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
}
