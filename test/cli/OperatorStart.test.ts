import { createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Processes from "./processes.ts"

const start = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) => {
  const started = Processes.start(Processes.programs.real, ["operator", ...args], env)
  // One that starts after all must not stay.
  const over = setTimeout(() => started.child.kill("SIGKILL"), 20_000)
  return started.ended.then((exitCode) => {
    clearTimeout(over)
    return { exitCode, err: started.err() }
  })
}

/** Nothing listens at this API server: an operator that starts all the same changes nothing. */
const nowhere = { KUBECONFIG: "/nonexistent/kubeconfig" }

describe("the operator does not start", { timeout: 60_000 }, () => {
  it.each([
    [
      ["--watch-namespace", ""],
      ["--watch-namespace", "the name of a namespace"]
    ],
    [
      ["--watch-namespace=orders", "--watch-namespace=Not_A_NS"],
      ["--watch-namespace", '"Not_A_NS"']
    ],
    [
      ["--namespace", ""],
      ["--namespace", "the name of a namespace"]
    ],
    [
      ["--job-user", "2147483648"],
      ["--job-user", "2147483647"]
    ]
  ])("with %j, and says what the value should be", async (args, words) => {
    const { err, exitCode } = await start(["--image=x", "--no-leader-election", ...args], nowhere)
    assert.strictEqual(exitCode, 2, err)
    for (const word of words) assert.include(err, word)
    assert.notInclude(err, "KUBECONFIG")
  })

  it("without an image in --image", async () => {
    const { err, exitCode } = await start(["--no-leader-election", "--image", ""], nowhere)
    assert.strictEqual(exitCode, 2, err)
    assert.include(err, "--image")
    assert.include(err, "an image")
  })

  it("without a kubeconfig that can be read, and names the variable and the file", async () => {
    const { err, exitCode } = await start(["--image=x", "--no-leader-election", "--listen=127.0.0.1:0"], nowhere)
    assert.strictEqual(exitCode, 2, err)
    assert.include(err, "KUBECONFIG, /nonexistent/kubeconfig")
    assert.notInclude(err, "report")
  })

  it("where another program listens already, and names the option and the address", async () => {
    const other = createServer()
    const port = await new Promise<number>((resolve) =>
      other.listen(0, "127.0.0.1", () => resolve((other.address() as { readonly port: number }).port))
    )
    try {
      const kubeconfig = new URL("../kubernetes/kubeconfig-of-nowhere.yaml", import.meta.url).pathname
      const { err, exitCode } = await start(["--image=x", "--no-leader-election", `--listen=127.0.0.1:${port}`], {
        KUBECONFIG: kubeconfig
      })
      assert.strictEqual(exitCode, 2, err)
      assert.include(err, `--listen: cannot listen on 127.0.0.1:${port}`)
      assert.include(err, "EADDRINUSE")
      assert.notInclude(err, "report")
    } finally {
      other.close()
    }
  })
})
