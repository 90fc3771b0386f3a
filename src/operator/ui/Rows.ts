import type { Source } from "../Watched.ts"
import type { Key } from "../InformerCache.ts"
import { worstFirst } from "../../status/Answer.ts"
import * as View from "../../status/View.ts"

/** What of the resources is asked for. Empty texts ask for all. */
export interface Filter {
  /** In the namespace or the name. */
  readonly text: string
  readonly namespace: string
  readonly word: string
}

/** Kinds of which not everything is known: their caches are not full, or the API server does not give them. */
export const unread = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources.filter(({ resources }) => !resources.isSynced()).map(({ kind }) => kind)

export interface Rows {
  /** The rows of all resources, in the order of the page: kinds as they come, then the worst, then names. */
  readonly of: (sources: ReadonlyArray<Source>) => ReadonlyArray<View.Row>
}

/**
 * Keeps the row of each resource for as long as its version stays: reading a thousand statuses takes a second, and a
 * page is read twice a minute by whoever has it open.
 */
export const make = (): Rows => {
  let known = new Map<string, { readonly version: string | undefined; readonly row: View.Row }>()
  return {
    of: (sources) => {
      const present: typeof known = new Map()
      const rows = sources.flatMap(({ kind, resources }) => {
        const found = [...resources.keys()].flatMap((key: Key) => {
          const id = `${kind} ${key}`
          const version = resources.versionOf(key)
          const before = known.get(id)
          if (before !== undefined && before.version !== undefined && before.version === version) {
            present.set(id, before)
            return [before.row]
          }
          const resource = resources.get(key)
          const view = resource === undefined ? undefined : View.of({ ...resource, kind })
          if (view === undefined) return []
          const row = View.row(view)
          present.set(id, { version, row })
          return [row]
        })
        return found.toSorted(worstFirst)
      })
      known = present
      return rows
    }
  }
}

export const matching = (rows: ReadonlyArray<View.Row>, { namespace, text, word }: Filter): ReadonlyArray<View.Row> => {
  const wanted = text.toLowerCase()
  return rows.filter(
    (row) =>
      (namespace === "" || row.namespace === namespace) &&
      (word === "" || row.verdict.word === word) &&
      (wanted === "" || `${row.namespace}/${row.name}`.toLowerCase().includes(wanted))
  )
}
