// Run by `npm ci` (prepare): gives the checkout its own command, so that `npx kafka-backup` starts it as it stands,
// without a registry and without installing a copy. npm links the commands of dependencies, never the project's own.
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const command = fileURLToPath(new URL("kafka-backup.mjs", import.meta.url))
const folder = new URL("../node_modules/.bin/", import.meta.url)
const place = (name) => fileURLToPath(new URL(name, folder))

mkdirSync(folder, { recursive: true })
if (process.platform === "win32") {
  writeFileSync(place("kafka-backup.cmd"), `@node "%~dp0..\\..\\bin\\kafka-backup.mjs" %*\r\n`)
} else {
  chmodSync(command, 0o755)
  rmSync(place("kafka-backup"), { force: true })
  symlinkSync("../../bin/kafka-backup.mjs", place("kafka-backup"))
}
