/*
 * `$(NAME)` in arguments and variables, as the kubelet replaces it.
 */

/** What `$(NAME)` stands for; what has no value stays as it is written. */
export type Values = ReadonlyMap<string, string>

/** Replaces `$(NAME)` by its value; `$$` is one dollar that begins nothing. */
export const expanded = (text: string, values: Values): string =>
  text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (found, name: string | undefined) =>
    name === undefined ? "$" : (values.get(name) ?? found)
  )
