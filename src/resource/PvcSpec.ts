import * as Field from "./Field.ts"
import { objectName } from "./Name.ts"
import { VolumePath } from "./ObjectPrefix.ts"

export const PvcSpec = Field.object(
  {
    claimName: objectName(
      "PersistentVolumeClaim",
      "Name of the PersistentVolumeClaim, in the namespace of this resource. It must exist."
    ),
    subPath: Field.optional(
      VolumePath("Directory inside the volume, for example kafka/production. Created when missing. Absent: the root.")
    )
  },
  { description: "A volume that the pod mounts." }
)
export type PvcSpec = typeof PvcSpec.Type
