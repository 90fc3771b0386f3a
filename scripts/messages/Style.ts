import type { Message } from "./Extraction.ts"

/** What a machine can check of the way in which messages are written; CONTRIBUTING.md has the rest. */
export interface Rule {
  readonly name: string
  /** What to write instead. */
  readonly remedy: (message: Message) => string
  readonly isBroken: (message: Message) => boolean
}

/** Words and turns that readers had to read twice, and what to write instead. */
const unwanted: ReadonlyArray<readonly [pattern: RegExp, instead: string]> = [
  [/\b(tell|tells|told)\b/i, "report, say"],
  [/\b(hear|hears|heard)\b/i, "learn, observe"],
  [/\b(sight|wish|wishes|lane|chore|grave)\b/i, "the usual word of Kubernetes"],
  [/\b(a|one|the next|each|every) look\b|\blooks? at (a|the|one) (resource|KafkaBackup)|\blooks at\b/i, "reconcile"],
  [/\bgets? on\b|\bgot on\b/i, "is stuck"],
  [/\bcomes? so far|\bcame so far|\bgot so far/i, "not checked yet, got that far"],
  [/\bby turns\b/i, "alternately"],
  [/\btill\b/i, "until"],
  [/\bno word why|\bword why\b/i, "no reason was reported"],
  [/\bto know\b/i, "Note: …; No warnings."],
  [/\bsays? of\b/i, "says about"],
  [/\bof (our|its) own\b: please|\bfor a reason of our/i, "internal error (please report it)"],
  [/\bspeaks? no version\b/i, "no common version of X (broker: a-b, supported: c-d)"],
  [/\breached it until\b/i, "Last reached at T by <backup id>."],
  [/\bthe one (backup|run)\b/i, "the one-time backup"],
  [/\b(is|was|are|were) memory\b/i, "is kept"],
  [/\bof which\b|\bas it stands\b/i, "a sentence of its own"]
]

const unwantedOf = ({ fixed }: Message) => unwanted.find(([pattern]) => pattern.test(fixed))

const mostCharacters = 300

/** Of a page: what a person reads of it. */
const withoutTags = (fixed: string): string =>
  /<[a-z]/i.test(fixed) ? fixed.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ") : fixed

/** Their messages are joined with others: `message; advice`. Those of conditions and Events are sentences. */
const isJoined = ({ file, slot }: Message): boolean =>
  ["advice", "detail", "message"].includes(slot) && !file.startsWith("src/status/")

export const rules: ReadonlyArray<Rule> = [
  {
    name: "first person",
    remedy: () => "name who acts: the operator, the run, the broker, the store",
    isBroken: ({ fixed }) => /\b([Ww]e|[Uu]s|[Oo]urs?)\b(?!-)/.test(fixed)
  },
  {
    name: "unwanted words",
    remedy: (message) => unwantedOf(message)?.[1] ?? "",
    isBroken: (message) => unwantedOf(message) !== undefined
  },
  {
    name: "too long",
    remedy: () => `say it in at most ${mostCharacters} characters, without what is filled in`,
    isBroken: ({ fixed }) => withoutTags(fixed).length > mostCharacters
  },
  { name: "double space", remedy: () => "one space", isBroken: ({ shown }) => /\S {2,}\S/.test(shown) },
  {
    name: "full stop",
    remedy: () => "no full stop at the end of message, detail and advice: they are joined with others",
    isBroken: (message) => isJoined(message) && /[^.]\.$/.test(message.shown)
  },
  {
    name: "no sentence",
    remedy: () => "meanings and what to do begin with a capital and end with a full stop",
    isBroken: ({ shown, slot }) => ["meaning", "todo"].includes(slot) && !isSentence(shown)
  }
]

/** Begins with a capital or a name in backquotes, and ends as a sentence does. */
export const isSentence = (text: string): boolean => /^[A-Z`][^]*[.?]$/.test(text)

/** For each rule and file, how many messages break the rule; without those that none breaks. */
export type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>

export const counts = (messages: ReadonlyArray<Message>): Counts =>
  Object.fromEntries(
    rules.map(({ isBroken, name }) => {
      const files = messages.filter(isBroken).map(({ file }) => file)
      const grouped = [...new Set(files)].map((file) => [file, files.filter((each) => each === file).length] as const)
      return [name, Object.fromEntries(grouped)]
    })
  )
