/*
 * Where a pod finds the tokens of its own service account: beside the folders of Secrets, one file for each audience.
 * The operator mounts them there, and the worker reads them there.
 */

/** The folder of these files. */
export const folder = "service-account-tokens"

/**
 * The file of an audience, which is a valid key of a Secret and never a path: what a key may not hold, and a dot at its
 * beginning, is written as `_` and its bytes.
 */
export const file = (audience: string): string =>
  audience.replaceAll(/[^A-Za-z0-9.-]|^[.]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `_${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("")
  )
