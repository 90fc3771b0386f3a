import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { commandLinePage } from "../../scripts/CommandLineReference.ts"
import * as Catalogue from "../../scripts/messages/Catalogue.ts"
import * as Extraction from "../../scripts/messages/Extraction.ts"
import * as Page from "../../scripts/messages/Page.ts"
import * as Ratchet from "../../scripts/messages/Ratchet.ts"
import * as Style from "../../scripts/messages/Style.ts"
import { failureReasons } from "../../src/outcome/FailureReasons.ts"
import { runReasons } from "../../src/outcome/RunReasons.ts"
import { eventReasons } from "../../src/status/EventReasons.ts"
import { reasons, types } from "../../src/status/Reasons.ts"
import { errorClasses } from "./errorClasses.ts"
import { planted } from "./planted.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const { leftOut, messages } = Catalogue.of(root)
const explained = new Set(messages.flatMap((message) => message.reasons))
const source = (file: string) => readFileSync(`${root}/${file}`, "utf8")

if (process.env["KBO_PRINT"] === "1") {
  process.stdout.write(`${Page.page(messages)}\n${messages.length} messages, ${leftOut.length} texts left out\n`)
}

describe("the catalogue of messages", () => {
  const inPlanted = Extraction.of("src/payroll/Planted.ts", planted)

  it("finds each message of a file with what it belongs to, and nothing else", () => {
    assert.deepStrictEqual(
      inPlanted.messages.map(({ reasons, shown, slot }) => `${slot} [${reasons.join(" < ")}] ${shown}`),
      [
        "message [SalaryUnpaid] the salary of {this.worker} was not paid",
        "advice [SalaryUnpaid < PayrollError] pay it",
        "advice [BankClosed < VaultLocked < PayrollError] wait until {this.reason.opening}, then try again",
        "meaning [PaidInFull < in meanings] Everybody was paid.",
        "text [PaidInPart < in meanings] Somebody was not paid.",
        "text [exitCodes.broke < in explained] no money is left",
        "text [exitCodes.broke < in explained] earn some",
        "log [log warning < in pay] paying",
        "detail [BankClosed < in pay] the bank sleeps",
        "detail [BankClosed < in pay] closed",
        "advice [BankClosed < in pay] come tomorrow",
        'message [VaultLocked < in pay] vault {n === 1 ? "of one door" : "s"} locked',
        "part [VaultLocked < in pay] of one door",
        "help [--all < .all < command pay < in command] everybody",
        "help [command pay < in command] Pay salaries",
        "description [command pay < in command] pay everybody"
      ]
    )
  })

  it("names line and fixed text", () => {
    const [first] = inPlanted.messages
    assert.strictEqual(first?.line, 9)
    assert.strictEqual(first?.fixed, "the salary of   was not paid")
  })

  it("leaves out examples of commands and the words of types, and shows them apart", () => {
    assert.deepStrictEqual(
      inPlanted.leftOut.map(({ shown }) => shown),
      ["payroll pay --all", "not yet open"]
    )
  })

  it("reads every file of src", () => {
    assert.isAbove(Catalogue.sources(root).length, 300)
    assert.isAbove(messages.length, 1500)
    const rooms = new Set(messages.map(({ file }) => Catalogue.roomOf(file)))
    assert.includeMembers([...rooms], ["backup", "cli", "kafka", "operator", "outcome", "status", "storage", "worker"])
  })

  it("has every line of src that gives a message of three words in quotes", () => {
    // Found by another way than the parser's: a property of a literal on one line, as most are written.
    const known = new Set(messages.map(({ file, fixed }) => `${file}: ${fixed}`))
    const found = Catalogue.sources(root).flatMap((file) =>
      [
        ...source(file).matchAll(
          /^(?! *(?:\*|\/\/)).*\b(?:detail|advice|message|meaning|todo|description): "([^"\s]+ [^"\s]+ [^"\n]*)"/gm
        )
      ].map(([, text]) => `${file}: ${text}`)
    )
    assert.isAbove(found.length, 200)
    assert.deepStrictEqual(
      found.filter((each) => !known.has(each)),
      []
    )
  })

  it("leaves out nothing that reads like a sentence for people", () => {
    const sentences = leftOut.filter(({ shown }) => /^[A-Za-z]+( [A-Za-z]+){3}/.test(shown))
    assert.deepStrictEqual(
      sentences.filter(({ shown }) => !shown.startsWith("kafka-backup ")),
      []
    )
  })
})

describe("in the catalogue of messages", () => {
  const unexplained = (names: ReadonlyArray<string>) => names.filter((name) => !explained.has(name))

  it("every reason of a failure has its message", () => {
    assert.deepStrictEqual(unexplained(failureReasons), [])
  })

  it("every reason of a run has its message", () => {
    assert.deepStrictEqual(unexplained(Object.keys(runReasons)), [])
  })

  it("every condition and every reason of one has its message", () => {
    assert.deepStrictEqual(unexplained([...Object.keys(types), ...Object.keys(reasons)]), [])
  })

  it("every reason of an Event has its message", () => {
    assert.deepStrictEqual(unexplained(Object.keys(eventReasons)), [])
  })

  it("every error with reasons has a message for each of them, or one of its own", () => {
    const errors = Catalogue.sources(root).flatMap((file) => errorClasses(source(file)))
    assert.includeMembers(
      errors.map(({ name }) => name),
      ["CatalogueError", "KafkaError", "KubernetesError", "ObjectStoreError", "RunError", "SegmentError", "WorkerError"]
    )
    const silent = errors.flatMap(({ members, name }) => (explained.has(name) ? [] : unexplained(members)))
    assert.deepStrictEqual(silent, [])
    for (const { members, name } of errors) assert.isBelow(unexplained(members).length, members.length, name)
  })

  it.effect("every command has its help", () =>
    Effect.map(commandLinePage, (page) => {
      const commands = [...page.matchAll(/^## (?:kafka-backup )?([a-z]+)$/gm)].map(([, name]) => `command ${name}`)
      assert.isAbove(commands.length, 8)
      assert.deepStrictEqual(unexplained(commands), [])
    })
  )
})

describe("the style of messages", () => {
  const allowed = JSON.parse(source(Ratchet.path)) as Style.Counts
  const differences = Ratchet.differences(Style.counts(messages), allowed)

  it("is kept, but for the exceptions of test/messages/exceptions.json", () => {
    const grown = differences.filter(({ actual, allowed }) => actual > allowed)
    const report = grown.flatMap(({ actual, allowed, file, rule }) => {
      const broken = Style.rules
        .filter(({ name }) => name === rule)
        .flatMap(({ isBroken, remedy }) =>
          messages
            .filter((message) => message.file === file && isBroken(message))
            .map((message) => `${Page.line(message)}\n     instead: ${remedy(message)}`)
        )
      return [`${file}: ${actual} break "${rule}", ${allowed} may`, ...broken]
    })
    assert.strictEqual(report.join("\n"), "")
  })

  it("needs every exception that it allows", () => {
    const shrunk = differences.filter(({ actual, allowed }) => actual < allowed)
    const report = shrunk.map(Ratchet.shrunkLine)
    assert.strictEqual(
      report.length === 0 ? "" : `npm run messages -- --tighten, or by hand:\n${report.join("\n")}`,
      ""
    )
  })

  it("has an exception for no rule that does not exist", () => {
    assert.deepStrictEqual(
      Object.keys(allowed),
      Style.rules.map(({ name }) => name)
    )
  })

  it("makes a sentence of the meaning of every reason of a run", () => {
    const fragments = Object.entries(runReasons).filter(([, { meaning }]) => !Style.isSentence(meaning))
    assert.deepStrictEqual(fragments, [])
  })

  it("is broken by each of these", () => {
    const breaking = (shown: string, slot = "message", file = "src/worker/A.ts") =>
      Style.rules
        .filter(({ isBroken }) => isBroken({ file, slot, shown, fixed: shown, line: 1, reasons: [] }))
        .map((rule) => rule.name)
    assert.deepStrictEqual(breaking("the broker refused our password"), ["first person"])
    assert.deepStrictEqual(breaking("We wait"), ["first person"])
    assert.deepStrictEqual(breaking("bucket us-east-1"), [])
    assert.deepStrictEqual(breaking("what was stored is memory"), ["unwanted words"])
    assert.deepStrictEqual(breaking("pod a-1 left no word why"), ["unwanted words"])
    assert.deepStrictEqual(breaking("look at the pod's log"), [])
    assert.deepStrictEqual(breaking("x".repeat(301)), ["too long"])
    assert.deepStrictEqual(breaking(`<p class="${"x".repeat(300)}">it failed</p>`), [])
    assert.deepStrictEqual(breaking(`<p>${"x".repeat(301)}</p>`), ["too long"])
    assert.deepStrictEqual(breaking("two  spaces"), ["double space"])
    assert.deepStrictEqual(breaking("it failed."), ["full stop"])
    assert.deepStrictEqual(breaking("It failed.", "message", "src/status/A.ts"), [])
    assert.deepStrictEqual(breaking("it failed.", "log"), [])
    assert.deepStrictEqual(breaking("a run failed", "meaning"), ["no sentence"])
  })

  it("lets the exceptions only shrink", () => {
    const before = { "full stop": { "src/a.ts": 3, "src/b.ts": 1 } }
    const after = { "full stop": { "src/a.ts": 2, "src/c.ts": 5 } }
    assert.deepStrictEqual(Ratchet.tightened(after, before), { "full stop": { "src/a.ts": 2 } })
    assert.deepStrictEqual(Ratchet.differences(after, before).map(Ratchet.shrunkLine), [
      'test/messages/exceptions.json, "full stop": write "src/a.ts": 2 instead of 3',
      'test/messages/exceptions.json, "full stop": delete the line "src/b.ts"',
      'test/messages/exceptions.json, "full stop": write "src/c.ts": 5 instead of 0'
    ])
  })
})
