import type { Series } from "./OperatorProcess.ts"

/*
 * Requests to the API server and reconciles, as the operator's own metrics count them.
 */

const family = /^kafka_backup_operator_api_requests_total\{(.*)\}$/

/** `create jobs 201` */
const words = (series: string): string | undefined => {
  const labels = family.exec(series)?.[1]
  if (labels === undefined) return undefined
  const label = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? ""
  return `${label("verb")} ${label("kind")} ${label("code")}`
}

/** Requests that were made between two readings, by verb, kind and status. */
export const between = (before: Series, after: Series): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...after].flatMap(([series, value]) => {
      const request = words(series)
      const more = value - (before.get(series) ?? 0)
      return request === undefined || more === 0 ? [] : [[request, more] as const]
    })
  )

export const isRead = (request: string): boolean => /^(get|list) /.test(request)

export const isWrite = (request: string): boolean => !/^(get|list|watch) /.test(request)

export const count = (requests: Readonly<Record<string, number>>, isMeant: (request: string) => boolean): number =>
  Object.entries(requests).reduce((sum, [request, more]) => (isMeant(request) ? sum + more : sum), 0)

const sumOf = (series: Series, isMeant: (name: string) => boolean): number =>
  [...series].reduce((sum, [name, value]) => (isMeant(name) ? sum + value : sum), 0)

/** All requests so far. */
export const total = (series: Series): number => sumOf(series, (name) => family.test(name))

/** Looks at resources so far. */
export const reconciles = (series: Series): number =>
  sumOf(series, (name) => name.startsWith("kafka_backup_operator_reconciles_total"))
