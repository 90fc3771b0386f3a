import { read } from "./repository.ts"

/** A block of commands of a guide: ` ```sh step=name `. */
export interface Step {
  readonly name: string
  readonly commands: string
}

/** The blocks of commands of a page, in their order; one without a name is called ``. */
export const steps = (page: string): ReadonlyArray<Step> =>
  [...read(page).matchAll(/^```sh(?: step=([\w-]+))?\n([\s\S]*?)^```$/gmu)].map(([, name = "", commands = ""]) => ({
    name,
    commands
  }))

export const quickStart = "docs/guides/quick-start.md"

/** Steps of the quick start that no test executes, and why. */
export const leftOut: Readonly<Record<string, string>> = {
  cluster: "needs kind and a container runtime: a control plane without containers stands in for it",
  build: "needs minutes: test/deploy/Image.test.ts builds an image in this way",
  load: "needs kind: processes of this checkout stand in for containers of the image",
  strimzi: "needs the internet, and nodes that run containers: definitions and a test stand in for Strimzi",
  produce: "needs a shell in Strimzi's container: Kafka's own client writes the records",
  consume: "needs a shell in Strimzi's container: Kafka's own client reads the records",
  away: "needs kind"
}
