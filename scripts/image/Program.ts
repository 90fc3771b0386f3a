/** How an image starts the program, and as whom. Containerfile says the same. */
export const program = {
  /** Where Node.js is in the image, without the leading slash. */
  node: "usr/local/bin/node",
  /** Where dist/ is. */
  folder: "app",
  entrypoint: ["/usr/local/bin/node", "/app/kafka-backup.mjs"],
  user: 65_532
} as const
