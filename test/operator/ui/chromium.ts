import { Effect } from "effect"
import type { Browser as Installed } from "../../../scripts/services/Browser.ts"

/* As much of puppeteer-core as is used here: it is installed with the browser, not with the project. */

interface Message {
  readonly text: () => string
}

export interface Page {
  readonly on: (event: "console" | "pageerror" | "requestfailed" | "request", listener: (found: never) => void) => void
  readonly setViewport: (size: { readonly width: number; readonly height: number }) => Promise<void>
  readonly emulateMediaFeatures: (features: ReadonlyArray<{ name: string; value: string }>) => Promise<void>
  readonly goto: (
    url: string,
    options: { readonly waitUntil: "load" }
  ) => Promise<{ readonly status: () => number } | null>
  readonly evaluate: <A>(script: string) => Promise<A>
  readonly screenshot: (options: { readonly path: string; readonly fullPage: boolean }) => Promise<unknown>
  readonly type: (selector: string, text: string) => Promise<void>
  readonly click: (selector: string) => Promise<void>
  readonly waitForNavigation: (options: { readonly waitUntil: "load" }) => Promise<unknown>
  readonly url: () => string
  readonly accessibility: {
    readonly snapshot: (options: { readonly interestingOnly: boolean }) => Promise<AccessibleNode>
  }
  readonly close: () => Promise<void>
}

export interface AccessibleNode {
  readonly role: string
  readonly name?: string
  readonly children?: ReadonlyArray<AccessibleNode>
}

interface Running {
  readonly newPage: () => Promise<Page>
  readonly close: () => Promise<void>
}

interface Driver {
  readonly launch: (options: object) => Promise<Running>
}

const flags = ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage"]

/** A page of a browser of its own, and what went wrong in it. It is as strict as other browsers are. */
export const open = (installed: Installed) =>
  Effect.gen(function* () {
    const running = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const { default: driver } = (await import(installed.driver)) as { readonly default: Driver }
        const env = { ...process.env, ...installed.env }
        return driver.launch({ executablePath: installed.executable, headless: "shell", args: flags, env })
      }),
      (browser) => Effect.promise(() => browser.close())
    )
    const page = yield* Effect.promise(() => running.newPage())
    const trouble: Array<string> = []
    const requested: Array<string> = []
    page.on("console", (message: Message) => void trouble.push(`console: ${message.text()}`))
    page.on("pageerror", (error: Error) => void trouble.push(`error: ${error.message}`))
    page.on("requestfailed", (request: { url: () => string }) => void trouble.push(`failed: ${request.url()}`))
    page.on("request", (request: { url: () => string }) => void requested.push(request.url()))
    return { page, trouble, requested }
  })

/** The nodes of a tree that have a role. */
export const withRole = (node: AccessibleNode, role: string): ReadonlyArray<AccessibleNode> => [
  ...(node.role === role ? [node] : []),
  ...(node.children ?? []).flatMap((child) => withRole(child, role))
]

/** Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3), or 3 where they are large. */
export const faintTexts = `(() => {
  const numbers = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number)
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((n) => (n / 255 <= 0.03928 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4))
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = numbers(getComputedStyle(at).backgroundColor)
      if (alpha === 1) return [r, g, b]
    }
    return [255, 255, 255]
  }
  const found = []
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "")
    if (!own || element.closest("svg, option")) continue
    const { color, fontSize } = getComputedStyle(element)
    const [a, b] = [light(numbers(color)), light(behind(element))].toSorted((x, y) => y - x)
    const ratio = (a + 0.05) / (b + 0.05)
    if (ratio < (parseFloat(fontSize) >= 24 ? 3 : 4.5)) found.push(element.className + " " + element.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2))
  }
  return found
})()`
