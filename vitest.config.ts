import { defineConfig } from "vitest/config"

/**
 * Unit tests and stories need nothing and run anywhere. `*.integration.test.ts` use real services (test/harness/services.ts)
 * one file at a time, because brokers and stores are shared and the machine may have two cores.
 */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.integration.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.integration.test.ts"],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000
        }
      }
    ]
  }
})
