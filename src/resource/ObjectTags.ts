import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/**
 * Letters of any script, digits, blanks and a few signs. Source: Amazon S3 API reference, type Tag, whose pattern is
 * `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`; of its separators only the blank is taken. Some servers take letters a to z alone,
 * and a run's first request says so.
 */
const s3Signs = String.raw`[\p{L}\p{N} +=._:/@-]`
/** Source: Azure Storage, Manage and find data with blob index tags. */
const azureSigns = "[A-Za-z0-9 +=._:/-]"

const tags = (signs: string, what: string, description: string) => {
  const key = new RegExp(`^${signs}{1,128}$`, "u")
  const isReserved = (name: string) => /^aws:/iu.test(name)
  return Field.map(
    Field.text({
      description: "A tag's value, up to 256 characters.",
      maxLength: 256,
      rules: [Rule.matches(`^${signs}*$`, `a tag's value must consist of ${what}`)]
    }),
    {
      description,
      maxProperties: 10,
      rules: [
        Rule.rule<{ readonly [name: string]: string }>({
          cel: "self.size() >= 1",
          message: "must have at least one tag: write one, or remove tags",
          holds: (self) => Object.keys(self).length >= 1
        }),
        Rule.rule<{ readonly [name: string]: string }>({
          cel: `self.all(k, k.matches(r'^${signs}{1,128}$'))`,
          message: `names of tags must have 1 to 128 characters: ${what}`,
          holds: (self) => Object.keys(self).every((name) => key.test(name))
        }),
        Rule.rule<{ readonly [name: string]: string }>({
          cel: "!self.exists(k, k.matches(r'^(?i:aws:)'))",
          message: "names of tags must not begin with aws: these belong to the service; choose another name",
          holds: (self) => !Object.keys(self).some(isReserved)
        })
      ]
    }
  )
}

export const S3Tags = tags(
  s3Signs,
  "letters, digits, blanks and + - = . _ : / @",
  "Tags of every object, bookkeeping too: 1 to 10, for cost reports, policies and lifecycle rules. Needs s3:PutObjectTagging."
)

export const AzureTags = tags(
  azureSigns,
  "letters a to z, digits, blanks and + - = . _ : /",
  "Index tags of every blob, bookkeeping too: 1 to 10. Not in accounts with hierarchical namespace. Needs the role Storage Blob Data Owner, or permission t in a SAS token."
)
