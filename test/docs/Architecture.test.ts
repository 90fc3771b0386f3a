import { assert, describe, it } from "@effect/vitest"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { exists, filesBelow, folders, pathIn, quotedIn, read, rooms, root, rowsIn, section } from "./repository.ts"

/** What is read here of the rules that `npm run check` applies. */
interface Boundaries {
  readonly forbidden: ReadonlyArray<{ readonly name: string; readonly to: { readonly pathNot?: unknown } }>
}
const rulesFile = pathToFileURL(join(root, ".dependency-cruiser.mjs")).href
const { default: boundaries } = (await import(rulesFile)) as { readonly default: Boundaries }

const pages = [
  "docs/architecture.md",
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...filesBelow("docs/guides", ".md"),
  ...filesBelow("docs/adr", ".md"),
  ...filesBelow("src", "README.md")
].filter((page) => existsSync(join(root, page)))

describe("the documentation", () => {
  it("names only files and folders that exist", () => {
    const named = pages.flatMap((page) => quotedIn(read(page)).flatMap((quoted) => [{ page, path: pathIn(quoted) }]))
    const paths = named.flatMap(({ page, path }) => (path === undefined ? [] : [{ page, path }]))
    assert.isAbove(paths.length, 100)
    assert.deepStrictEqual(
      paths.filter(({ path }) => !exists(path)).map(({ page, path }) => `${page}: ${path}`),
      []
    )
  })

  it("links only to files and folders that exist", () => {
    const links = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => ({ page, target: target! }))
    )
    assert.isAbove(links.length, 50)
    assert.deepStrictEqual(
      links
        .filter(({ page, target }) => !existsSync(join(root, dirname(page), target)))
        .map(({ page, target }) => `${page}: ${target}`),
      []
    )
  })

  it("is told apart from paths that are none", () => {
    const none = [
      "roles/storage.objectUser",
      "/metrics",
      "secrets/<name>/<key>",
      "kubernetes.io/tls",
      "*/15",
      "a",
      "src/xyz"
    ]
    assert.deepStrictEqual(
      none.map(pathIn),
      none.map(() => undefined)
    )
    assert.strictEqual(pathIn("worker/Memory"), "worker/Memory")
    assert.isTrue(exists("worker/Memory"))
    assert.isTrue(exists("cloud/Remote.ts"))
    assert.isFalse(exists("worker/Memories"))
    assert.isFalse(exists("src/plan"))
  })
})

describe("a decision in docs/adr", () => {
  it.each(filesBelow("docs/adr", ".md"))("has the number of its file, a date and a status: %s", (file) => {
    const text = read(file)
    const number = Number(/\/(\d{4})-/.exec(file)?.[1])
    assert.match(text, new RegExp(`^# ${number}\\. \\S`))
    assert.match(text, /^Date: 20\d\d-\d\d-\d\d\b/m)
    assert.match(text, /\bStatus: (accepted|superseded by ADR \d+)\b/)
  })
})

describe("docs/architecture.md", () => {
  const page = read("docs/architecture.md")
  const table = rowsIn(section(page, "Rooms")).map(([room = "", , imports = ""]) => ({
    room: room.replaceAll(/[`/]/g, ""),
    imports: imports === "nothing" ? [] : [...imports.matchAll(/`(\w+)`/g)].map(([, name]) => name!)
  }))

  it("has a row for every room of src, and for no other", () => {
    assert.deepStrictEqual(table.map(({ room }) => room).toSorted(), rooms)
  })

  it("allows each room the imports that npm run check allows it", () => {
    const rules = boundaries.forbidden.flatMap(({ name, to }) => {
      const room = /^may-import-(\w+)$/.exec(name)?.[1]
      const allowed = /^\^src\/\(([\w|]+)\)\/$/.exec(typeof to.pathNot === "string" ? to.pathNot : "")
      return room === undefined
        ? []
        : [
            [
              room,
              allowed![1]!
                .split("|")
                .filter((each) => each !== room)
                .toSorted()
            ] as const
          ]
    })
    assert.isAbove(rules.length, 15)
    const rows = new Map(table.map(({ imports, room }) => [room, imports.toSorted()]))
    assert.deepStrictEqual(
      rules.map(([room]) => [room, rows.get(room)]),
      rules.map(([room, allowed]) => [room, allowed])
    )
  })

  it("lists for the files beside the rooms what they import", () => {
    for (const file of ["Operator.ts", "Worker.ts", "RestoreWorker.ts"]) {
      const imported = [...read(`src/${file}`).matchAll(/from "\.\/(\w+)\//g)].map(([, room]) => room!)
      const row = table.find(({ room }) => room === file)
      assert.deepStrictEqual(row?.imports.toSorted(), [...new Set(imported)].toSorted(), file)
    }
  })

  it("has a row for every folder inside a room, and for no other", () => {
    const listed = rowsIn(section(page, "Folders inside the rooms")).map(([folder = ""]) => folder.replaceAll("`", ""))
    assert.deepStrictEqual(
      listed.toSorted(),
      folders.filter((folder) => folder.includes("/")).map((folder) => `${folder}/`)
    )
  })

  it.each(folders)("%s/ says in its README what it is for and what it may import", (folder) => {
    const readme = read(`src/${folder}/README.md`)
    assert.isAbove(readme.split("\n\n")[1]?.length ?? 0, 30)
    assert.match(readme, /\b(may|imports)\b/i)
  })

  it("lists each room below those that it imports", () => {
    const order = table.map(({ room }) => room)
    const early = table.flatMap(({ imports, room }) =>
      // The demo, a folder of cli, and testing may use each other's neighbours; `npm run check` has their rules.
      room === "cli" || room === "testing"
        ? []
        : imports.filter((used) => order.indexOf(used) > order.indexOf(room)).map((used) => `${room} is above ${used}`)
    )
    assert.deepStrictEqual(early, [])
  })

  it.each([
    "The walk of a record",
    "The walk of a KafkaBackup",
    "The walk of a restored record",
    "The walk of a KafkaRestore"
  ])("names a file and a function of it at each step: %s", (walk) => {
    const steps = rowsIn(section(page, walk))
    assert.isAbove(steps.length, 15)
    steps.forEach(([number, step, file = "", functions = ""], index) => {
      assert.strictEqual(number, String(index + 1))
      const source = read(`src/${file.replaceAll("`", "")}`)
      const names = quotedIn(functions)
      assert.isAbove(names.length, 0, step)
      const defined = (name: string) =>
        new RegExp(`\\b(const ${name} =|interface ${name}\\b|type ${name}\\b|${name}[:(]|${name},)`)
      for (const name of names) assert.match(source, defined(name), `${step}: ${file} has no ${name}`)
    })
    const files = steps.map(([, , file]) => file)
    assert.strictEqual(new Set(files).size, files.length, "no step goes back to a file")
  })

  it("shows what is not obvious by tests that exist", () => {
    const tests = filesBelow("test", ".test.ts").flatMap((file) => read(file).split("\n"))
    const shown = rowsIn(section(page, "Not obvious")).flatMap(([holds, , by = ""]) =>
      quotedIn(by).map((quoted) => ({ holds, quoted }))
    )
    assert.isAbove(shown.length, 12)
    // Some titles begin or end with what differs from case to case.
    const isTest = (name: string) => tests.some((line) => line.includes(name) && !/^ *(\*|\/\/)/.test(line))
    assert.deepStrictEqual(
      shown.filter(({ quoted }) => (pathIn(quoted) === undefined ? !isTest(quoted) : !exists(pathIn(quoted)!))),
      []
    )
  })
})
