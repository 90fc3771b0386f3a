import { Context, Effect, FileSystem, Layer, Path, Redacted, Schema } from "effect"

/** A Secret's key that is not there or not usable. Never holds a value. */
export class SecretError extends Schema.TaggedError<SecretError>()("SecretError", {
  secret: Schema.String,
  key: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Secret ${this.secret}, key ${this.key}: ${this.detail}`
  }
}

/** Values of Secrets, as a pod would see them mounted: one file per key, read anew at each call so that rotation is seen. */
export class Secrets extends Context.Service<
  Secrets,
  {
    /** The value as it stands, line breaks included: for PEM and JSON. */
    readonly text: (secret: string, key: string) => Effect.Effect<Redacted.Redacted, SecretError>
    /** The value without one trailing line break, which editors and `echo` leave behind: for user names and passwords. */
    readonly word: (secret: string, key: string) => Effect.Effect<Redacted.Redacted, SecretError>
    /** True when the key's file is there. */
    readonly has: (secret: string, key: string) => Effect.Effect<boolean, SecretError>
  }
>()("kafka-backup/secrets/Secrets") {}

/** Kubernetes' rules for Secret names and keys; anything else cannot name a file outside its folder. */
const isName = (name: string) => /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) && !name.includes("..")
const isKey = (key: string) => /^[-._a-zA-Z0-9]+$/.test(key) && !key.startsWith("..")

/** Secrets below `directory`: `{directory}/{secret name}/{key}`. Without a directory every read says which option is missing. */
export const layer = (directory: string | undefined) =>
  Layer.effect(
    Secrets,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path

      const file = (secret: string, key: string) => {
        const refuse = (detail: string) => Effect.fail(new SecretError({ secret, key, detail }))
        if (directory === undefined) {
          return refuse("no directory of Secrets was given; use --secrets DIR, with a file DIR/<secret>/<key>")
        }
        if (!isName(secret) || !isKey(key)) return refuse("not a valid Secret name and key")
        return Effect.succeed(path.join(directory, secret, key))
      }

      const text = Effect.fnUntraced(function* (secret: string, key: string) {
        const name = yield* file(secret, key)
        const value = yield* fs.readFileString(name).pipe(
          Effect.mapError((error) => {
            const why = error.reason._tag === "NotFound" ? "there is no file" : `${error.reason._tag} on file`
            return new SecretError({ secret, key, detail: `${why} ${name}` })
          })
        )
        if (value.trim() === "") return yield* new SecretError({ secret, key, detail: `file ${name} is empty` })
        return Redacted.make(value)
      })

      return Secrets.of({
        text,
        word: (secret, key) =>
          Effect.map(text(secret, key), (value) => Redacted.make(Redacted.value(value).replace(/\r?\n$/, ""))),
        has: (secret, key) =>
          Effect.flatMap(file(secret, key), (name) => Effect.catch(fs.exists(name), () => Effect.succeed(false)))
      })
    })
  )
