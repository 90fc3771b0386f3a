import { spawn } from "node:child_process"
import { describe, it } from "vitest"
import * as Tools from "../../scripts/services/Tools.ts"
import * as Answer from "./Answer.ts"
import { areRequired } from "./services.ts"

/** `describe` for tests that run a program of others; skipped visibly without it, or failed where services must be. */
export const describeWithTools = (needs: ReadonlyArray<Tools.Tool>, name: string, tests: () => void): void => {
  const missing = needs.filter((tool) => !Tools.isInstalled(tool))
  if (missing.length === 0) describe(name, tests)
  else if (areRequired) {
    describe(name, () => {
      it(`has ${missing.join(" and ")}`, () => {
        throw new Error(`missing programs are not accepted here: ${missing.join(", ")} (npm run services -- install)`)
      })
    })
  } else {
    describe.skip(`${name} (skipped: ${missing.join(", ")} not installed)`, () => {
      it("needs its programs", () => {})
    })
  }
}

/** Runs one to its end. */
export const run = (
  tool: Tools.Tool,
  args: ReadonlyArray<string>,
  { cwd, input = "" }: { readonly cwd?: string; readonly input?: string } = {}
): Promise<Answer.Answer> => Answer.of(spawn(Tools.program(tool), args, cwd === undefined ? {} : { cwd }), input)
