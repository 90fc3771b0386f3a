import { Context, Effect, FileSystem, Layer, Path, Redacted } from "effect"
import { SecretError } from "./SecretError.ts"
import * as Word from "./Word.ts"

/** Values of Secrets as mounted in a pod: one file per key, read again by each call, so that rotation is noticed. */
export class Secrets extends Context.Service<
  Secrets,
  {
    /** The value with its line breaks: for PEM and JSON. */
    readonly text: (secret: string, key: string) => Effect.Effect<Redacted.Redacted, SecretError>
    /**
     * The value without one trailing line break, which editors and `echo` add: for user names and passwords. Fails for
     * any other line break, for NUL, and for characters outside the alphabet.
     */
    readonly word: (
      secret: string,
      key: string,
      alphabet?: Word.Alphabet
    ) => Effect.Effect<Redacted.Redacted, SecretError>
    /** True if the file of the key exists. */
    readonly has: (secret: string, key: string) => Effect.Effect<boolean, SecretError>
  }
>()("kafka-backup/secrets/Secrets") {}

/** Kubernetes' rules for Secret names and keys, so that no name leads outside the folder. */
const isName = (name: string) => /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) && !name.includes("..")
const isKey = (key: string) => /^[-._a-zA-Z0-9]+$/.test(key) && !key.startsWith("..")

/**
 * Secrets below `directory`: `{directory}/{secret name}/{key}`. Without it every read fails and names the missing
 * option.
 */
export const layer = (directory: string | undefined) =>
  Layer.effect(
    Secrets,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path

      const file = (secret: string, key: string) => {
        const refuse = (detail: string) => Effect.fail(new SecretError({ secret, key, detail }))
        if (directory === undefined) {
          return refuse("no directory of Secrets is given; use --secrets DIR with a file DIR/<secret>/<key>")
        }
        if (!isName(secret) || !isKey(key)) return refuse("not a valid Secret name and key")
        return Effect.succeed(path.join(directory, secret, key))
      }

      const text = Effect.fnUntraced(function* (secret: string, key: string) {
        const name = yield* file(secret, key)
        const value = yield* fs.readFileString(name).pipe(
          Effect.mapError((error) => {
            const why = error.reason._tag === "NotFound" ? "there is no file" : `${error.reason._tag} for file`
            return new SecretError({ secret, key, detail: `${why} ${name}` })
          })
        )
        if (value.trim() === "") return yield* new SecretError({ secret, key, detail: `file ${name} is empty` })
        return Redacted.make(value)
      })

      return Secrets.of({
        text,
        word: (secret, key, alphabet = "text") =>
          Effect.flatMap(text(secret, key), (value) => Word.of(secret, key, value, alphabet)),
        has: (secret, key) =>
          Effect.flatMap(file(secret, key), (name) => Effect.catch(fs.exists(name), () => Effect.succeed(false)))
      })
    })
  )
