/** How an image starts the program, and as whom. Containerfile says the same. */
export const program = {
  /** Where Node.js is in the image, without the leading slash. */
  node: "usr/local/bin/node",
  /** Where dist/ is. */
  folder: "app",
  /**
   * V8's young generation may take three times 32 MiB, which runs of very many partitions fill with what is garbage
   * soon; 8 cost a fiftieth more CPU (docs/performance.md). It cannot be set once the process runs.
   */
  entrypoint: ["/usr/local/bin/node", "--max-semi-space-size=8", "/app/kafka-backup.mjs"],
  user: 65_532
} as const
