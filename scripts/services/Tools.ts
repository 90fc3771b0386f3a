import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Cache from "./Cache.ts"
import * as Install from "./Install.ts"
import { say } from "./Progress.ts"
import * as Versions from "./Versions.ts"

/*
 * Programs of others that tests run and that serve nothing: what reads our alerts, dashboard and scripts elsewhere.
 * Prometheus 3.16 is called v0.316.0 as a Go module. `remove_all_sd` leaves out all discovery but that of files.
 */

const module = "github.com/prometheus/prometheus/cmd"

const tools = {
  promtool: {
    folder: Cache.promtool,
    install: () =>
      Install.goProgram(
        Cache.promtool,
        "promtool",
        `${module}/promtool@v${Versions.prometheus}`,
        "2-3 minutes",
        "remove_all_sd"
      )
  },
  prometheus: {
    folder: Cache.prometheus,
    install: () =>
      Install.goProgram(
        Cache.prometheus,
        "prometheus",
        `${module}/prometheus@v${Versions.prometheus}`,
        "a minute",
        "remove_all_sd"
      )
  },
  /** The interpreter that Argo CD embeds. */
  glua: {
    folder: Cache.glua,
    install: () =>
      Install.goProgram(Cache.glua, "glua", `github.com/yuin/gopher-lua/cmd/glua@v${Versions.lua}`, "some seconds")
  }
} as const

export type Tool = keyof typeof tools

/** The program, whether it is there or not. */
export const program = (tool: Tool): string => join(tools[tool].folder, tool)

export const isInstalled = (tool: Tool): boolean => existsSync(program(tool))

/** Installs those that are missing, one after the other. What cannot be installed is said, and is then missing. */
export const install = async (): Promise<void> => {
  for (const [name, tool] of Object.entries(tools)) {
    try {
      await tool.install()
    } catch (error) {
      say(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
