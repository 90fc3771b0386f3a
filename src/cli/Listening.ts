import { Effect } from "effect"
import type { HttpServerError } from "effect/http"
import { UsageError } from "./UsageError.ts"

/** Says which option names an address that cannot be used, and why. */
export const orRefused =
  (address: { readonly host: string | undefined; readonly port: number }) =>
  <A, E, R>(
    serving: Effect.Effect<A, E | HttpServerError.ServeError, R>
  ): Effect.Effect<A, Exclude<E, HttpServerError.ServeError> | UsageError, R> =>
    Effect.catchIf(serving, isServeError, ({ cause }) =>
      Effect.fail(
        new UsageError({
          detail: `--listen: cannot listen on ${address.host ?? ""}:${address.port} (${cause instanceof Error ? cause.message : String(cause)})`,
          advice: "give an address of this machine and a free port, such as --listen 127.0.0.1:9090"
        })
      )
    ) as Effect.Effect<A, Exclude<E, HttpServerError.ServeError> | UsageError, R>

const isServeError = (error: unknown): error is HttpServerError.ServeError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ServeError"
