/** A family of a page in Prometheus' text format. */
export interface ExposedFamily {
  readonly help: string
  readonly type: string
  readonly labels: Set<string>
  samples: number
}

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
const label = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"`
const number = String.raw`[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN`
const sample = new RegExp(`^(${name})(?:\\{(${label}(?:,${label})*)\\})? (${number})$`, "u")

const suffixes: Readonly<Record<string, RegExp>> = {
  counter: /^$/u,
  gauge: /^$/u,
  histogram: /^(_bucket|_sum|_count)$/u
}

/**
 * Reads a page strictly as the format's description has it (version 0.0.4): one block for each family, HELP and TYPE
 * first, no sample twice, histograms with ascending buckets up to +Inf. Throws on anything else.
 */
export const exposition = (text: string): ReadonlyMap<string, ExposedFamily> => {
  const families = new Map<string, ExposedFamily>()
  const seen = new Set<string>()
  const buckets = new Map<string, { le: number; count: number }>()
  let current: { name: string; family: ExposedFamily } | undefined
  let help: { name: string; text: string } | undefined
  if (!text.endsWith("\n")) throw new Error("the last line has no end")
  for (const line of text.slice(0, -1).split("\n")) {
    const refuse = (why: string) => new Error(`${why}: ${line}`)
    const [, keyword, of = "", rest = ""] = new RegExp(`^# (HELP|TYPE) (${name}) (.+)$`, "u").exec(line) ?? []
    if (keyword === "HELP") {
      if (families.has(of)) throw refuse("a family in two places")
      help = { name: of, text: rest }
    } else if (keyword === "TYPE") {
      if (help?.name !== of || suffixes[rest] === undefined) throw refuse("TYPE without its HELP, or unknown")
      current = { name: of, family: { help: help.text, type: rest, labels: new Set(), samples: 0 } }
      families.set(of, current.family)
    } else {
      const match = sample.exec(line)
      if (match === null || current === undefined) throw refuse("not a sample")
      const [whole, full = "", labels = ""] = match
      if (!full.startsWith(current.name) || !suffixes[current.family.type]!.test(full.slice(current.name.length))) {
        throw refuse(`not a sample of ${current.name}`)
      }
      const identity = `${full}{${labels}}`
      if (seen.has(identity)) throw refuse("a series twice")
      seen.add(identity)
      const value = Number(whole.slice(whole.lastIndexOf(" ") + 1))
      if (current.family.type === "counter" && !(value >= 0)) throw refuse("a counter below 0")
      const pairs = [...labels.matchAll(new RegExp(label, "gu"))].map(([, key = "", text = ""]) => [key, text] as const)
      if (full.endsWith("_bucket")) {
        const rest = pairs.filter(([key]) => key !== "le").join()
        const le = Number(pairs.find(([key]) => key === "le")?.[1]?.replace("+Inf", "Infinity"))
        const before = buckets.get(current.name + rest)
        if (Number.isNaN(le)) throw refuse("a bucket without bound")
        if (before !== undefined && (before.le >= le || before.count > value)) throw refuse("buckets out of order")
        buckets.set(current.name + rest, { le, count: value })
      }
      for (const [key] of pairs) if (key !== "le") current.family.labels.add(key)
      current.family.samples++
    }
  }
  for (const [series, { le }] of buckets) if (le !== Infinity) throw new Error(`${series} has no bucket +Inf`)
  return families
}
