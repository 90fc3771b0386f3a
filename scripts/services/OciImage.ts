import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

/** An image of one layer, made of files of this machine. */
export interface Recipe {
  /** With its tag. */
  readonly name: string
  /** Where a file of this machine lies in the image; links are followed, modes kept. */
  readonly files: Readonly<Record<string, string>>
  /** Empty folders. */
  readonly folders?: ReadonlyArray<string>
  readonly entrypoint: ReadonlyArray<string>
  /** Number of the user; default: root. */
  readonly user?: string
}

const architecture = process.arch === "x64" ? "amd64" : process.arch

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex")

const tar = (folder: string, file: string): void => {
  const owner = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mtime=@0"]
  execFileSync("tar", ["-C", folder, ...owner, "-cf", file, "."], { stdio: ["ignore", "ignore", "pipe"] })
}

/** Writes the image as a tar in the OCI layout, for `ctr images import`. */
export const write = (recipe: Recipe, file: string): void => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-image-"))
  try {
    const [content, layout] = [join(folder, "content"), join(folder, "layout")]
    const blobs = join(layout, "blobs", "sha256")
    mkdirSync(content)
    mkdirSync(blobs, { recursive: true })
    for (const path of recipe.folders ?? []) mkdirSync(join(content, path), { recursive: true })
    for (const [path, source] of Object.entries(recipe.files)) {
      mkdirSync(dirname(join(content, path)), { recursive: true })
      copyFileSync(source, join(content, path))
    }
    const layerFile = join(folder, "layer.tar")
    tar(content, layerFile)
    const layer = sha256(readFileSync(layerFile))
    const layerBytes = statSync(layerFile).size
    renameSync(layerFile, join(blobs, layer))
    const blob = (mediaType: string, json: unknown) => {
      const bytes = Buffer.from(JSON.stringify(json))
      writeFileSync(join(blobs, sha256(bytes)), bytes)
      return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
    }
    const config = blob("application/vnd.oci.image.config.v1+json", {
      architecture,
      os: "linux",
      config: { Entrypoint: recipe.entrypoint, Env: ["PATH=/usr/bin:/bin"], User: recipe.user ?? "" },
      rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] }
    })
    const manifest = blob("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      config,
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: `sha256:${layer}`, size: layerBytes }]
    })
    const annotations = { "io.containerd.image.name": recipe.name, "org.opencontainers.image.ref.name": recipe.name }
    writeFileSync(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }))
    writeFileSync(
      join(layout, "index.json"),
      JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] })
    )
    tar(layout, file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
