import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"

/** A server certificate that an intermediate authority has issued, and what signed that one. All as PEM. */
export interface Issued {
  readonly root: string
  readonly intermediate: string
  readonly certificate: string
  readonly key: string
}

/** Makes the three certificates with openssl; `names` as in a subjectAltName: `DNS:localhost,IP:127.0.0.1`. */
export const issued = (names: string): Effect.Effect<Issued> =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "kafka-backup-issued-"))),
    (folder) =>
      Effect.sync(() => {
        const openssl = (...args: ReadonlyArray<string>) =>
          execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
        const read = (name: string) => readFileSync(join(folder, name), "utf8")
        const request = (name: string) =>
          openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            `${name}.key`,
            "-out",
            `${name}.csr`,
            "-subj",
            `/CN=${name}`
          )
        const sign = (name: string, by: string, extensions: string) => {
          writeFileSync(join(folder, `${name}.ext`), extensions)
          const signing = ["-CA", `${by}.crt`, "-CAkey", `${by}.key`, "-CAcreateserial", "-days", "2"]
          openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-extfile", `${name}.ext`, "-out", `${name}.crt`)
        }
        const self = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=root"]
        openssl("req", ...self, "-keyout", "root.key", "-out", "root.crt")
        request("intermediate")
        sign("intermediate", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
        request("leaf")
        sign("leaf", "intermediate", `subjectAltName=${names}\n`)
        return {
          root: read("root.crt"),
          intermediate: read("intermediate.crt"),
          certificate: read("leaf.crt"),
          key: read("leaf.key")
        }
      }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )
