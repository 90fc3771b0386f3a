import { Effect } from "effect"

/** A service for users without Effect: every Effect becomes a method that returns a promise. */
export type Promised<T> = {
  readonly [K in keyof T]: T[K] extends Effect.Effect<infer A, infer _E, never>
    ? () => Promise<A>
    : T[K] extends (...args: infer Args) => Effect.Effect<infer A, infer _E, never>
      ? (...args: Args) => Promise<A>
      : T[K]
}

/** Runs every Effect of `service` with `run`. Other values and methods stay unchanged. */
export const of = <T extends object>(
  service: T,
  run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
): Promised<T> => {
  const promised = (value: unknown): unknown => {
    if (Effect.isEffect(value)) return () => run(value as Effect.Effect<unknown, unknown>)
    if (typeof value !== "function") return value
    return (...args: ReadonlyArray<unknown>) => {
      const result: unknown = (value as (...args: ReadonlyArray<unknown>) => unknown)(...args)
      return Effect.isEffect(result) ? run(result as Effect.Effect<unknown, unknown>) : result
    }
  }
  return Object.fromEntries(Object.entries(service).map(([name, value]) => [name, promised(value)])) as Promised<T>
}
