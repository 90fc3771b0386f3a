import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Cache from "./services/Cache.ts"

/*
 * npm run chart             writes what the Helm chart has from elsewhere: version, definitions, rights, policy, alerts
 * npm run chart -- --check  checks that all of it is up to date; exits with 1 if something is not
 *
 * Helm reads nothing outside of a chart's folder, and `helm install deploy/helm/kafka-backup-operator` has to work from
 * a clone: so these are copies in git.
 */

const chart = "deploy/helm/kafka-backup-operator"
const definitions = `${chart}/charts/kafka-backup-crds`

/** Copies by the folder that they are in. */
const copies: Readonly<Record<string, ReadonlyArray<string>>> = {
  [`${chart}/files`]: [
    "deploy/overlays/cluster-wide/cluster-role.yaml",
    "deploy/base/election-role.yaml",
    "deploy/base/admission-policy.yaml",
    "deploy/components/strimzi/strimzi-role.yaml",
    "deploy/monitoring/prometheus-rule.yaml",
    "deploy/monitoring/dashboard.json"
  ],
  [`${definitions}/files`]: [
    "deploy/base/user-roles.yaml",
    "deploy/overlays/cluster-wide/cluster-role.yaml",
    "deploy/base/election-role.yaml",
    "deploy/components/strimzi/strimzi-role.yaml"
  ],
  [`${definitions}/files/crds`]: readdirSync(join(Cache.root, "crds"))
    .filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml")
    .map((name) => `crds/${name}`)
}

const read = (file: string): string => readFileSync(join(Cache.root, file), "utf8")

/** With a word about where it is from, in a file that may have comments. */
const copyOf = (source: string): string =>
  source.endsWith(".yaml") ? `# Copied from ${source} by "npm run chart". Do not edit.\n${read(source)}` : read(source)

/** The chart's description with the version of package.json, wherever it has one. */
const versioned = (file: string, version: string): string =>
  read(file)
    .replaceAll(/^( *version:) .*$/gmu, `$1 ${version}`)
    .replace(/^appVersion: .*$/mu, `appVersion: "${version}"`)

const { version } = JSON.parse(read("package.json")) as { readonly version: string }
const wanted = new Map<string, string>([
  ...[chart, definitions].map(
    (folder) => [`${folder}/Chart.yaml`, versioned(`${folder}/Chart.yaml`, version)] as const
  ),
  ...Object.entries(copies).flatMap(([folder, sources]) =>
    sources
      // The only one that need not be there.
      .filter((source) => !source.endsWith("dashboard.json") || existsSync(join(Cache.root, source)))
      .map((source) => [`${folder}/${source.slice(source.lastIndexOf("/") + 1)}`, copyOf(source)] as const)
  )
])

const present = Object.keys(copies).flatMap((folder) =>
  existsSync(join(Cache.root, folder))
    ? readdirSync(join(Cache.root, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => `${folder}/${name}`)
    : []
)
const stale = present.filter((file) => !wanted.has(file))
const changed = [...wanted].filter(([file, text]) => !existsSync(join(Cache.root, file)) || read(file) !== text)

if (process.argv.includes("--check")) {
  for (const file of [...stale, ...changed.map(([name]) => name)]) {
    console.error(`${file} does not match what it is made of: run \`npm run chart\` and commit the result`)
    process.exitCode = 1
  }
} else {
  for (const file of stale) rmSync(join(Cache.root, file))
  for (const [file, text] of changed) {
    mkdirSync(dirname(join(Cache.root, file)), { recursive: true })
    writeFileSync(join(Cache.root, file), text)
  }
}
