import type { Condition } from "../../status/Status.ts"
import { html, type Markup, type Piece } from "./Markup.ts"
import { age, cell } from "./Pieces.ts"

/** Types whose answer True is not the good one, and those where neither is. */
const isInverse = (type: string): boolean => type === "Warnings"
const isPlain = (type: string): boolean => type === "Progressing"

const tone = ({ status, type }: Condition): string =>
  isPlain(type) || status === "Unknown" ? "idle" : (status === "True") === isInverse(type) ? "risk" : "good"

const row = (condition: Condition, nowMillis: number): Markup =>
  html`<tr>
    <th scope="row">${condition.type}</th>
    <td data-label="Status"><span class="badge ${tone(condition)}">${condition.status}</span></td>
    <td class="why">${condition.message} <span class="quiet mono">${condition.reason}</span></td>
    ${cell("Since", age(condition.lastTransitionTime, nowMillis))}
  </tr>`

/** All conditions with their messages. */
export const section = (conditions: ReadonlyArray<Condition>, nowMillis: number): Piece =>
  conditions.length === 0
    ? undefined
    : html`<section aria-labelledby="conditions">
        <h2 id="conditions">Conditions</h2>
        <table class="list conditions">
          <thead>
            <tr>
              <th scope="col">Type</th>
              <th scope="col">Status</th>
              <th scope="col">Message</th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            ${conditions.map((one) => row(one, nowMillis))}
          </tbody>
        </table>
      </section>`
