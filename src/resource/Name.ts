import * as Field from "./Field.ts"
import * as Rule from "./Rule.ts"

/** DNS-1123 subdomain, as Kubernetes wants it for the names of most objects. */
export const subdomain = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

/** A host name, also with the dot at its end that keeps a resolver from trying its search domains. */
export const hostName = "[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?[.]?"

/** A TCP port, 1 to 65535. */
export const port = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"

/** The name of another object in the resource's own namespace. */
export const objectName = (kind: string, description: string) =>
  Field.text({
    description,
    maxLength: 253,
    rules: [
      Rule.matches(
        subdomain,
        `must be the name of a ${kind} in the same namespace: lower case letters, digits, '-' and '.', with no namespace in front`
      )
    ]
  })

/** The name of a Secret in the resource's own namespace. There is no way to name another namespace. */
export const secretName = objectName("Secret", "Name of the Secret, in the namespace of this resource.")

/** A key inside a Secret; it becomes a file name in the pod that runs the backup. */
export const secretKey = (description: string) =>
  Field.text({
    description,
    maxLength: 253,
    rules: [
      Rule.matches(
        "^([-_a-zA-Z0-9]|[.][-_a-zA-Z0-9])[-._a-zA-Z0-9]*$",
        "must be a key of the Secret's data: letters, digits, '-', '_' and '.', for example ca.crt"
      )
    ]
  })
