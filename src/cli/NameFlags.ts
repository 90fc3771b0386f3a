import { Flag } from "effect/cli"

/*
 * Names that an unset variable must not turn into something else: `--watch-namespace "$NAMESPACE"` with nothing in it
 * would be an operator of all namespaces.
 */

/** A namespace's name, as Kubernetes takes it (RFC 1123 label). */
export const namespaceName = Flag.filter(
  (text: string) => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/u.test(text),
  () => "the name of a namespace: at most 63 lower-case letters, digits and -, and not empty"
)

/** Any text with something in it, and without spaces. */
export const oneWord = (what: string) =>
  Flag.filter(
    (text: string) => /^\S+$/u.test(text),
    () => `${what}, not empty and without spaces`
  )
