import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { KubeObject } from "../../../src/kubernetes/Objects.ts"
import * as ListPage from "../../../src/operator/ui/ListPage.ts"
import { escaped, html } from "../../../src/operator/ui/Markup.ts"
import type { Setting } from "../../../src/operator/ui/Pieces.ts"
import * as ResourcePage from "../../../src/operator/ui/ResourcePage.ts"
import * as Rows from "../../../src/operator/ui/Rows.ts"
import * as StandbyPage from "../../../src/operator/ui/StandbyPage.ts"
import * as Answer from "../../../src/status/Answer.ts"
import * as View from "../../../src/status/View.ts"
import { backups, many, nowMillis, others, sources } from "./resources.ts"
import { structure } from "./structure.ts"

const setting: Setting = { nowMillis, root: "", standing: "leading", refreshSeconds: 30 }
const all = { text: "", namespace: "", word: "", page: 1 }

const list = (objects: ReadonlyArray<KubeObject>, query: Partial<ListPage.Query> = {}, isSynced = true) => {
  const from = sources(objects, isSynced)
  return ListPage.page(setting, Rows.make().of(from), Rows.unread(from), { ...all, ...query }).text
}

const names = (page: string) => [...page.matchAll(/href="ui\/Kafka[^/]+\/[^/]+\/([^"?]+)"/g)].map(([, name]) => name)

/** The object with another text in place of every one that people or servers may have written. */
const rewritten = (value: unknown, text: string, key = ""): unknown => {
  if (typeof value === "string") return free.has(key) ? text : value
  if (Array.isArray(value)) return value.map((one) => rewritten(one, text, key))
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, rewritten(one, text, name)]))
}

const free = new Set(
  (
    "name namespace message reason type backupId lastBackupId jobName location logs schedule cause target " +
    "lastBackupSizeText lastBackupDuration storedSizeText nextText why snapshotId lastResult"
  ).split(" ")
)

const Nasty = Schema.Array(
  Schema.Literals(["<", ">", '"', "'", "&", "`", "=", "/", "-->", "<script>", "]]>", "${", "\u0000", "\ud800", "x"])
).check(Schema.isMaxLength(12))

describe("a page", () => {
  const resources = [...backups(), ...others()]
  const rendered = (resource: KubeObject, text: string) =>
    ResourcePage.page(setting, View.of(rewritten(resource, text) as KubeObject)!).text
  const plain = resources.map((resource) => structure(rendered(resource, "x")))

  it.prop(
    "takes no markup from any text of a resource",
    [Nasty, Schema.String, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: resources.length - 1 }))],
    ([pieces, tail, n]) => {
      const page = rendered(resources[n]!, `x${pieces.join("")}${tail}`)
      assert.deepStrictEqual(structure(page), plain[n])
      assert.notMatch(page, /<script|<img|\son[a-z]+="/i)
    }
  )

  const few = backups().slice(0, 2)
  it.prop("takes none from what is asked for either", [Nasty], ([pieces]) => {
    const asked = (text: string) => structure(list(few, { text, namespace: text, word: text }))
    assert.deepStrictEqual(asked(`q${pieces.join("")}`), asked("q"))
  })

  it("escapes what could end a text or an attribute", () => {
    assert.strictEqual(
      html`<p title="${`"><script>'\``}">${"<b>&"}</p>`.text,
      '<p title="&quot;&gt;&lt;script&gt;&#39;&#96;">&lt;b&gt;&amp;</p>'
    )
    assert.strictEqual(escaped("a\u0000b\u001b[31mc\ud800"), "a\ufffdb\ufffd[31mc\ufffd")
    assert.strictEqual(html`${html`<b>${1}</b>`}${undefined}${["<", html`<i></i>`]}`.text, "<b>1</b>&lt;<i></i>")
  })

  it("has no script, no style of its own and nothing from elsewhere", () => {
    const pages = [list(backups()), ...backups().map((one) => ResourcePage.page(setting, View.of(one)!).text)]
    for (const page of pages)
      assert.notMatch(page, /<script|<style|\sstyle=|\son[a-z]+="|(?:src|href|action|content)="(?:[a-z]+:)?\/\//i)
  })
})

describe("the list", () => {
  it("answers first, with the worst at the top", () => {
    const page = list([...backups(), ...others()])
    assert.match(page, /<h1 class="bad">\s*6 of 14 resources need attention/)
    assert.deepStrictEqual(names(page).slice(0, 3), [
      "payments-archive",
      "a-name-that-is-as-long-as-the-names-of-resources-are-in-clusters",
      "invoices"
    ])
    assert.deepStrictEqual(Answer.of(Rows.make().of(sources(backups().slice(0, 1)))), {
      isBad: false,
      text: "The backup is safe"
    })
  })

  it("shows those of a name, a namespace and a state, and says when there is none", () => {
    assert.deepStrictEqual(names(list(backups(), { text: "INVOI" })), ["invoices"])
    assert.deepStrictEqual(names(list(backups(), { namespace: "shop", word: "safe" })), ["carts", "orders"])
    assert.include(list(backups(), { text: "no-such" }), "Nothing of this name, namespace and state")
  })

  it("shows a hundred resources at a time, and each of them once", () => {
    const from = sources(many(1_000))
    const rows = Rows.make()
    const shown = (page: number) => names(ListPage.page(setting, rows.of(from), [], { ...all, page }).text)
    const pages = Array.from({ length: 10 }, (_, n) => shown(n + 1))
    assert.deepStrictEqual(
      pages.map((page) => page.length),
      Array.from({ length: 10 }, () => 100)
    )
    assert.strictEqual(new Set(pages.flat()).size, 1_000)
    assert.deepStrictEqual(shown(99), pages[9])
  })

  it("says of what is not read yet that it may exist, and claims nothing", () => {
    const page = list(backups().slice(0, 1), {}, false)
    assert.include(page, "Not everything is known yet")
    assert.match(page, /Not read yet: KafkaBackup, KafkaRestore/)
    assert.notInclude(page, "is safe")
  })

  it("reads a status again only when the resource has changed", () => {
    const from = sources(backups())
    let read = 0
    const counted = from.map(({ kind, resources }) => ({
      kind,
      resources: { ...resources, get: (key: string) => (read++, resources.get(key)) }
    }))
    const rows = Rows.make()
    const first = rows.of(counted)
    assert.strictEqual(read, backups().length)
    assert.deepStrictEqual(rows.of(counted), first)
    assert.strictEqual(read, backups().length)
  })
})

describe("the page of a replica that stands by", () => {
  it("names the pod that leads and how to reach it", () => {
    const { text } = StandbyPage.page(
      setting,
      "operator-7c5-abcde_0b0b6f1e-1111-2222-3333-444455556666",
      "backup-system"
    )
    assert.include(text, "kubectl port-forward -n backup-system pod/operator-7c5-abcde 8080")
  })
})

describe("the page of a KafkaBackup", () => {
  const page = (name: string) =>
    ResourcePage.page(setting, View.of(backups().find((one) => one.metadata.name === name)!)!).text.replaceAll(
      /\s+/g,
      " "
    )

  it("says what would be lost, where the data lies, and how to read the log", () => {
    const text = page("orders")
    for (const part of [
      "in the last 40m",
      "s3://backups/production/hourly",
      "42 with 504 partitions",
      "184 GB",
      "kubectl logs -n shop job/orders-job-1200"
    ]) {
      assert.include(text, part)
    }
  })

  it("says how far the active run is, and when it will be done", () => {
    const text = page("carts")
    for (const part of ['value="63"', "43,267 records/s", "318 of 504", "2026-11-24T12:41:10Z"])
      assert.include(text, part)
  })

  it("has every condition with its message", () => {
    const resource = backups()[1]! as KubeObject & {
      readonly status: { readonly conditions: ReadonlyArray<{ readonly type: string; readonly message: string }> }
    }
    for (const { message, type } of resource.status.conditions) {
      assert.include(page("payments-archive"), escaped(message))
      assert.include(page("payments-archive"), `>${type}</th>`)
    }
  })
})
