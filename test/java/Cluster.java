import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** Configuration, quotas, users, ACLs and consumer groups. */
final class Cluster {
  /** {kind: "TOPIC" | "BROKER", name, set?: {key: value}, unset?: [key]}. */
  static Object alterConfig(JsonNode request) throws Exception {
    var resource = new ConfigResource(
        ConfigResource.Type.valueOf(request.get("kind").asText()), request.get("name").asText());
    var changes = new ArrayList<AlterConfigOp>();
    for (var entry : request.path("set").properties()) {
      changes.add(new AlterConfigOp(
          new ConfigEntry(entry.getKey(), entry.getValue().asText()), AlterConfigOp.OpType.SET));
    }
    for (var key : Topics.names(request.path("unset"))) {
      changes.add(new AlterConfigOp(new ConfigEntry(key, ""), AlterConfigOp.OpType.DELETE));
    }
    Clients.admin(request).incrementalAlterConfigs(Map.of(resource, changes)).all().get();
    return changes.size();
  }

  /** {user?, clientId?, key, value | null}: a quota such as consumer_byte_rate; null removes it. */
  static Object setQuota(JsonNode request) throws Exception {
    var entity = new HashMap<String, String>();
    if (request.hasNonNull("user")) entity.put(ClientQuotaEntity.USER, request.get("user").asText());
    if (request.hasNonNull("clientId")) entity.put(ClientQuotaEntity.CLIENT_ID, request.get("clientId").asText());
    var value = request.hasNonNull("value") ? request.get("value").asDouble() : null;
    var change = new ClientQuotaAlteration(
        new ClientQuotaEntity(entity), List.of(new ClientQuotaAlteration.Op(request.get("key").asText(), value)));
    Clients.admin(request).alterClientQuotas(List.of(change)).all().get();
    return true;
  }

  /** {user, mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512", password}. */
  static Object setScram(JsonNode request) throws Exception {
    var mechanism = ScramMechanism.fromMechanismName(request.get("mechanism").asText());
    var change = new UserScramCredentialUpsertion(
        request.get("user").asText(), new ScramCredentialInfo(mechanism, 4096), request.get("password").asText());
    Clients.admin(request).alterUserScramCredentials(List.of(change)).all().get();
    return true;
  }

  private static List<AclBinding> bindings(JsonNode request) {
    var bindings = new ArrayList<AclBinding>();
    for (var acl : request.path("acls")) {
      var pattern = new ResourcePattern(
          ResourceType.valueOf(acl.get("resource").asText()),
          acl.path("name").asText("kafka-cluster"),
          PatternType.valueOf(acl.path("pattern").asText("LITERAL")));
      for (var operation : Topics.names(acl.path("operations"))) {
        bindings.add(new AclBinding(
            pattern,
            new AccessControlEntry(
                "User:" + acl.get("user").asText(),
                "*",
                AclOperation.valueOf(operation),
                AclPermissionType.valueOf(acl.path("permission").asText("ALLOW")))));
      }
    }
    return bindings;
  }

  /** {acls: [{user, resource: "TOPIC" | "GROUP" | "CLUSTER", name?, pattern?, operations, permission?}]}. */
  static Object grant(JsonNode request) throws Exception {
    var bindings = bindings(request);
    Clients.admin(request).createAcls(bindings).all().get();
    awaitAcls(request, bindings, true);
    return true;
  }

  /** The controller has decided; this waits until the broker that we ask, which enforces it, has heard. */
  private static void awaitAcls(JsonNode request, List<AclBinding> bindings, boolean there) throws Exception {
    var deadline = System.currentTimeMillis() + 30_000;
    for (var binding : bindings) {
      while (Clients.admin(request).describeAcls(binding.toFilter()).values().get().isEmpty() == there) {
        if (System.currentTimeMillis() > deadline) throw new IllegalStateException("the broker did not take up " + binding);
        Thread.sleep(20);
      }
    }
  }

  /** The same shape as grant. */
  static Object revoke(JsonNode request) throws Exception {
    var bindings = bindings(request);
    List<AclBindingFilter> filters = bindings.stream().map(AclBinding::toFilter).toList();
    var deleted = Clients.admin(request).deleteAcls(filters).all().get().size();
    awaitAcls(request, bindings, false);
    return deleted;
  }

  /** {group, offsets: {topic: {partition: offset}}} for a group without members. */
  static Object commitOffsets(JsonNode request) throws Exception {
    var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
    for (var topic : request.path("offsets").properties()) {
      for (var partition : topic.getValue().properties()) {
        offsets.put(
            new TopicPartition(topic.getKey(), Integer.parseInt(partition.getKey())),
            new OffsetAndMetadata(partition.getValue().asLong()));
      }
    }
    Clients.admin(request).alterConsumerGroupOffsets(request.get("group").asText(), offsets).all().get();
    return offsets.size();
  }

  /** {group} gives {topic: {partition: offset}}. */
  static Object groupOffsets(JsonNode request) throws Exception {
    var found = Clients.admin(request)
        .listConsumerGroupOffsets(request.get("group").asText()).partitionsToOffsetAndMetadata().get();
    var answer = new TreeMap<String, Map<Integer, Long>>();
    found.forEach((partition, offset) -> {
      if (offset != null) {
        answer.computeIfAbsent(partition.topic(), topic -> new TreeMap<>()).put(partition.partition(), offset.offset());
      }
    });
    return answer;
  }

  /** {group}. */
  static Object deleteGroup(JsonNode request) throws Exception {
    Clients.admin(request).deleteConsumerGroups(List.of(request.get("group").asText())).all().get();
    return true;
  }
}
