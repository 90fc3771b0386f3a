/** Sources with messages of every shape that the catalogue knows, as a file of src would hold them. */
export const planted = `
import { Effect, Schema } from "effect/with a path"

type Stage = "not yet open" | "open at last"

/** A comment of several words is no message. */
export class SalaryUnpaid extends Schema.TaggedError<SalaryUnpaid>()("SalaryUnpaid", { worker: Schema.String }) {
  override get message() {
    return \`the salary of \${this.worker} was not paid\`
  }
}

export class PayrollError extends Schema.TaggedError<PayrollError>()("PayrollError", {
  reason: Schema.Union([SalaryUnpaid, BankClosed, VaultLocked])
}) {
  get advice(): string {
    switch (this.reason._tag) {
      case "SalaryUnpaid":
        return "pay it"
      case "BankClosed":
      case "VaultLocked":
        return "wait until " + this.reason.opening + ", then try again"
    }
  }
}

const meanings = { PaidInFull: { meaning: "Everybody was paid." }, PaidInPart: end("Somebody was not paid.") }

const explained = { [exitCodes.broke]: ["no money is left", "earn some"] }

const pay = (stage: Stage) =>
  Effect.gen(function* () {
    if (stage === "open at last") yield* Effect.logWarning("paying").pipe(Effect.annotateLogs({ some_key: 1 }))
    if (isEmpty) return yield* new BankClosed({ detail: isNight ? "the bank sleeps" : "closed", advice: "come tomorrow" })
    return { reason: "VaultLocked", message: \`vault \${n === 1 ? "of one door" : "s"} locked\` }
  })

const command = Command.make("pay", { all: Flag.Boolean("all").pipe(Flag.withDescription("everybody")) }).pipe(
  Command.withDescription("Pay salaries"),
  Command.withExamples([{ command: "payroll pay --all", description: "pay everybody" }])
)

const pattern = /a pattern of words/
const document = \`
apiVersion: v1
kind: Secret
metadata:
  name: \${name}
\`
const place = \`\${bucket}/\${key}\`
const state: Stage = "not yet open"
`
