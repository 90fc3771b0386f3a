import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Install from "../../scripts/services/Install.ts"
import * as Answer from "../harness/Answer.ts"
import { describeWith } from "../harness/services.ts"
import { type Json, root } from "./manifests.ts"

/** Other tests have the project's names on this API server: here all is called otherwise, the API's group too. */
const name = `moved-${Date.now()}`
const renamed = (text: string): string =>
  text
    .replaceAll(/(?<!deploy\/helm\/)kafka-backup-operator/gu, name)
    .replaceAll("kafka-backup-system", `${name}-system`)
    .replaceAll("kafka.oso.sh", `${name}.oso.sh`)
    .replaceAll(/kafka-backup-(view|edit)/gu, `${name}-$1`)

const guide = readFileSync(join(root, "docs/guides/install.md"), "utf8")
/** The commands of the first block after these words. */
const commands = (after: string): string =>
  renamed(/```sh\n(.*?)```/su.exec(guide.slice(guide.indexOf(after)))?.[1] ?? assert.fail(`no commands after ${after}`))
const upgrade = commands("### Upgrading and uninstalling").split("\n")[0]!

describeWith("apiserver", "an installation that goes from kustomize to Helm as the guide says", ({ apiserver }) => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-moved-"))
  const chart = join(folder, "deploy/helm/kafka-backup-operator")
  let path = ""
  const run = (text: string) => {
    const env = {
      PATH: [path, process.env["PATH"]].join(delimiter),
      KUBECONFIG: apiserver.kubeconfig,
      HOME: folder
    }
    return Answer.of(spawn("bash", ["--norc", "-euo", "pipefail", "-c", text], { cwd: folder, env }), "")
  }
  const succeed = async (text: string): Promise<string> => {
    const { code, stderr, stdout } = await run(text)
    assert.strictEqual(code, 0, `${text}\n${stderr}${stdout}`)
    return stdout
  }
  const get = async (what: string): Promise<Json> =>
    JSON.parse(await succeed(`kubectl get ${what} --namespace ${name}-system --show-managed-fields --output json`))
  const images = async () => {
    const [{ args, image }] = (await get(`deployment ${name}`))["spec"].template.spec.containers
    const { variables } = (await get(`validatingadmissionpolicy ${name}-new-jobs`))["spec"]
    return [image, args[1], variables.find((variable: Json) => variable["name"] === "image").expression]
  }
  const imagesOf = (tag: string) => {
    const image = `registry.example.com/kafka-backup:${tag}`
    return [image, `--image=${image}`, `'${image}'`]
  }

  beforeAll(async () => {
    path = [dirname(apiserver.kubectl), dirname(await Install.helm())].join(delimiter)
    for (const part of ["deploy", "crds"]) cpSync(join(root, part), join(folder, part), { recursive: true })
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).map((each) => join(folder, each)))
      if (statSync(file).isFile()) writeFileSync(file, renamed(readFileSync(file, "utf8")))
    await succeed(commands("### The whole cluster").split("\n")[0]!)
    await succeed(commands("From kustomize to Helm"))
  })
  afterAll(async () => {
    await run(`helm uninstall ${name} --namespace ${name}-system`)
    await run(`kubectl delete --ignore-not-found --wait=false -k deploy/overlays/own-image`)
    rmSync(folder, { recursive: true })
  })

  it("has no field that kubectl still owns, and keeps what the chart does not have", async () => {
    const owners = async (what: string) =>
      (await get(what))["metadata"].managedFields
        .filter(({ subresource }: Json) => subresource === undefined)
        .map(({ manager }: Json) => manager)
    for (const what of [
      `deployment ${name}`,
      `service ${name}`,
      `poddisruptionbudget ${name}`,
      `clusterrole ${name}`,
      `validatingadmissionpolicy ${name}-new-jobs`,
      `customresourcedefinition kafkabackups.${name}.oso.sh`
    ])
      assert.notInclude(await owners(what), "kubectl", what)
    const [container] = (await get(`deployment ${name}`))["spec"].template.spec.containers
    assert.notInclude(
      container.env.map((variable: Json) => variable["name"]),
      "IMAGE_OF_JOBS"
    )
    const { labels } = (await get(`namespace ${name}-system`))["metadata"]
    assert.strictEqual(labels["pod-security.kubernetes.io/enforce"], "restricted")
    assert.deepStrictEqual(await images(), imagesOf("0.1.0"))
  })

  it("is upgraded by the guide's command to a version that changes the image, the definitions and the rights", async () => {
    const edit = (file: string, from: string, to: string) => {
      const text = readFileSync(join(chart, file), "utf8")
      assert.include(text, from)
      writeFileSync(join(chart, file), text.replaceAll(from, to))
    }
    edit("charts/kafka-backup-crds/files/crds/kafkabackup.yaml", "- name: Schedule\n", "- name: Timetable\n")
    edit("files/cluster-role.yaml", "verbs: [get, list, watch]", "verbs: [get, list]")
    await succeed(`${upgrade} --set image.tag=0.2.0 --set podDisruptionBudget.maxUnavailable=2`)
    assert.deepStrictEqual(await images(), imagesOf("0.2.0"))
    assert.strictEqual((await get(`poddisruptionbudget ${name}`))["spec"].maxUnavailable, 2)
  })

  it("needs --force-conflicts, as the guide says, after somebody has set a field with kubectl", async () => {
    await succeed(
      `kubectl --namespace ${name}-system set image deployment/${name} operator=registry.example.com/other:1`
    )
    const { code, stderr } = await run(`${upgrade} --set image.tag=0.3.0`)
    assert.notStrictEqual(code, 0)
    assert.include(stderr, "conflict")
    await succeed(`${upgrade} --set image.tag=0.3.0 --force-conflicts`)
    assert.deepStrictEqual(await images(), imagesOf("0.3.0"))
  })
})
