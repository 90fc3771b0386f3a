import { spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, beforeEach, it } from "vitest"
import { OwnControlPlane } from "../e2e/OwnControlPlane.ts"
import * as Answer from "../harness/Answer.ts"
import * as Helm from "../harness/Helm.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { chart, definitionsChart } from "./chart.ts"
import { chartCopy } from "./chartCopies.ts"
import { root } from "./manifests.ts"
import { StartedOperator } from "./startedOperator.ts"

const theirs = join(root, "test", "deploy", "foreign-definitions.yaml")
const ours = join(root, "crds")
/** One of them, which is refused or taken as all are: each costs the API server seconds. */
const one = join(ours, "kafkarestore.yaml")
const upgrade = readFileSync(join(root, "docs", "guides", "upgrade.md"), "utf8")
const migrate = readFileSync(join(root, "docs", "guides", "migrate.md"), "utf8")

/** A control plane of its own: what is tried here takes the definitions away from everybody. */
describeWith("controlPlane", "a cluster with another operator's definitions of the same names", () => {
  let plane: OwnControlPlane
  const kubectl = (...args: ReadonlyArray<string>) => Kubectl.succeed(plane.apiserver, args)
  const names = ["kafkabackups", "kafkarestores", "kafkaoffsetresets", "kafkaoffsetrollbacks"]
  const crds = names.map((name) => `crd/${name}.kafka.oso.sh`)

  /**
   * Takes all definitions away. While the server remakes the storage of a definition that was just changed it cannot
   * empty it, and then waits for minutes, unless the definition changes: so it is changed until it is gone.
   */
  const forget = async () => {
    await kubectl("delete", ...crds, "--ignore-not-found", "--wait=false")
    for (let tries = 0; tries < 120; tries++) {
      const left = (await kubectl("get", "crd", "--output=name")).split("\n").filter((name) => name !== "")
      if (left.length === 0) return
      await new Promise((resolve) => setTimeout(resolve, 500))
      await Kubectl.run(plane.apiserver, ["annotate", ...left, `tried=${tries}`, "--overwrite"])
    }
    throw new Error("the definitions of the test before are still there")
  }

  /** Whose definition the server has, by a field that resources of the other operator have not. */
  const whose = async (): Promise<"theirs" | "ours"> => {
    const found = await kubectl("get", "crd", "kafkarestores.kafka.oso.sh", "--output=json")
    const { spec } = JSON.parse(found).spec.versions[0].schema.openAPIV3Schema.properties
    return "targetCluster" in spec.properties ? "ours" : "theirs"
  }

  /** The guide's line that is to be run before an installation. */
  const look = async (): Promise<string> => {
    const [, template = ""] = /^ *kubectl get crd -o jsonpath='(.+)'/mu.exec(migrate) ?? []
    return kubectl("get", "crd", "-o", `jsonpath=${template}`)
  }

  beforeAll(async () => void (plane = await OwnControlPlane.start()))
  afterAll(() => plane?.stop())
  beforeEach(() => forget())

  it("is told by the guide's one line from one where the names are free", async () => {
    assert.strictEqual(await look(), "")
    await kubectl("create", "-f", theirs)
    assert.strictEqual(await look(), "kafkabackups.kafka.oso.sh \nkafkarestores.kafka.oso.sh \n")
  })

  it.each([
    ["the chart", chart],
    ["the chart of the definitions", definitionsChart]
  ])("is left alone by helm install of %s", async (_, folder) => {
    await kubectl("create", "-f", theirs)
    const install = ["install", "kafka-backup", folder, "--namespace=kafka-backup-system", "--create-namespace"]
    const { code, stderr } = await Helm.run(plane.apiserver, install)
    assert.notStrictEqual(code, 0)
    assert.include(stderr, "exists and cannot be imported into the current release: invalid ownership metadata")
    assert.strictEqual(await whose(), "theirs")
    // Nothing of the release is left either.
    assert.strictEqual(await kubectl("get", "deployments", "--all-namespaces", "--output=name"), "")
  })

  it("is left alone by kubectl apply --server-side where Helm or a program made them", async () => {
    await kubectl("create", "-f", theirs, "--field-manager=helm")
    const { code, stderr } = await Kubectl.run(plane.apiserver, ["apply", "--server-side", "-f", one])
    assert.notStrictEqual(code, 0)
    assert.match(stderr, /Apply failed with \d+ conflicts?: conflicts? with "helm"/u)
    assert.strictEqual(await whose(), "theirs")
  })

  it.each([
    ["kubectl apply", ["apply"]],
    ["kubectl apply --server-side", ["apply", "--server-side"]]
  ])("is overwritten by kubectl apply --server-side without a word where %s made them", async (_, how) => {
    await kubectl(...how, "-f", theirs)
    await kubectl("apply", "--server-side", "-f", one)
    assert.strictEqual(await whose(), "ours")
  })

  it("is removed by the guide's commands, each definition with its resources and finalizers", async () => {
    await kubectl("create", "-f", theirs)
    const another = JSON.parse(await kubectl("get", "crd", "kafkarestores.kafka.oso.sh", "--output=json"))
    const { group, scope, versions } = another.spec
    const names = { kind: "KafkaOffsetReset", plural: "kafkaoffsetresets", singular: "kafkaoffsetreset" }
    const metadata = { name: "kafkaoffsetresets.kafka.oso.sh" }
    const reset = {
      apiVersion: another.apiVersion,
      kind: another.kind,
      metadata,
      spec: { group, scope, versions, names }
    }
    await Kubectl.succeed(plane.apiserver, ["create", "-f", "-"], JSON.stringify(reset))
    await Kubectl.established(plane.apiserver, "crd/kafkabackups.kafka.oso.sh", "crd/kafkaoffsetresets.kafka.oso.sh")
    const backup = {
      apiVersion: "kafka.oso.sh/v1alpha1",
      kind: "KafkaBackup",
      metadata: { name: "orders", namespace: "default", finalizers: ["kafka.oso.sh/finalizer"] },
      spec: { kafkaCluster: { bootstrapServers: ["kafka:9092"] }, topics: ["orders"], storage: {} }
    }
    await Kubectl.succeed(plane.apiserver, ["create", "-f", "-"], JSON.stringify(backup))
    const [, block = ""] = /^ {3}(for each in [\s\S]*?^ {3}done)$/mu.exec(migrate) ?? []
    const { kubeconfig, kubectl: program } = plane.apiserver
    const env = { ...process.env, KUBECONFIG: kubeconfig, PATH: `${dirname(program)}:${process.env["PATH"]}` }
    const { code, stderr, stdout } = await Answer.of(spawn("sh", ["-ec", block], { env }), "")
    assert.strictEqual(code, 0, stderr + stdout)
    assert.match(stdout, /^default +orders /mu)
    assert.strictEqual(await look(), "")
  })

  it("keeps the operator from its work, which begins when the definitions are there, without a right on them", async () => {
    await kubectl("create", "-f", theirs)
    const operator = await StartedOperator.make(plane.apiserver)
    try {
      const lacks = await operator.readiness((text) => text.includes("kafkabackups.kafka.oso.sh lacks"))
      assert.include(lacks, "kafkabackups.kafka.oso.sh lacks spec.")
      assert.include(lacks, "kafkaoffsetresets.kafka.oso.sh is missing")
      assert.include(lacks, "docs/guides/migrate.md")
      await operator.says("would drop fields: kafkabackups.kafka.oso.sh lacks")
      await kubectl("apply", "--server-side", "--force-conflicts", "-k", ours)
      await operator.readiness((text) => text.includes("waiting for the caches"))
      const ofThisOperator = names.map((name) => `${name}.kafka.oso.sh ["kafka-backup"]`)
      assert.sameMembers((await look()).trim().split("\n"), ofThisOperator)
    } finally {
      await operator.stop()
    }
  })

  it("loses newer fields by helm rollback, and keeps them with the guide's way back", async () => {
    const [earlier, newer] = [chartCopy("earlier"), chartCopy("newer")]
    const release = "kafka-backup-operator"
    const helm = (...args: ReadonlyArray<string>) =>
      Helm.succeed(plane.apiserver, [...args, "--namespace=kafka-backup-system"])
    const version = async () => {
      const found = await kubectl("get", "crd", "kafkarestores.kafka.oso.sh", "--output=json")
      const { spec } = JSON.parse(found).spec.versions[0].schema.openAPIV3Schema.properties
      return "includeOriginalOffsetHeader" in spec.properties ? "newer" : "earlier"
    }
    /** A command of the guide, with charts in place of its words for them. */
    const written = (begin: string): ReadonlyArray<string> => {
      const [, line = ""] = new RegExp(`^helm (${begin}(?:.*\\\\\\n)*.*)$`, "mu").exec(upgrade) ?? []
      const words = line.split(/[\s\\]+/u)
      const charts = { "CHART-OF-THE-EARLIER-VERSION": earlier.folder, "CRDS-CHART-OF-THE-NEWER-VERSION": newer.crds }
      return words.map((word) => charts[word as keyof typeof charts] ?? word)
    }
    try {
      await helm("install", release, earlier.folder, "--create-namespace")
      await helm("upgrade", release, newer.folder)
      assert.strictEqual(await version(), "newer")
      await helm("rollback", release)
      assert.strictEqual(await version(), "earlier")
      await helm("upgrade", release, newer.folder)
      const roles = ["get", "clusterrole", "kafka-backup-view", "kafka-backup-edit", "--ignore-not-found", "-o", "name"]
      await Helm.succeed(plane.apiserver, written("upgrade kafka-backup-operator"))
      assert.deepStrictEqual([await version(), await kubectl(...roles)], ["newer", ""])
      await Helm.succeed(plane.apiserver, written("upgrade --install kafka-backup-crds"))
      assert.strictEqual(await version(), "newer")
      assert.lengthOf((await kubectl(...roles)).trim().split("\n"), 2)
    } finally {
      for (const { folder } of [earlier, newer]) rmSync(folder, { recursive: true })
    }
  })
})
