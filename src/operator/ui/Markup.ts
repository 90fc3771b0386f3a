/** Text that is HTML already. Only `html` makes it, so whatever else goes into a page is escaped. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a template. Nothing is written for `undefined`. */
export type Piece = Markup | string | number | undefined | ReadonlyArray<Piece>

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;"
}

/** The text as it stands in an element or in a quoted attribute. Characters that HTML forbids are replaced. */
export const escaped = (text: string): string =>
  text
    .replaceAll(/[&<>"'`]/g, (character) => entities[character]!)
    // oxlint-disable-next-line no-control-regex -- they are what is replaced
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, "\ufffd")
    .toWellFormed()

const written = (piece: Piece): string =>
  piece === undefined
    ? ""
    : piece instanceof Markup
      ? piece.text
      : typeof piece === "object"
        ? piece.map(written).join("")
        : escaped(String(piece))

/** A template of HTML. Attributes in it are always in double quotes: a value cannot end one. */
export const html = (strings: TemplateStringsArray, ...pieces: ReadonlyArray<Piece>): Markup =>
  new Markup(strings.map((text, n) => text + written(pieces[n])).join(""))
