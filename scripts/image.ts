import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as OciArchive from "./image/OciArchive.ts"
import * as Rootfs from "./image/Rootfs.ts"

/*
 * node scripts/image.ts [--name NAME:TAG] [--output FILE]
 *
 * Builds an image without a container tool, for this machine's processor and with its C library: for tests and for
 * trying things out. Build images to publish from scripts/image/Containerfile, whose base image gets security updates.
 */

const root = fileURLToPath(new URL("..", import.meta.url))
const { values } = parseArgs({
  options: {
    name: { type: "string", default: "localhost/kafka-backup:dev" },
    output: { type: "string", default: join(root, "kafka-backup-image.tar") }
  }
})

const scratch = mkdtempSync(join(tmpdir(), "kafka-backup-image-"))
try {
  const folder = (name: string) => join(scratch, name)
  execFileSync(process.execPath, [join(root, "scripts/build.ts"), folder("dist")], {
    stdio: ["ignore", "ignore", "inherit"]
  })
  Rootfs.make(folder("rootfs"), { dist: folder("dist"), node: join(root, "node_modules/node/bin/node") })
  const output = resolve(values.output)
  const digest = OciArchive.write({ name: values.name, rootfs: folder("rootfs"), work: folder("oci"), output })
  const megabytes = Math.ceil(statSync(output).size / 1e6)
  console.log(`${output}: ${values.name}, ${digest}, ${megabytes} MB`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
