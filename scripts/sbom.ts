import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/*
 * npm run -s sbom > kafka-backup.cdx.json
 *
 * What dist/ and the image consist of, as CycloneDX 1.5: the packages that the build put in (dist/LICENSES.txt names
 * them), and Node.js. The list of npm holds much more, for example the libraries of other processors. Run
 * `npm run build` before.
 */

interface Component {
  readonly "bom-ref": string
  readonly name: string
  readonly version: string
}
interface Bom {
  readonly metadata: { readonly component: Component }
  readonly components: ReadonlyArray<Component>
  readonly dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn?: ReadonlyArray<string> }>
}

const root = fileURLToPath(new URL("..", import.meta.url))
const licences = `${root}/dist/LICENSES.txt`
if (!existsSync(licences)) {
  console.error("dist/LICENSES.txt is missing: run `npm run build` first")
  process.exit(1)
}
/** `name version (licence)` or `name version` begins the text of each package. */
const heads = readFileSync(licences, "utf8")
  .split(`\n\n${"-".repeat(80)}\n\n`)
  .map((text) => /^(\S+) (\S+)/.exec(text))
const shipped = new Set(heads.map((head) => (head === null ? "" : `${head[1]}@${head[2]}`)))

const options = ["--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=application"]
const all = JSON.parse(
  execFileSync("npm", ["sbom", ...options], { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 })
) as Bom

const isShipped = ({ name, version }: Component) => name === "node" || shipped.has(`${name}@${version}`)
const components = all.components.filter(isShipped)
const product = all.metadata.component
const refs = new Set([product["bom-ref"], ...components.map((one) => one["bom-ref"])])
const absent = [...shipped].filter((one) => !components.some(({ name, version }) => `${name}@${version}` === one))
if (absent.length > 0)
  throw new Error(`dist/ holds packages that package-lock.json does not name: ${absent.join(", ")}`)

const bom = {
  ...all,
  metadata: { ...all.metadata, component: { ...product, name: "kafka-backup" } },
  components,
  dependencies: all.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ dependsOn = [], ref }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }))
}
console.log(JSON.stringify(bom, undefined, 2))
