import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { stringify } from "yaml"
import { fromKubeconfig } from "../../scripts/services/ControlPlane.ts"
import * as Kubeconfig from "../../scripts/services/Kubeconfig.ts"

const folder = mkdtempSync(join(tmpdir(), "kafka-backup-kubeconfig-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = (config: unknown): string => {
  const file = join(folder, "config")
  writeFileSync(file, stringify(config))
  return file
}

const config = {
  "current-context": "b",
  contexts: [
    { name: "a", context: { cluster: "one", user: "u" } },
    { name: "b", context: { cluster: "two", user: "v" } }
  ],
  clusters: [
    { name: "one", cluster: { server: "https://one:6443" } },
    { name: "two", cluster: { server: "https://two:6443", "certificate-authority": "pki/ca.crt" } }
  ],
  users: [{ name: "u" }, { name: "v", user: { token: "t" } }]
}

describe("a given kubeconfig", () => {
  it("names the server, authority and token of its current context; paths start at the file", () => {
    const { kubectl: _, ...found } = fromKubeconfig(written(config))
    assert.deepStrictEqual(found, {
      server: "https://two:6443",
      kubeconfig: join(folder, "config"),
      caPem: join(folder, "pki", "ca.crt"),
      token: "t"
    })
  })

  it("may keep authority and login inside, which only kubectl then reads", () => {
    const { kubectl: _, ...found } = fromKubeconfig(written({ ...config, "current-context": "a" }))
    assert.deepStrictEqual(found, { server: "https://one:6443", kubeconfig: join(folder, "config") })
  })

  it("that is missing or has no current context is an error that names it", () => {
    assert.throws(() => fromKubeconfig(join(folder, "none")), /there is no kubeconfig .*none/)
    assert.throws(() => fromKubeconfig(written({ ...config, "current-context": "c" })), /no cluster for its current/)
  })

  it("is read as it was written", () => {
    const access = { server: "https://127.0.0.1:6443", caPem: join(folder, "ca.crt"), token: "t" }
    const file = join(folder, "written")
    Kubeconfig.write(file, access)
    assert.deepStrictEqual(Kubeconfig.read(file), { ...access, kubeconfig: file })
  })
})
