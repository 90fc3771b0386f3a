import * as Problem from "../resource/Problem.ts"

/** What the reader of the converted manifest should know. */
export interface Note {
  /** Where it stood in the manifest that was converted. */
  readonly field: string
  readonly message: string
  /** The converted manifest does something else until a person has decided. */
  readonly isDecision: boolean
}

type Json = Readonly<Record<string, unknown>>

/** True for a block of fields. */
export const isBlock = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A block that is being converted; it remembers what was read. */
export interface Block {
  readonly path: string
  /** The value of a field; undefined where it is absent or null. */
  readonly take: (name: string) => unknown
  /** The block in a field; undefined where there is none. */
  readonly block: (name: string) => Block | undefined
  /** Says what became of a field. */
  readonly note: (name: string, message: string) => void
  /** Says what a person has to decide about a field. */
  readonly decide: (name: string, message: string) => void
  /** Names all fields that nobody read; they are left out. */
  readonly end: () => void
}

/** Opens `value`; what is to be said goes to `notes`. Anything but a block is opened as an empty one, and named. */
export const open = (value: unknown, path: string, notes: Array<Note>): Block => {
  const read = new Set<string>()
  const fields: Json = isBlock(value) ? value : {}
  const say = (name: string, message: string, isDecision: boolean) =>
    void notes.push({ field: name === "" ? path : Problem.named(path, name), message, isDecision })
  const take = (name: string): unknown => {
    read.add(name)
    return fields[name] ?? undefined
  }
  if (value !== undefined && !isBlock(value)) say("", "is not a block of fields: it was left out", true)
  return {
    path,
    take,
    block: (name) => {
      const inner = take(name)
      return inner === undefined ? undefined : open(inner, Problem.named(path, name), notes)
    },
    note: (name, message) => say(name, message, false),
    decide: (name, message) => say(name, message, true),
    end: () => {
      for (const name of Object.keys(fields).filter((one) => !read.has(one))) {
        say(
          Problem.escaped(name),
          "is no field of OSO's operator that convert knows, so it was left out: write it again if this operator has it",
          true
        )
      }
    }
  }
}

/** Without the fields that are undefined; undefined where none is left. */
export const compact = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined => {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined)
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** Fields that both operators have with the same meaning. */
export const same = (block: Block, ...names: ReadonlyArray<string>): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, block.take(name)]))

/** Fields without a counterpart: named where they are set to something else than `usual`. */
export const without = (block: Block, why: Readonly<Record<string, readonly [message: string, usual?: unknown]>>) => {
  for (const [name, [message, usual]] of Object.entries(why)) {
    const value = block.take(name)
    if (value !== undefined && value !== usual) block.note(name, message)
  }
}
