#!/usr/bin/env node
// Starts the command line, whatever Node the machine has: the project brings its own. A checkout runs its sources; an
// installed package runs dist/, since Node strips no types below a node_modules folder.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import * as module from "node:module"
import { constants } from "node:os"
import { fileURLToPath } from "node:url"

const isInstalled = import.meta.url.includes("/node_modules/")
const main = new URL(isInstalled ? "../dist/main.mjs" : "../src/main.ts", import.meta.url)
const ours = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url))

if (Number(process.versions.node.split(".")[0]) >= 24) {
  // Types are stripped and modules compiled once per change, not once per start. Where it cannot be written, nothing is
  // lost.
  module.enableCompileCache?.(fileURLToPath(new URL("../node_modules/.cache/kafka-backup", import.meta.url)))
  await import(main.href)
} else if (existsSync(ours)) {
  const child = spawn(ours, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => fail(`${ours} does not start: ${error.message}`))
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)))
} else {
  fail(`Node 24 or newer is needed, this is ${process.version}, and the project's own is not installed: run npm ci`)
}

/** @param {string} why */
function fail(why) {
  process.stderr.write(`kafka-backup: ${why}\n`)
  process.exit(1)
}
