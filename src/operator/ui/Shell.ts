import { html, type Markup, type Piece } from "./Markup.ts"
import { href, type Setting } from "./Pieces.ts"

/** The frame of every page. `path` is its address below `ui`. */
export const page = (setting: Setting, title: string, path: string, content: Piece): Markup => {
  const { nowMillis, refreshSeconds, root, standing } = setting
  const toggle = href({ ...setting, refreshSeconds: refreshSeconds === undefined ? everySeconds : undefined }, path)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${refreshSeconds === undefined ? undefined : html`<meta http-equiv="refresh" content="${refreshSeconds}" />`}
        <link rel="icon" href="${root}ui/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="${root}ui/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">to the content</a>
        <header class="top">
          <div class="wide">
            <a class="brand" href="${href(setting, "")}">kafka-backup</a>
            <span class="standing">this replica: ${standing}</span>
          </div>
        </header>
        <main id="content" class="wide" tabindex="-1">${content}</main>
        <footer class="wide">
          <p>
            As of <time>${new Date(nowMillis).toISOString().replace(/[.]\d+Z$/, "Z")}</time>.
            ${
              refreshSeconds === undefined
                ? html`The page stays as it is. <a href="${toggle}">Load it again every ${everySeconds} s</a>`
                : html`It is loaded again every ${refreshSeconds} s. <a href="${toggle}">Stop that</a>`
            }.
            It only shows: what to do is done with kubectl.
          </p>
        </footer>
      </body>
    </html> `
}

/** How often a page is loaded again. */
export const everySeconds = 30
