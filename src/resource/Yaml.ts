import { Result } from "effect"
import { Composer, type CST, type Document, Lexer, type LineCounter, type ParsedNode, Parser } from "yaml"

/*
 * YAML whose cost is bounded before it is paid: a file of three megabytes can hold a million open brackets, which take
 * the parser gigabytes.
 */

/** Most blocks and lists inside one another. The deepest field of a KafkaBackup lies below 20. */
export const maxDepth = 100

/**
 * Most pieces of text (blanks, marks, values). A manifest with the longest lists of topics, each on its own line, has
 * half of that.
 */
export const maxTokens = 250_000

/**
 * All documents of `text`, each with its own errors;
 * a sentence if the text is nested too deep or has too many entries.
 */
export const documents = (
  text: string,
  lines: LineCounter
): Result.Result<ReadonlyArray<Document.Parsed<ParsedNode>>, string> => {
  const parser = new Parser(lines.addNewLine)
  const tokens: Array<CST.Token> = []
  lines.addNewLine(0)
  let count = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > maxTokens) {
      return Result.fail(`the manifest has too many entries: at most ${maxTokens} values, marks and line breaks`)
    }
    for (const token of parser.next(lexeme)) tokens.push(token)
    if (parser.stack.length > maxDepth) {
      return Result.fail(`the manifest is nested too deep: at most ${maxDepth} blocks and lists inside one another`)
    }
  }
  for (const token of parser.end()) tokens.push(token)
  return Result.succeed([
    ...new Composer<ParsedNode>({ lineCounter: lines, prettyErrors: false, merge: true }).compose(tokens)
  ])
}
