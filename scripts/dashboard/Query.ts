import { families, type FamilyName, type LabelsOf, prefix } from "../../src/telemetry/OperatorFamilies.ts"

/*
 * Expressions over the operator's metrics. A family or a label that does not exist does not compile. Only the leader
 * has series of resources, and after a change of leaders two replicas may have some for a moment: so everything is
 * aggregated, and nothing is selected by pod.
 */

/** A label's value, as a regular expression. */
type Matchers<N extends FamilyName> = Readonly<Partial<Record<keyof LabelsOf<N>, string>>>

/** The labels of one resource. */
export const resource = "resource_namespace, name"

/** How a series of one resource is called in a legend. */
export const named = "{{resource_namespace}}/{{name}}"

/** The family's series of the chosen namespaces and resources; all of them where it has no such labels. */
export const of = <N extends FamilyName>(
  name: N,
  matchers?: Matchers<N>,
  suffix: "" | "_bucket" | "_count" | "_sum" = ""
): string => {
  const labels: ReadonlyArray<string> = families[name].labels
  const chosen = labels.includes("resource_namespace")
    ? { resource_namespace: "$namespace", name: "$resource", ...matchers }
    : matchers
  const pairs = Object.entries<string | undefined>(chosen ?? {}).map(([label, value]) => `${label}=~"${value ?? ""}"`)
  return `${prefix}${name}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(", ")}}`}`
}

/** Series of two families at once: `or` would drop the second one's of each resource that the first one has. */
export const either = (one: FamilyName, other: FamilyName): string =>
  `{__name__=~"${prefix}(${one}|${other})", resource_namespace=~"$namespace", name=~"$resource"}`

/** One value for each resource. */
export const each = (name: FamilyName): string => `max by (${resource}) (${of(name)})`

/** Seconds since an instant, for each resource. */
export const since = (name: FamilyName): string => `time() - ${each(name)}`

/** How many resources the expression has; 0 where it has none. */
export const count = (expression: string): string => `count(${expression}) or vector(0)`

/** What a counter gained in the window. */
export const gained = <N extends FamilyName>(
  name: N,
  by: ReadonlyArray<keyof LabelsOf<N> & string>,
  window: string,
  matchers?: Matchers<N>
): string => `sum by (${by.join(", ")}) (increase(${of(name, matchers)}[${window}]))`

/**
 * What a counter gained in the window whose series begin with their first count: those of reasons, and those of
 * resources that are done within seconds. `increase` does not see that count; so the last value counts, less the one
 * that the series had before the window.
 */
export const counted = <N extends FamilyName>(
  name: N,
  by: ReadonlyArray<keyof LabelsOf<N> & string>,
  window: string
): string => {
  const last = `last_over_time(${of(name)}[${window}])`
  return `sum by (${by.join(", ")}) (clamp_min(${last} - (${of(name)} offset ${window} or ${last} * 0), 0))`
}

/** Events a second. */
export const rate = <N extends FamilyName>(
  name: N,
  by: ReadonlyArray<keyof LabelsOf<N> & string>,
  matchers?: Matchers<N>
): string => `sum by (${by.join(", ")}) (rate(${of(name, matchers)}[$__rate_interval]))`

/** A quantile of a histogram over the window. */
export const quantile = <N extends FamilyName>(
  share: number,
  name: N,
  by: ReadonlyArray<keyof LabelsOf<N> & string>,
  window: string,
  matchers?: Matchers<N>
): string =>
  `histogram_quantile(${share}, sum by (${["le", ...by].join(", ")}) (rate(${of(name, matchers, "_bucket")}[${window}])))`
