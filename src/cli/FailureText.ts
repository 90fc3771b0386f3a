import type { Explained, Problem } from "../worker/Explanation.ts"

/** Why a command failed, as people read it on standard error, and as programs read it on standard output. Pure. */

const withReason = ({ message, reason }: Problem): string => (reason === undefined ? message : `${reason}: ${message}`)

/** Problems under the advice that they share, in the order in which they were found. */
const advised = (problems: ReadonlyArray<Problem>): ReadonlyArray<string> =>
  [...Map.groupBy(problems, ({ advice }) => advice)].flatMap(([advice, some]) => [
    ...some.map((problem) => `  ${withReason(problem)}`),
    `    what to do: ${advice}`
  ])

/** For people: the reason beside each message, and what to do. A list has one line for each problem. */
export const text = ({ advice, headline, message, problems = [], reason }: Explained): string =>
  headline === undefined || problems.some((problem) => problem.advice === undefined)
    ? [`error: ${withReason({ reason, message })}`, `what to do: ${advice}`].join("\n")
    : [`error: ${withReason({ reason, message: headline })}`, ...advised(problems)].join("\n")

/** The same facts for programs. */
export const facts = ({ advice, exitCode, isRetryable, message, problems, reason }: Explained) => ({
  exitCode,
  error: { reason, message, advice, isRetryable, ...(problems === undefined ? {} : { problems }) }
})

/** A whole answer in JSON that is a failure. `more` is what is known beside it. */
export const json = (explained: Explained, more: object = {}): string =>
  JSON.stringify({ ...more, ...facts(explained) }, null, 2)
