import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Members of consumer groups: they read some records, commit, and leave or stay. */
final class Consumers {
  private static final Map<String, KafkaConsumer<byte[], byte[]>> STAYING = new ConcurrentHashMap<>();

  /**
   * {group, topics, max, stay?, metadata?, client?}: joins the group, reads `max` records, commits after the last one of
   * each partition, and leaves unless it shall stay. Gives [{topic, partition, offset}] in the order of reading.
   */
  static Object consume(JsonNode request) throws Exception {
    var group = request.get("group").asText();
    var max = request.get("max").asInt();
    var properties = Clients.properties(request);
    properties.put("group.id", group);
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "earliest");
    properties.put("max.poll.records", Math.max(1, max));
    var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    var stays = request.path("stay").asBoolean();
    try {
      consumer.subscribe(Topics.names(request.path("topics")));
      var read = new ArrayList<Map<String, Object>>();
      var next = new HashMap<TopicPartition, OffsetAndMetadata>();
      var deadline = System.currentTimeMillis() + 60_000;
      while (read.size() < max || consumer.assignment().isEmpty()) {
        if (System.currentTimeMillis() > deadline) {
          throw new IllegalStateException("group " + group + " has read " + read.size() + " of " + max + " records");
        }
        for (var record : consumer.poll(Duration.ofMillis(200))) {
          if (read.size() == max) break;
          read.add(Map.of("topic", record.topic(), "partition", record.partition(), "offset", record.offset()));
          next.put(
              new TopicPartition(record.topic(), record.partition()),
              new OffsetAndMetadata(record.offset() + 1, record.leaderEpoch(), request.path("metadata").asText()));
        }
      }
      if (!next.isEmpty()) consumer.commitSync(next);
      if (stays) STAYING.put(group, consumer);
      return read;
    } finally {
      if (!stays) consumer.close();
    }
  }

  /** {group}: the member that stayed leaves. */
  static Object leave(JsonNode request) {
    var consumer = STAYING.remove(request.get("group").asText());
    if (consumer == null) return List.of();
    // The thread that joined is gone; a consumer has one user at a time, and nobody else uses this one.
    consumer.close();
    return true;
  }
}
