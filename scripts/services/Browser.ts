import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

/** A headless Chromium that is installed, and what drives it. It is started by the tests that need it. */
export interface Browser {
  readonly executable: string
  /** Address of the module of puppeteer-core, to be imported. */
  readonly driver: string
  /** Variables of its environment. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Unpacks the program, which its package has compressed, into the temporary folder. The package also unpacks libraries
 * where it takes itself to be in a certain cloud.
 */
export const unpackScript =
  'const { default: chromium } = await import("@sparticuz/chromium"); await chromium.executablePath()'

/** Under this name the package unpacks its libraries, too. */
export const unpackEnvironment = (folder: string) => ({ TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: "nodejs24.x" })

/** The browser of this folder. Libraries and fonts that come with it are used where the system has none. */
export const at = (folder: string): Browser => {
  const executable = join(folder, "chromium")
  const missesLibraries = /not found/.test(spawnSync("ldd", [executable], { encoding: "utf8" }).stdout ?? "not found")
  return {
    executable,
    driver: pathToFileURL(join(folder, "node_modules/puppeteer-core/lib/puppeteer/puppeteer-core.js")).href,
    env: {
      ...(missesLibraries ? { LD_LIBRARY_PATH: join(folder, "al2023", "lib") } : {}),
      ...(existsSync("/usr/share/fonts") ? {} : { FONTCONFIG_PATH: join(folder, "fonts") })
    }
  }
}
