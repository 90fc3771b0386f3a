import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { program } from "./Program.ts"

/*
 * An image as one file, in the layout that the Open Container Initiative specifies: `podman load`, `docker load`,
 * `ctr images import`, `kind load image-archive` and `skopeo copy oci-archive:` take it.
 */

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip"
} as const

/** Names of processors as Node.js and as image registries have them. */
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  s390x: "s390x",
  ppc64: "ppc64le"
}

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** A folder as tar, the same bytes for the same content: sorted, owned by root, of no particular time. */
const tar = (folder: string, ...names: ReadonlyArray<string>): Buffer =>
  execFileSync(
    "tar",
    [
      "--create",
      "--sort=name",
      "--mtime=@0",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--format=gnu",
      `--directory=${folder}`,
      ...names
    ],
    { maxBuffer: 2 ** 30 }
  )

export interface Image {
  /** With registry and tag: `registry.example.com/kafka-backup:0.1.0`. */
  readonly name: string
  /** What is in it. */
  readonly rootfs: string
  /** A folder to build in, empty. */
  readonly work: string
  /** The archive to be written. */
  readonly output: string
}

/** Writes the image of a folder, for this machine's kind of processor; gives its digest. */
export const write = ({ name, output, rootfs, work }: Image): string => {
  const blobs = join(work, "blobs", "sha256")
  mkdirSync(blobs, { recursive: true })
  const blob = (bytes: Uint8Array, mediaType: string) => {
    const digest = sha256(bytes)
    writeFileSync(join(blobs, digest.slice("sha256:".length)), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const json = (value: unknown) => Buffer.from(JSON.stringify(value))

  const layer = tar(rootfs, ".")
  const config = {
    architecture: architectures[process.arch] ?? process.arch,
    os: "linux",
    config: {
      User: `${program.user}:${program.user}`,
      Entrypoint: program.entrypoint,
      WorkingDir: "/tmp",
      Env: ["PATH=/usr/local/bin", "NODE_ENV=production"]
    },
    rootfs: { type: "layers", diff_ids: [sha256(layer)] }
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: blob(json(config), types.config),
    layers: [blob(gzipSync(layer, { level: 4 }), types.layer)]
  }
  const described = blob(json(manifest), types.manifest)
  const index = {
    schemaVersion: 2,
    mediaType: types.index,
    manifests: [
      {
        ...described,
        platform: { architecture: config.architecture, os: config.os },
        annotations: {
          "io.containerd.image.name": name,
          "org.opencontainers.image.ref.name": /:([^:/]+)$/u.exec(name)?.[1] ?? "latest"
        }
      }
    ]
  }
  writeFileSync(join(work, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }))
  writeFileSync(join(work, "index.json"), JSON.stringify(index))
  writeFileSync(output, tar(work, "blobs", "index.json", "oci-layout"))
  return described.digest
}
