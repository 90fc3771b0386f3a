import { existsSync } from "node:fs"
import { Fleet } from "../../scripts/services/Fleet.ts"

// Starts one process that sleeps for an hour, prints its pid, and waits to be killed or stopped.
const fleet = new Fleet()
const sleeper = fleet.start("sleeper", "/bin/sh", ["-c", "sleep 3600 & echo up; wait"])
await sleeper.ready((log) => log.includes("up"), 10_000)
process.once("SIGTERM", () => void fleet.stop().then(() => process.exit(0)))
console.log(JSON.stringify({ pid: sleeper.pid, folder: fleet.folder, isThere: existsSync(fleet.folder) }))
setInterval(() => {}, 1_000)
