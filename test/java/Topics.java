import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ElectionNotNeededException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Topics, partitions and their offsets. */
final class Topics {
  private static final long PATIENCE_MILLIS = 60_000;

  static List<String> names(JsonNode list) {
    var names = new ArrayList<String>();
    for (var item : list) names.add(item.asText());
    return names;
  }

  /** Partition numbers in order. */
  static List<TopicPartition> partitions(JsonNode request, String topic) throws Exception {
    var description = Clients.admin(request).describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    var partitions = new ArrayList<TopicPartition>();
    for (var info : description.partitions()) partitions.add(new TopicPartition(topic, info.partition()));
    return partitions;
  }

  /**
   * {topics: [{name, partitions?, replicas?, config?}]} gives topic id by name. Returns when every partition has a leader.
   * Records never expire unless `config` says so: a record with a timestamp of the past would be gone within seconds.
   */
  static Object create(JsonNode request) throws Exception {
    var admin = Clients.admin(request);
    var created = new ArrayList<NewTopic>();
    for (var topic : request.path("topics")) {
      var config = new HashMap<String, String>();
      config.put("retention.ms", "-1");
      for (var entry : topic.path("config").properties()) config.put(entry.getKey(), entry.getValue().asText());
      var partitions = Optional.of(topic.path("partitions").asInt(1));
      var replicas = topic.hasNonNull("replicas") ? Optional.of((short) topic.get("replicas").asInt()) : Optional.<Short>empty();
      created.add(new NewTopic(topic.get("name").asText(), partitions, replicas).configs(config));
    }
    var result = admin.createTopics(created);
    result.all().get();
    var ids = new TreeMap<String, String>();
    for (var topic : created) {
      ids.put(topic.name(), result.topicId(topic.name()).get().toString());
      awaitLeaders(request, topic.name(), topic.numPartitions());
    }
    return ids;
  }

  interface Check {
    boolean holds() throws Exception;
  }

  /**
   * Waits until `check` holds. Each broker learns of a change at its own pace and the client asks any of them, so with several
   * brokers it has to hold eight times in a row.
   */
  private static void await(JsonNode request, String what, Check check) throws Exception {
    var wanted = Clients.admin(request).describeCluster().nodes().get().size() > 1 ? 8 : 1;
    var deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
    var inARow = 0;
    while (inARow < wanted) {
      try {
        inARow = check.holds() ? inARow + 1 : 0;
      } catch (ExecutionException notYet) {
        inARow = 0;
        if (System.currentTimeMillis() > deadline) throw notYet;
      }
      if (System.currentTimeMillis() > deadline) throw new IllegalStateException("waited a minute for: " + what);
      if (inARow < wanted) Thread.sleep(20);
    }
  }

  private static List<TopicPartitionInfo> infos(JsonNode request, String topic) throws Exception {
    return Clients.admin(request).describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions();
  }

  private static void awaitLeaders(JsonNode request, String topic, int partitions) throws Exception {
    await(request, "leaders of " + topic, () -> {
      var infos = infos(request, topic);
      return infos.size() >= partitions && infos.stream().allMatch(one -> one.leader() != null && !one.leader().isEmpty());
    });
    // Leadership is known to the brokers that answered; a read of the ends makes sure that the leaders know it too.
    offsetsOf(request, topic, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
  }

  /** {topics} deletes and waits until no broker that we ask knows them; missing topics are fine. */
  static Object delete(JsonNode request) throws Exception {
    var admin = Clients.admin(request);
    var names = names(request.path("topics"));
    for (var entry : admin.deleteTopics(names).topicNameValues().entrySet()) {
      try {
        entry.getValue().get();
      } catch (ExecutionException error) {
        if (!(error.getCause() instanceof UnknownTopicOrPartitionException)) throw error;
      }
    }
    await(request, "the end of " + names, () -> admin.listTopics().names().get().stream().noneMatch(names::contains));
    return names;
  }

  /** {topics} gives [{name, id, partitions: [{partition, leader, replicas, isr}]}]. */
  static Object describe(JsonNode request) throws Exception {
    var described = Clients.admin(request).describeTopics(names(request.path("topics"))).allTopicNames().get();
    var answer = new ArrayList<Object>();
    for (TopicDescription topic : new TreeMap<>(described).values()) {
      var partitions = new ArrayList<Object>();
      for (var info : topic.partitions()) {
        var partition = new LinkedHashMap<String, Object>();
        partition.put("partition", info.partition());
        partition.put("leader", info.leader() == null ? -1 : info.leader().id());
        partition.put("replicas", info.replicas().stream().map(node -> node.id()).toList());
        partition.put("isr", info.isr().stream().map(node -> node.id()).toList());
        partitions.add(partition);
      }
      answer.add(Map.of("name", topic.name(), "id", topic.topicId().toString(), "partitions", partitions));
    }
    return answer;
  }

  /** {topic, total} raises the number of partitions. */
  static Object addPartitions(JsonNode request) throws Exception {
    var topic = request.get("topic").asText();
    var total = request.get("total").asInt();
    Clients.admin(request).createPartitions(Map.of(topic, NewPartitions.increaseTo(total))).all().get();
    awaitLeaders(request, topic, total);
    return total;
  }

  static Map<Integer, Long> offsetsOf(JsonNode request, String topic, OffsetSpec spec, IsolationLevel isolation)
      throws Exception {
    var wanted = new HashMap<TopicPartition, OffsetSpec>();
    for (var partition : partitions(request, topic)) wanted.put(partition, spec);
    var found = Clients.admin(request).listOffsets(wanted, new ListOffsetsOptions(isolation)).all().get();
    var offsets = new TreeMap<Integer, Long>();
    found.forEach((partition, info) -> offsets.put(partition.partition(), info.offset()));
    return offsets;
  }

  /** {topics} gives {topic: [{partition, start, stable, end}]}: log start, last stable offset, high watermark. */
  static Object offsets(JsonNode request) throws Exception {
    var answer = new TreeMap<String, Object>();
    for (var topic : names(request.path("topics"))) {
      var start = offsetsOf(request, topic, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED);
      var stable = offsetsOf(request, topic, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED);
      var end = offsetsOf(request, topic, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED);
      var partitions = new ArrayList<Object>();
      for (var partition : start.keySet()) {
        var one = new LinkedHashMap<String, Object>();
        one.put("partition", partition);
        one.put("start", start.get(partition));
        one.put("stable", stable.get(partition));
        one.put("end", end.get(partition));
        partitions.add(one);
      }
      answer.put(topic, partitions);
    }
    return answer;
  }

  /** {topic, before: {partition: offset}} gives {partition: new log start}. */
  static Object deleteRecords(JsonNode request) throws Exception {
    var topic = request.get("topic").asText();
    var before = new HashMap<TopicPartition, RecordsToDelete>();
    for (var entry : request.path("before").properties()) {
      before.put(
          new TopicPartition(topic, Integer.parseInt(entry.getKey())),
          RecordsToDelete.beforeOffset(entry.getValue().asLong()));
    }
    var starts = new TreeMap<Integer, Long>();
    for (var entry : Clients.admin(request).deleteRecords(before).lowWatermarks().entrySet()) {
      starts.put(entry.getKey().partition(), entry.getValue().get().lowWatermark());
    }
    return starts;
  }

  /** {topic, partition, to} makes broker `to` the leader, adding it as a replica when it is none. */
  static Object moveLeader(JsonNode request) throws Exception {
    var admin = Clients.admin(request);
    var partition = new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
    var target = request.get("to").asInt();
    var present = infos(request, partition.topic()).get(partition.partition()).replicas();
    var replicas = new ArrayList<Integer>();
    replicas.add(target);
    for (var node : present) {
      if (node.id() != target && replicas.size() < present.size()) replicas.add(node.id());
    }
    var change = Map.of(partition, Optional.of(new NewPartitionReassignment(replicas)));
    admin.alterPartitionReassignments(change).all().get();
    await(
        request,
        "reassignment of " + partition,
        () -> admin.listPartitionReassignments(Set.of(partition)).reassignments().get().isEmpty());
    try {
      admin.electLeaders(ElectionType.PREFERRED, Set.of(partition)).all().get();
    } catch (ExecutionException error) {
      if (!(error.getCause() instanceof ElectionNotNeededException)) throw error;
    }
    await(request, "broker " + target + " leading " + partition, () -> {
      var leader = infos(request, partition.topic()).get(partition.partition()).leader();
      return leader != null && leader.id() == target;
    });
    return target;
  }
}
