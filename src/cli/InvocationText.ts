import type { CliError } from "effect/cli"

/** What is wrong with a command line, one line for each mistake, in the words that manifests have. Pure. */
export const lines = (errors: ReadonlyArray<CliError.CliError>): ReadonlyArray<string> => {
  // The flags of a command that does not exist are unknown by themselves, and no mistake of their own.
  const isNoCommand = errors.some(({ _tag }) => _tag === "UnknownSubcommand")
  return errors.filter(({ _tag }) => !(isNoCommand && _tag === "UnrecognizedOption")).map(line)
}

const line = (error: CliError.CliError): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `there is no flag ${error.option}${meant(error.suggestions)}`
    case "UnknownSubcommand":
      return `there is no command ${error.subcommand}${meant(error.suggestions)}`
    case "MissingOption":
      return `the flag --${error.option} is missing`
    case "MissingArgument":
      return `the argument ${error.argument} is missing`
    case "InvalidValue": {
      const name = error.kind === "flag" ? `--${error.option}` : error.option
      const expected = expectation(error.expected)
      if (error.kind === "flag" && error.value === "") {
        return `${name} has no value: ${isPlaceholder(error.expected) ? `write ${name} ${error.expected}` : `it ${expected}`}`
      }
      return `${name} ${expected} (got ${JSON.stringify(error.value)})`
    }
    default:
      return error.message
  }
}

const isPlaceholder = (expected: string): boolean => /^[A-Z]+$/u.test(expected)

const meant = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "" : `; did you mean ${suggestions.join(" or ")}?`

/** Our own rules begin with "must"; the library names a type, a list of words, or the placeholder of the help. */
const expectation = (expected: string): string => {
  const what = expected.replace(/^Expected:? /u, "")
  if (what.startsWith("must ")) return what
  if (/representing a finite number|^an integer/u.test(what)) return "must be a whole number"
  return `must be ${what.replaceAll('"', "").replaceAll(" | ", " or ")}`
}
