import { spawn } from "node:child_process"
import { dirname, join } from "node:path"
import type { ApiServer } from "../../scripts/services/ControlPlane.ts"
import * as Install from "../../scripts/services/Install.ts"
import * as Answer from "./Answer.ts"

/** Runs what a user types, with nothing of this machine's own Helm. */
export const run = async (
  { kubeconfig }: ApiServer,
  args: ReadonlyArray<string>,
  input = ""
): Promise<Answer.Answer> => {
  const program = await Install.helm()
  const home = (name: string) => join(dirname(kubeconfig), "helm", name)
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HELM_"))),
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: home("cache"),
    HELM_CONFIG_HOME: home("config"),
    HELM_DATA_HOME: home("data")
  }
  return Answer.of(spawn(program, args, { env }), input)
}

/** As `run`, but anything but success is an error that says what Helm said; gives its standard output. */
export const succeed = async (apiserver: ApiServer, args: ReadonlyArray<string>, input = ""): Promise<string> => {
  const { code, stderr, stdout } = await run(apiserver, args, input)
  if (code !== 0) throw new Error(`helm ${args.join(" ")} ended with ${code}:\n${stderr}${stdout}`)
  return stdout
}
