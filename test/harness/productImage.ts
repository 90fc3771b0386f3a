import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { ContainerNode } from "./ContainerNode.ts"

const script = fileURLToPath(new URL("../../scripts/image.ts", import.meta.url))

/** Makes the image that users make, which takes some ten seconds, and gives it to the node. */
export const productImage = async (node: ContainerNode, name: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-image-"))
  try {
    const archive = join(folder, "image.tar")
    await promisify(execFile)(process.execPath, [script, "--name", name, "--output", archive])
    node.load(archive)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
