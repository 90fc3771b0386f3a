import { execFileSync } from "node:child_process"
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { program } from "./Program.ts"

/** Where distributions keep the authorities that everybody trusts. */
const authorities = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

/** Shared libraries that a program or library loads, and the loader, as absolute paths of this machine. */
const libraries = (file: string): ReadonlyArray<string> => {
  const listed = execFileSync("ldd", [file], { encoding: "utf8" })
  const missing = /^\s*(\S+) => not found/mu.exec(listed)
  if (missing !== null) throw new Error(`${file} needs ${missing[1]}, which this machine does not have`)
  return [...listed.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gmu)].map(([, path]) => path!)
}

const compiled = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".node"))
    .map((name) => join(folder, name))

/**
 * Makes `folder` what a container needs to run `dist`: Node.js, the shared libraries that it and the compiled packages
 * load, taken from this machine, the certificate authorities, and a user who is not root. There is no shell in it.
 */
export const make = (folder: string, { dist, node }: { readonly dist: string; readonly node: string }): void => {
  const place = (from: string, to: string) => {
    mkdirSync(dirname(join(folder, to)), { recursive: true })
    cpSync(from, join(folder, to), { recursive: true, dereference: true })
  }
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }

  place(node, program.node)
  place(dist, program.folder)
  for (const library of new Set([node, ...compiled(dist)].flatMap(libraries))) place(library, library)

  const trusted = authorities.find((file) => existsSync(file))
  if (trusted !== undefined) place(trusted, "etc/ssl/certs/ca-certificates.crt")
  const { user } = program
  write("etc/passwd", `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${user}:${user}:nonroot:/tmp:/sbin/nologin\n`)
  write("etc/group", `root:x:0:\nnonroot:x:${user}:\n`)
  write("etc/nsswitch.conf", "hosts: files dns\n")
  mkdirSync(join(folder, "tmp"), { recursive: true })
  chmodSync(join(folder, "tmp"), 0o1777)
}
