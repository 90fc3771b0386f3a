/*
 * The only part of the client library that is used. This file is imported when needed. It imports by name, so that the
 * generated classes for every kind of the API, by far most of the library, stay out of the bundle.
 */
import { dirname, resolve } from "node:path"
import { KubeConfig as Library } from "@kubernetes/client-node"
import { parse, stringify } from "yaml"

type ReadOptions = Parameters<Library["loadFromString"]>[1]

interface NamedUser {
  readonly user?: { readonly token?: string; readonly tokenFile?: string; readonly "auth-provider"?: unknown }
}

/**
 * Translates kubectl's `tokenFile` into the library's own token file provider, which reads the file again when needed.
 */
const known = (named: NamedUser, folder: string): NamedUser => {
  const { token, tokenFile } = named.user ?? {}
  // As in kubectl, `tokenFile` takes precedence over `token`.
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
    // Everything else stays as it was written.
    const read = hasFile ? stringify({ ...config, users: users.map((one) => known(one, this.#folder)) }) : text
    super.loadFromString(read, options)
  }
}
