import type { Result } from "effect"
import type { KubernetesReason } from "../KubernetesError.ts"

/** The result of a request. */
export type Outcome<A> = Result.Result<A, KubernetesReason>

/** The part of an object that a request is about; `undefined` for the object itself. */
export type Subresource = "status" | undefined
