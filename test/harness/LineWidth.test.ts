import { assert, describe, it } from "@effect/vitest"
import { longLines } from "../../scripts/LineWidth.ts"

const words = (width: number) => "x".repeat(width)

describe("the width of lines", () => {
  it("is measured in comments, and not in code", () => {
    const text = [`// ${words(117)}`, `// ${words(118)}`, `  * ${words(118)}`, `const a = "${words(200)}"`].join("\n")
    assert.deepStrictEqual(longLines("a.ts", text), [
      { line: 2, width: 121 },
      { line: 3, width: 122 }
    ])
  })

  it("is measured in the prose of pages, and not in tables and code", () => {
    const text = [words(121), `| ${words(200)} |`, "```sh", words(200), "```", words(130)].join("\n")
    assert.deepStrictEqual(longLines("docs/a.md", text), [
      { line: 1, width: 121 },
      { line: 6, width: 130 }
    ])
  })

  it("is counted in characters, without the targets of links", () => {
    const link = `[text](${words(200)}) and https://example.com/${words(200)}`
    assert.deepStrictEqual(longLines("docs/a.md", `${"…".repeat(120)}\n${link}`), [])
  })

  it("does not matter in generated pages", () => {
    assert.deepStrictEqual(longLines("docs/a.md", `<!-- Made by a script -->\n${words(200)}`), [])
  })
})
