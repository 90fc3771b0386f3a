import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** What becomes of target topics that hold records already. */
export const ExistingTopics = Field.choice(["Fail", "Append", "Recreate"], {
  description:
    "What to do with a target topic that holds records, or once did. Fail: the restore is refused. Append: records are written behind those that are there; only with offsets New. Recreate: the topic is deleted and created again, if confirmRecreate lists it."
})

/** Most topics that may be deleted by one restore. */
const maxConfirmed = 500

const topicName = Field.text({
  description: "Name of a topic of the target cluster.",
  maxLength: 249,
  rules: [
    Rule.matches(
      "^[a-zA-Z0-9._-]+$",
      "must be the name of one topic: each topic that is deleted is named, and patterns are not taken"
    )
  ]
})

export const ConfirmRecreate = Field.list(topicName, {
  description: "Topics of the target cluster that existingTopics Recreate may delete, with everything that they hold.",
  maxItems: maxConfirmed
})

interface Existing {
  readonly existingTopics?: string
  readonly confirmRecreate?: ReadonlyArray<string>
  readonly offsets?: string
  readonly createTopics?: boolean
  readonly offsetReset?: { readonly enabled?: boolean; readonly strategy?: string }
}

const names = (confirmed: ReadonlyArray<string> | undefined): boolean => confirmed !== undefined && confirmed.length > 0

/** Which fields Append and Recreate need, and which they exclude. */
export const existingTopicsRules: ReadonlyArray<Rule.Rule<Existing>> = [
  Rule.rule<Existing>({
    cel: "self.existingTopics != 'Append' || self.offsets == 'New'",
    message:
      "existingTopics: Append needs offsets: New, because the offsets of the records that are there cannot be used again",
    reason: "FieldValueForbidden",
    fieldPath: ".existingTopics",
    holds: ({ existingTopics, offsets }) => existingTopics !== "Append" || offsets === "New"
  }),
  Rule.rule<Existing>({
    cel: "self.existingTopics != 'Append' || !has(self.offsetReset) || !has(self.offsetReset.enabled) || !self.offsetReset.enabled || !has(self.offsetReset.strategy) || !(self.offsetReset.strategy in ['headerBased', 'exact'])",
    message:
      "existingTopics: Append cannot set groups to where they were in the backup: use another strategy in offsetReset, or remove it",
    reason: "FieldValueForbidden",
    fieldPath: ".offsetReset",
    holds: ({ existingTopics, offsetReset }) =>
      existingTopics !== "Append" ||
      offsetReset?.enabled !== true ||
      !["headerBased", "exact"].includes(offsetReset.strategy ?? "")
  }),
  Rule.rule<Existing>({
    cel: "self.existingTopics != 'Recreate' || has(self.confirmRecreate) && self.confirmRecreate.size() > 0",
    message: "existingTopics: Recreate deletes topics: list their names in confirmRecreate",
    reason: "FieldValueRequired",
    fieldPath: ".confirmRecreate",
    holds: ({ confirmRecreate, existingTopics }) => existingTopics !== "Recreate" || names(confirmRecreate)
  }),
  Rule.rule<Existing>({
    cel: "self.existingTopics == 'Recreate' || !has(self.confirmRecreate)",
    message: "confirmRecreate has no effect without existingTopics: Recreate: remove it, or set existingTopics",
    reason: "FieldValueForbidden",
    fieldPath: ".confirmRecreate",
    holds: ({ confirmRecreate, existingTopics }) => existingTopics === "Recreate" || confirmRecreate === undefined
  }),
  Rule.rule<Existing>({
    cel: "self.existingTopics != 'Recreate' || self.createTopics",
    message: "existingTopics: Recreate creates topics: remove createTopics: false",
    reason: "FieldValueForbidden",
    fieldPath: ".createTopics",
    holds: ({ createTopics, existingTopics }) => existingTopics !== "Recreate" || createTopics !== false
  })
]
