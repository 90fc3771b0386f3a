import type * as Verifications from "../manifest/Verification.ts"
import type { InMemoryKubernetesShape } from "../kubernetes/InMemoryKubernetes.ts"
import type { InMemoryStore } from "../storage/InMemoryObjectStore.ts"
import type { Kubectl } from "./Kubectl.ts"
import type { MemorySecrets } from "./MemorySecrets.ts"
import type { Promised } from "./Promised.ts"

/** The parts of a `TestOperator`, with promises. */

export interface TestKubectl extends Omit<Promised<Kubectl>, "in"> {
  readonly in: (namespace: string) => TestKubectl
}

export type TestSecrets = Promised<MemorySecrets["Service"]>

export type TestApi = Promised<Pick<InMemoryKubernetesShape, "disturb" | "calm" | "calls">>

export type TestNode = Promised<InMemoryKubernetesShape["node"]>

export type TestStorage = Promised<InMemoryStore>

export type Verification = Verifications.Verification
