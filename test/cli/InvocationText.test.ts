import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { layer, type } from "./terminal.ts"

const seeHelp = (command: string) => `what to do: see kafka-backup${command} --help\n`

describe("a wrong command line is answered in one line for each mistake", () => {
  it.live.each([
    [
      ["prune", "-f", "x", "--max-age", "30"],
      'error: --max-age must be a duration in hours or days, such as 720h, 30d or 1d12h (got "30")\n',
      " prune"
    ],
    [["prune", "-f", "x", "--keep", "x"], 'error: --keep must be a whole number (got "x")\n', " prune"],
    [["list", "-f", "x", "-o", "yaml"], 'error: --output must be text or json (got "yaml")\n', " list"],
    [["prune", "-f", "x", "--keep"], "error: --keep has no value: write --keep N\n", " prune"],
    [["prune", "-f", "x", "--keeep", "3"], "error: there is no flag --keeep; did you mean --keep?\n", " prune"],
    [["prune", "--dry-run"], "error: the flag --file is missing\n", " prune"],
    [["describe", "-f", "x"], "error: the argument BACKUP_ID is missing\n", " describe"],
    [["prun", "-f", "x", "--dry-run"], "error: there is no command prun; did you mean run or prune?\n", ""]
  ] as const)("%j", ([args, error, command]) =>
    Effect.gen(function* () {
      const { err, exitCode, out } = yield* type(...args)
      assert.deepStrictEqual([exitCode, out, err], [2, "", `${error}${seeHelp(command)}`])
    }).pipe(Effect.provide(layer))
  )
})
