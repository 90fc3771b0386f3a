/*
 * The one thing that we take from the client library. This file is imported when needed; because it names what it takes, the
 * classes generated for every kind of the API, most of the library by far, stay out of the bundle.
 */
import { dirname, resolve } from "node:path"
import { KubeConfig as Library } from "@kubernetes/client-node"
import { parse, stringify } from "yaml"

type ReadOptions = Parameters<Library["loadFromString"]>[1]

interface NamedUser {
  readonly user?: { readonly token?: string; readonly tokenFile?: string; readonly "auth-provider"?: unknown }
}

/** The library knows a token's file by the name of its own provider, and not by kubectl's `tokenFile`; that file is read again and again. */
const known = (named: NamedUser, folder: string): NamedUser => {
  const { token, tokenFile } = named.user ?? {}
  // As kubectl reads it, the file comes before the token beside it.
  if (tokenFile === undefined || tokenFile === "") return named
  const { token: _, tokenFile: __, ...rest } = { token, tokenFile, ...named.user }
  const provider = { name: "tokenFile", config: { tokenFile: resolve(folder, tokenFile) } }
  return { ...named, user: { ...rest, "auth-provider": provider } }
}

export class KubeConfig extends Library {
  #folder = "."

  override loadFromFile(file: string, options?: ReadOptions): void {
    this.#folder = dirname(file)
    super.loadFromFile(file, options)
  }

  override loadFromString(text: string, options?: ReadOptions): void {
    const config = parse(text) as { readonly users?: ReadonlyArray<NamedUser> } | null
    const users = config?.users
    const hasFile = Array.isArray(users) && users.some((one: NamedUser | null) => one?.user?.tokenFile !== undefined)
    // Whatever else there is stays as it was written.
    const read = hasFile ? stringify({ ...config, users: users.map((one) => known(one, this.#folder)) }) : text
    super.loadFromString(read, options)
  }
}
