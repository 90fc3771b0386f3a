import { deflateSync, inflateSync } from "node:zlib"
import { Result } from "effect"
import * as ManifestParser from "../resource/ManifestParser.ts"
import { longestField, maxLength, RunSpecTooLarge, RunSpecUnreadable } from "./RunSpec.ts"

/* JSON as the value of an environment variable of a pod: printable ASCII without `$`, which Kubernetes would expand. */

/** Longest text after inflation, in bytes: no resource that an API server accepts is longer. */
const maxInflated = 2 * ManifestParser.maxTextLength

/** `front` names what it is, and the version of the encoding. Of `spec` a refusal names the longest field. */
export const encode = (front: string, content: unknown, spec: object): Result.Result<string, RunSpecTooLarge> => {
  const text = front + deflateSync(JSON.stringify(content)).toString("base64")
  return text.length <= maxLength
    ? Result.succeed(text)
    : Result.fail(new RunSpecTooLarge({ length: text.length, limit: maxLength, longest: longestField({ ...spec }) }))
}

/** Reads what `encode` wrote with this front. Total: fails on everything else. */
export const decode = (front: string, text: string): Result.Result<unknown, RunSpecUnreadable> => {
  const refuse = (detail: string) => new RunSpecUnreadable({ detail })
  if (!text.startsWith(front)) return Result.fail(refuse(`it does not begin with ${front}`))
  return Result.try({
    try: (): unknown =>
      JSON.parse(
        inflateSync(Buffer.from(text.slice(front.length), "base64"), { maxOutputLength: maxInflated }).toString("utf8")
      ),
    catch: () => refuse("its content is damaged or cut off")
  })
}
