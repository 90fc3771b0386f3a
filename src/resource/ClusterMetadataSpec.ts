import * as Field from "./Field.ts"

/** What a backup keeps of the cluster beside records. */
export const ClusterMetadataSpec = Field.object(
  {
    acls: Field.withDefault(
      Field.flag({
        description:
          "Keep the ACLs of the selected topics, and of the groups that have offsets in them. Needs Describe on the cluster; without it the backup has none, and says so."
      }),
      true
    ),
    users: Field.withDefault(
      Field.flag({
        description:
          "Keep the names of the cluster's users that have a SCRAM password, with their mechanisms. Brokers give away no password. Needs Describe on the cluster; without it the backup has none, and says so."
      }),
      true
    ),
    quotas: Field.withDefault(
      Field.flag({
        description:
          "Keep the quotas of the cluster's clients. Needs DescribeConfigs on the cluster; without it the backup has none, and says so."
      }),
      true
    )
  },
  { description: "What to keep of the cluster beside records. What the principal may not see never fails a backup." }
)

/** Which ACLs a restore makes. */
export const RestoredAcls = Field.choice(["None", "Create"], {
  description:
    "Create: ACLs of the backup are added for the restored topics, under the names that they get, and for the groups that have offsets in them. One ACL of all topics, or of a prefix, becomes one for each restored topic. ACLs that are there stay."
})

/** Which quotas a restore sets. */
export const RestoredQuotas = Field.choice(["None", "Create"], {
  description:
    "Create: quotas of the backup are set for clients that have none of that kind in the cluster. Quotas that are there stay."
})
