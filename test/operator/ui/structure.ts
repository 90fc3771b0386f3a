/** Tags and names of attributes of a page in their order; texts and values are left out. */
export const structure = (page: string): ReadonlyArray<string> =>
  [...page.matchAll(/<(\/?[a-zA-Z!][^\s>/]*)((?:\s+[^\s=>"]+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, tag = "", attributes = ""]) =>
      [tag, ...[...attributes.matchAll(/\s([^\s=>"]+)(?:="[^"]*")?/g)].map(([, name]) => name)].join(" ")
  )
