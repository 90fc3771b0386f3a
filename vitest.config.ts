import { defineConfig } from "vitest/config"

/** Integration tests that mostly wait: for a control plane, or for a network that is disturbed. */
const waiting = [
  "test/kubernetes/**/*.integration.test.ts",
  "test/deploy/**/*.integration.test.ts",
  "test/operator/**/*.integration.test.ts",
  "test/testing/**/*.integration.test.ts",
  "test/e2e/Operator*.integration.test.ts",
  // An operator of its own: two at the same control plane would share a lease, and one of them stand by.
  "test/e2e/PodStart.integration.test.ts",
  "test/e2e/{Network,Storage}Faults.integration.test.ts"
]

/**
 * Unit tests and stories need nothing and run anywhere. `*.integration.test.ts` use real services
 * (test/harness/services.ts) one file at a time, because brokers and stores are shared and the machine may have two
 * cores; those that mostly wait are a project of their own (`cluster`), which can run beside the others.
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
          exclude: waiting,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000
        }
      },
      {
        extends: true,
        test: {
          name: "cluster",
          include: waiting,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 300_000
        }
      }
    ]
  }
})
