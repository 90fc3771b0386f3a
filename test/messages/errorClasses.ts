/** An error class whose field `reason` is one of several errors. */
export interface ErrorClass {
  readonly name: string
  readonly members: ReadonlyArray<string>
}

/** The error classes of a file that have a union of reasons, written out or under a name of the same file. */
export const errorClasses = (source: string): ReadonlyArray<ErrorClass> =>
  source.split(/^(?=export class )/m).flatMap((text) => {
    const [head = ""] = text.split(/^\}\) \{/m)
    const name = /^export class (\w+) extends Schema\.TaggedError/.exec(head)?.[1]
    const reason = /^ +reason: (Schema\.Union\(\[[^\]]*\]\)|[A-Z]\w+)/m.exec(head)?.[1]
    if (name === undefined || reason === undefined) return []
    const union = reason.startsWith("Schema.") ? reason : definition(source, reason)
    return union === undefined ? [] : [{ name, members: union.replace("Schema.Union", "").match(/\w+/g) ?? [] }]
  })

const definition = (source: string, name: string): string | undefined =>
  new RegExp(`const ${name} = (Schema\\.Union\\(\\[[^\\]]*\\]\\))`).exec(source)?.[1]
