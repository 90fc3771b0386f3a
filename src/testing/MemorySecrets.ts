import { Context, Effect, Layer, Redacted } from "effect"
import { Secrets } from "../secrets/MountedSecrets.ts"
import { SecretError } from "../secrets/SecretError.ts"
import * as Word from "../secrets/Word.ts"

/** Secrets in memory, as the pods of a test see them. */
export class MemorySecrets extends Context.Service<
  MemorySecrets,
  {
    /** Creates or replaces the Secret. */
    readonly put: (name: string, values: Readonly<Record<string, string>>) => Effect.Effect<void>
    readonly remove: (name: string) => Effect.Effect<void>
  }
>()("kafka-backup/testing/MemorySecrets") {
  /** Also provides the `Secrets` that reads them. */
  static readonly layer: Layer.Layer<MemorySecrets | Secrets> = Layer.effectContext(
    Effect.sync(() => {
      const secrets = new Map<string, Readonly<Record<string, string>>>()
      const text = (secret: string, key: string) =>
        Effect.suspend(() => {
          const value = secrets.get(secret)?.[key]
          return value === undefined || value.trim() === ""
            ? Effect.fail(
                new SecretError({
                  secret,
                  key,
                  detail: value === undefined ? "the Secret has no such key" : "the value is empty"
                })
              )
            : Effect.succeed(Redacted.make(value))
        })
      return Context.make(MemorySecrets, {
        put: (name, values) => Effect.sync(() => void secrets.set(name, values)),
        remove: (name) => Effect.sync(() => void secrets.delete(name))
      }).pipe(
        Context.add(Secrets, {
          text,
          word: (secret, key, alphabet = "text") =>
            Effect.flatMap(text(secret, key), (value) => Word.of(secret, key, value, alphabet)),
          has: (secret, key) => Effect.sync(() => secrets.get(secret)?.[key] !== undefined)
        })
      )
    })
  )
}
