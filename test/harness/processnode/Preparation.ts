import { join } from "node:path"
import type { ApiClient, Json } from "./ApiClient.ts"
import { expanded } from "./Expansion.ts"
import { type Mapping, translated, withParents } from "./Paths.ts"
import { Unavailable } from "./Unavailable.ts"
import * as Variables from "./Variables.ts"

/** What there is to make a process of a container. */
export interface Means {
  readonly client: ApiClient
  readonly images: ReadonlyMap<string, ReadonlyArray<string>>
  /** The pod's own. */
  readonly folder: string
  readonly podIP: string
  readonly messageFile: string
  readonly mounted: ReadonlyArray<Mapping>
}

/** A process that can be started. */
export interface Prepared {
  readonly argv: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly mappings: ReadonlyArray<Mapping>
}

/** Throws Unavailable while the image or a variable that must be there is missing. */
export const of = async (means: Means, pod: Json, container: Json): Promise<Prepared> => {
  const { client, folder, images, messageFile, mounted, podIP } = means
  const { args = [], command, image, terminationMessagePath = "/dev/termination-log", workingDir } = container
  const program = images.get(image)
  if (program === undefined) throw Unavailable.image(image)
  const values = await Variables.of(client, pod, podIP, container)
  const mappings = [...withParents(mounted), { containerPath: terminationMessagePath, hostPath: messageFile }]
  const local = (text: string) => translated(expanded(text, values), mappings)
  const temporary = translated("/tmp", mappings)
  return {
    argv: [...(command === undefined ? program : command.map(local)), ...args.map(local)],
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      HOSTNAME: pod["metadata"].name,
      TMPDIR: temporary === "/tmp" ? join(folder, "tmp") : temporary,
      ...Object.fromEntries([...values].map(([name, value]) => [name, translated(value, mappings)]))
    },
    cwd: workingDir === undefined ? folder : translated(workingDir, mappings),
    mappings
  }
}
