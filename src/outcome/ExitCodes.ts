/**
 * Exit codes of every command; documented in docs/reference/exit-codes.md. 10 to 19 need a person, so a Job may fail at
 * once; from 20 on, the same command may succeed later.
 */
export const exitCodes = {
  success: 0,
  /** A defect of this program. */
  internal: 1,
  usage: 2,
  invalidManifest: 10,
  secretUnusable: 11,
  accessRefused: 12,
  topicsUnusable: 13,
  storageUnusable: 14,
  dataUnusable: 15,
  notProven: 16,
  notFound: 17,
  /** Wrong address, TLS to a plaintext listener or the reverse, no common protocol version. */
  clusterUnusable: 18,
  /** The cluster to restore to holds what must not be written over, or refuses what the restore needs. */
  targetUnusable: 19,
  temporary: 20,
  interrupted: 21,
  superseded: 22
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
