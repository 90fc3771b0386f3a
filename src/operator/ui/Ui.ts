import { Clock, Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { Health, readiness } from "../Health.ts"
import { Watched } from "../Watched.ts"
import * as ListPage from "./ListPage.ts"
import type { Markup } from "./Markup.ts"
import type { Setting } from "./Pieces.ts"
import * as ResourcePage from "./ResourcePage.ts"
import * as Rows from "./Rows.ts"
import * as Shell from "./Shell.ts"
import * as StandbyPage from "./StandbyPage.ts"
import * as Style from "./Style.ts"
import * as View from "../../status/View.ts"

/**
 * Nothing runs in a page, and nothing of it comes from elsewhere: a text of a resource that got past the escaping could
 * still do nothing. Nothing is kept by the browser either.
 */
export const headers = {
  "content-security-policy":
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store"
} as const

const file = (text: string, contentType: string, status = 200) =>
  HttpServerResponse.text(text, { status, contentType, headers })

const shown = ({ text }: Markup, status = 200) => file(text, "text/html; charset=utf-8", status)

/** What the address asks for. Numbers that are none count as 1. */
const asked = (search: URLSearchParams): ListPage.Query => {
  const page = Number(search.get("page") ?? 1)
  return {
    text: (search.get("q") ?? "").trim().slice(0, 253),
    namespace: (search.get("namespace") ?? "").slice(0, 253),
    word: (search.get("show") ?? "").slice(0, 20),
    page: Number.isSafeInteger(page) && page >= 1 ? page : 1
  }
}

/**
 * The pages below `/ui`: all resources that this replica watches, one resource, and what they need. They only read the
 * caches. `namespace` is the operator's own.
 */
export const routes = (namespace: string | undefined) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const health = yield* Health
      const watched = yield* Watched
      const rows = Rows.make()

      const setting = (root: string, search: URLSearchParams) =>
        Effect.gen(function* () {
          const state = yield* health.state
          const made: Setting = {
            nowMillis: yield* Clock.currentTimeMillis,
            root,
            standing: readiness(state).text,
            refreshSeconds: search.get("refresh") === "off" ? undefined : Shell.everySeconds
          }
          return { state, made }
        })

      const addressOf = ({ url }: HttpServerRequest.HttpServerRequest) => new URL(url, "http://localhost")
      const search = (request: HttpServerRequest.HttpServerRequest) => addressOf(request).searchParams

      /** The links of a page are relative, hence wrong under an address with a slash at its end: browsers add one. */
      const page = <E, R>(shown: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          const { pathname, search: query } = addressOf(request)
          if (!pathname.endsWith("/")) return shown
          const location = `../${pathname.split("/").at(-2) ?? ""}${query}`
          return Effect.succeed(HttpServerResponse.empty({ status: 308, headers: { ...headers, location } }))
        })

      const list = Effect.gen(function* () {
        const params = search(yield* HttpServerRequest.HttpServerRequest)
        const { made, state } = yield* setting("", params)
        const sources = yield* watched.sources
        if (sources.length === 0) {
          const leader = state._tag === "Standby" ? state.leader : undefined
          return shown(StandbyPage.page(made, leader, namespace))
        }
        return shown(ListPage.page(made, rows.of(sources), Rows.unread(sources), asked(params)))
      })

      const one = Effect.gen(function* () {
        const params = search(yield* HttpServerRequest.HttpServerRequest)
        const { kind = "", name = "", namespace: within = "" } = yield* HttpRouter.params
        const { made } = yield* setting("../../../", params)
        const source = (yield* watched.sources).find((some) => some.kind === kind)
        const resource = source?.resources.get(`${within}/${name}`)
        const view = resource === undefined ? undefined : View.of({ ...resource, kind })
        return view === undefined ? shown(ResourcePage.missing(made, ""), 404) : shown(ResourcePage.page(made, view))
      })

      yield* router.add("GET", "/ui", page(list))
      yield* router.add("GET", "/ui/style.css", file(Style.css, "text/css; charset=utf-8"))
      yield* router.add("GET", "/ui/icon.svg", file(Style.icon, "image/svg+xml"))
      yield* router.add("GET", "/ui/:kind/:namespace/:name", page(one))
    })
  )
