/** The icon of a tab. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#2b5fd9"/><path d="M4 12V6M8 12V3M12 12V8" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>`

/** All colours are pairs whose contrast is 4.5 or more, in both schemes. */
export const css = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --ink: #16191f; --quiet: #59616e; --line: #dde1e7; --link: #1f55cc;
  --good: #14683a; --good-on: #dcf3e4; --bad: #ad1620; --bad-on: #fde3e3; --risk: #7d4a00; --risk-on: #fdeccd;
  --busy: #1f55cc; --busy-on: #e0e9fd; --idle: #4a525e; --idle-on: #e8ebef;
  --mark-good: #2f9e62; --mark-bad: #d6323c; --mark-risk: #cf8a1b; --mark-idle: #9aa3b0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101318; --card: #181c23; --ink: #e7eaef; --quiet: #a0a9b7; --line: #2b313b; --link: #8fb2ff;
    --good: #7ddba3; --good-on: #12301f; --bad: #ff9d9d; --bad-on: #3d1618; --risk: #f6c06a; --risk-on: #38280d;
    --busy: #9dbbff; --busy-on: #1a2846; --idle: #b9c1cd; --idle-on: #272d36;
    --mark-good: #3fb877; --mark-bad: #ef5a63; --mark-risk: #e0a33c; --mark-idle: #697382;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Open Sans", sans-serif; }
.wide { max-width: 1440px; margin: 0 auto; padding: 0 24px; }
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
main:focus { outline: none; }
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 8px; top: 8px; background: var(--card); padding: 8px 12px; z-index: 1; }
.top { background: var(--card); border-bottom: 1px solid var(--line); }
.top .wide { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; justify-content: space-between; padding-top: 10px; padding-bottom: 10px; }
.brand { font-weight: 700; color: var(--ink); text-decoration: none; }
.standing, .quiet { color: var(--quiet); }
.standing { font-size: 13px; overflow-wrap: anywhere; }
h1 { font-size: 28px; line-height: 1.25; margin: 28px 0 14px; overflow-wrap: anywhere; }
h1.bad { color: var(--bad); } h1.good { color: var(--good); } h1.idle { color: var(--ink); }
h1.name { margin-top: 4px; } h1 .badge { font-size: 15px; vertical-align: middle; margin-left: 6px; }
h2 { font-size: 18px; margin: 28px 0 10px; } h2 .quiet { font-weight: 400; }
.lead { font-size: 16px; max-width: 110ch; overflow-wrap: anywhere; margin: 0 0 20px; }
.crumbs { margin: 20px 0 0; font-size: 13px; color: var(--quiet); overflow-wrap: anywhere; }
.mono, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.9em; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow-x: auto; }
.note, .empty { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--mark-risk); border-radius: 8px; padding: 12px 16px; max-width: 110ch; }
.empty { border-left-color: var(--mark-idle); }
.badge { display: inline-block; white-space: nowrap; border-radius: 999px; padding: 1px 10px; font-size: 13px; font-weight: 600; background: var(--idle-on); color: var(--idle); }
.badge.good, .badge.of-success { background: var(--good-on); color: var(--good); }
.badge.bad, .badge.of-failed { background: var(--bad-on); color: var(--bad); }
.badge.risk, .badge.of-interrupted { background: var(--risk-on); color: var(--risk); }
.badge.busy { background: var(--busy-on); color: var(--busy); }
.chips { list-style: none; display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 14px; padding: 0; }
.chip { display: inline-flex; gap: 6px; align-items: center; background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 3px 12px 3px 4px; color: var(--ink); text-decoration: none; }
.chip:hover { border-color: var(--link); } .chip[aria-current] { border-color: var(--link); box-shadow: 0 0 0 1px var(--link); }
.filter { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: center; margin: 0 0 8px; }
.filter label { color: var(--quiet); font-size: 13px; }
input, select, button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--mark-idle); border-radius: 6px; padding: 5px 10px; max-width: 100%; }
button { cursor: pointer; } button:hover { border-color: var(--link); }
table.list { width: 100%; border-collapse: separate; border-spacing: 0; overflow: hidden; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.list th, .list td { text-align: left; vertical-align: top; padding: 9px 12px; border-top: 1px solid var(--line); font-weight: 400; }
.list thead th { border-top: 0; font-size: 12px; color: var(--quiet); white-space: nowrap; }
.list tbody th { font-weight: 600; overflow-wrap: anywhere; } .list tbody th .quiet { font-weight: 400; display: block; font-size: 13px; }
.list .why { overflow-wrap: anywhere; } .list .number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.list td[data-label] { white-space: nowrap; } .list td .quiet { font-size: 13px; }
.of-backups td[data-label="Next"] { min-width: 128px; max-width: 170px; } .of-backups td[data-label="Next"] .quiet { display: block; white-space: normal; }
.of-backups .state, .of-others .state { width: 132px; } .of-backups tbody th, .of-others tbody th { width: 220px; }
.of-backups .why, .of-others .why { font-size: 14px; } .of-others td[data-label] { width: 150px; }
.conditions .why { width: 65%; } .history .why { width: 40%; font-size: 14px; }
.also { color: var(--risk); white-space: nowrap; font-size: 13px; font-weight: 600; }
section .facts { margin-bottom: 4px; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 14px 24px; margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; }
.facts dt { color: var(--quiet); font-size: 12px; } .facts dd { margin: 0; overflow-wrap: anywhere; }
progress { width: min(320px, 60%); height: 10px; accent-color: var(--busy); vertical-align: middle; } .running { margin: 6px 0; }
.timeline { margin: 0 0 14px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px 10px; }
.timeline svg { display: block; width: 100%; height: 56px; } .spark { display: block; }
.axis { stroke: var(--line); stroke-width: 1; } .now { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 3 3; vector-effect: non-scaling-stroke; }
rect.success { fill: var(--mark-good); } rect.failed { fill: var(--mark-bad); } rect.interrupted { fill: var(--mark-risk); } rect.skipped { fill: var(--mark-idle); }
rect.next { fill: none; stroke: var(--mark-idle); stroke-dasharray: 2 2; vector-effect: non-scaling-stroke; }
figcaption { display: flex; flex-wrap: wrap; gap: 4px 16px; justify-content: space-between; font-size: 13px; color: var(--quiet); margin-top: 6px; }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-left: 8px; }
.legend i.success { background: var(--mark-good); } .legend i.failed { background: var(--mark-bad); } .legend i.interrupted { background: var(--mark-risk); } .legend i.skipped { background: var(--mark-idle); }
.pages { display: flex; gap: 16px; justify-content: center; margin: 20px 0; }
footer { font-size: 13px; color: var(--quiet); margin-top: 32px; padding-bottom: 24px; }
@media (max-width: 860px) {
  .wide { padding: 0 14px; }
  h1 { font-size: 23px; margin-top: 18px; }
  .filter label { flex: 1 1 100%; } .filter input, .filter select { width: 100%; }
  table.list, .list tbody, .list tr, .list td, .list tbody th { display: block; width: auto; max-width: none; }
  table.list { background: none; border: 0; }
  .list thead { position: absolute; left: -9999px; }
  .list tr { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0 0 10px; padding: 10px 14px; }
  .list td, .list tbody th { border: 0; padding: 2px 0; }
  .list td.why, .list .why { width: auto; margin: 4px 0; }
    .list td[data-label] { white-space: normal; display: flex; gap: 10px; }
  .of-backups td[data-label="Next"] { min-width: 0; max-width: none; }
  .list td[data-label]::before { content: attr(data-label); color: var(--quiet); font-size: 13px; flex: 0 0 92px; }
  .list td:empty, .list td[data-label].none { display: none; }
  .of-backups td[data-label="Next"] .quiet { display: inline; }
}
@media print { .filter, .pages, .chips, footer { display: none; } }
`
