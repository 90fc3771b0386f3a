import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/**
 * Longest prefix, in characters. Object keys end at 1024 bytes in S3, GCS and Azure; below the prefix come the backup's
 * id (216), a topic (249) and partition, segment and attempt (about 90), which leaves room for 400 with a reserve.
 */
export const maxPrefixLength = 400

/** Rules for a slash-separated path that becomes part of object keys or of a path in a volume. */
const pathRules = (what: string): ReadonlyArray<Rule.Rule<string>> => [
  Rule.avoids("[\\x00-\\x1f\\x7f]", `${what} must not contain control characters such as line breaks or tabs`),
  Rule.rule<string>({
    cel: "!self.contains('\\\\')",
    message: `${what} is separated by '/', not by '\\'`,
    holds: (self) => !self.includes("\\")
  }),
  Rule.rule<string>({
    cel: "!self.startsWith('/')",
    message: `${what} must not start with '/': write production/hourly, not /production/hourly`,
    holds: (self) => !self.startsWith("/")
  }),
  Rule.rule<string>({
    cel: "self.startsWith('/') || !self.contains('//')",
    message: `${what} must not contain '//': an empty part cannot be addressed everywhere`,
    holds: (self) => self.startsWith("/") || !self.includes("//")
  }),
  Rule.avoids("(^|/)[.]{1,2}(/|$)", `${what} must not contain '.' or '..' as a part`),
  Rule.avoids("%(2[eEfF]|5[cC]|00)", `${what} must not contain percent-encoded dots, slashes, backslashes or NUL`)
]

/** Prefix of all object keys. A trailing slash is the same as none; the empty string is the same as no prefix. */
export const ObjectPrefix = (description: string) =>
  Field.text({ description, maxLength: maxPrefixLength, rules: pathRules("the prefix") })

/** Path below the root of a volume. */
export const VolumePath = (description: string) =>
  Field.text({ description, maxLength: maxPrefixLength, rules: pathRules("the path") })

/** The prefix as it goes into keys: without a trailing slash; `undefined` when there is none. */
export const normalized = (prefix: string | undefined): string | undefined => {
  const bare = prefix?.replace(/\/$/, "")
  return bare === "" ? undefined : bare
}
