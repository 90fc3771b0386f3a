import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Catalogue from "./messages/Catalogue.ts"
import * as Page from "./messages/Page.ts"
import * as Ratchet from "./messages/Ratchet.ts"
import * as Style from "./messages/Style.ts"
import * as Cache from "./services/Cache.ts"

/*
 * npm run messages                 prints every text of src that a person may read, by room and file, with what it
 * belongs to npm run messages -- ROOM         of one room only, for example `status` or `main.ts` npm run messages --
 * --style      only those that break a rule of style, by rule npm run messages -- --tighten    lowers the exceptions of
 * test/messages to those that are still needed
 */

const [option] = process.argv.slice(2)
const { messages } = Catalogue.of(Cache.root)

if (option === "--tighten") {
  const file = join(Cache.root, Ratchet.path)
  const allowed = JSON.parse(readFileSync(file, "utf8")) as Style.Counts
  const tightened = Ratchet.tightened(Style.counts(messages), allowed)
  writeFileSync(file, `${JSON.stringify(tightened, null, 2)}\n`)
  for (const difference of Ratchet.differences(tightened, allowed)) console.log(Ratchet.shrunkLine(difference))
} else if (option === "--style") {
  for (const { isBroken, name, remedy } of Style.rules) {
    const broken = messages.filter(isBroken)
    console.log(`\n# ${name}: ${broken.length}`)
    for (const message of broken)
      console.log(`${message.file}:${Page.line(message).trim()}\n     instead: ${remedy(message)}`)
  }
} else {
  const rooms = [...new Set(messages.map(({ file }) => Catalogue.roomOf(file)))]
  const wanted = messages.filter(({ file }) => option === undefined || Catalogue.roomOf(file) === option)
  if (wanted.length === 0) {
    console.error(`there is no room ${option}; rooms with messages: ${rooms.join(", ")}`)
    process.exitCode = 2
  } else {
    process.stdout.write(Page.page(wanted))
    console.error(`${wanted.length} messages`)
  }
}
