import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads what a read_committed consumer may read, from the start to the ends that it finds when it begins. */
final class Dump {
  private static final long PATIENCE_MILLIS = 60_000;

  interface Sink {
    void take(ConsumerRecord<byte[], byte[]> record) throws IOException;
  }

  private static KafkaConsumer<byte[], byte[]> consumer(JsonNode request) {
    var properties = new Properties();
    properties.put("isolation.level", request.path("isolation").asText("read_committed"));
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "none");
    properties.put("max.poll.records", "5000");
    properties.put("fetch.max.wait.ms", "100");
    properties.put("max.partition.fetch.bytes", "8388608");
    properties.put("allow.auto.create.topics", "false");
    properties.putAll(Clients.properties(request));
    return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static List<TopicPartition> partitions(JsonNode request) throws Exception {
    var partitions = new ArrayList<TopicPartition>();
    for (var topic : new TreeSet<>(Topics.names(request.path("topics")))) {
      partitions.addAll(Topics.partitions(request, topic));
    }
    return partitions;
  }

  /** Reads `partitions` at the same time up to `ends`; records of one partition come in offset order. */
  private static void read(
      KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, Map<TopicPartition, Long> ends, Sink sink)
      throws IOException {
    consumer.assign(partitions);
    consumer.seekToBeginning(partitions);
    var open = new ArrayList<>(partitions);
    var deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
    while (true) {
      open.removeIf(partition -> {
        if (consumer.position(partition) < ends.get(partition)) return false;
        consumer.pause(List.of(partition));
        return true;
      });
      if (open.isEmpty()) return;
      var records = consumer.poll(Duration.ofMillis(500));
      if (!records.isEmpty()) deadline = System.currentTimeMillis() + PATIENCE_MILLIS;
      else if (System.currentTimeMillis() > deadline) throw new IOException("no record for a minute; still open: " + open);
      for (var record : records) {
        if (record.offset() < ends.get(new TopicPartition(record.topic(), record.partition()))) sink.take(record);
      }
    }
  }

  /**
   * {topics, file, isolation?} writes one JSON line per record, ordered by topic, partition and offset; file "-" is standard
   * output. Gives {records, ends: {topic: {partition: end}}}.
   */
  static Object dump(JsonNode request) throws Exception {
    var file = request.get("file").asText();
    var partitions = partitions(request);
    var count = new long[1];
    try (var consumer = consumer(request);
        OutputStream out = file.equals("-")
            ? new BufferedOutputStream(KafkaTool.OUT, 1 << 16)
            : new BufferedOutputStream(Files.newOutputStream(Path.of(file)), 1 << 16)) {
      var ends = consumer.endOffsets(partitions);
      var starts = consumer.beginningOffsets(partitions);
      var json = KafkaTool.JSON.getFactory().createGenerator(out);
      json.setRootValueSeparator(null);
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      for (var partition : partitions) {
        if (starts.get(partition) >= ends.get(partition)) continue;
        read(consumer, List.of(partition), ends, record -> {
          count[0]++;
          write(json, record);
        });
      }
      json.close();
      var answer = new LinkedHashMap<String, Object>();
      answer.put("records", count[0]);
      answer.put("ends", byTopic(partitions, ends));
      return answer;
    }
  }

  private static Object byTopic(List<TopicPartition> partitions, Map<TopicPartition, Long> ends) {
    var topics = new LinkedHashMap<String, Map<Integer, Long>>();
    for (var one : partitions) {
      topics.computeIfAbsent(one.topic(), topic -> new LinkedHashMap<>()).put(one.partition(), ends.get(one));
    }
    return topics;
  }

  private static void write(JsonGenerator json, ConsumerRecord<byte[], byte[]> record) throws IOException {
    json.writeStartObject();
    json.writeStringField("topic", record.topic());
    json.writeNumberField("partition", record.partition());
    json.writeNumberField("offset", record.offset());
    json.writeNumberField("timestamp", record.timestamp());
    json.writeFieldName("key");
    bytes(json, record.key());
    json.writeFieldName("value");
    bytes(json, record.value());
    json.writeArrayFieldStart("headers");
    for (var header : record.headers()) {
      json.writeStartArray();
      bytes(json, header.key().getBytes(StandardCharsets.UTF_8));
      bytes(json, header.value());
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
    json.writeRaw('\n');
  }

  private static void bytes(JsonGenerator json, byte[] bytes) throws IOException {
    if (bytes == null) json.writeNull();
    else json.writeBinary(bytes);
  }

  /**
   * {topics, isolation?} gives [{topic, partition, records, bytes, start, end, sha256}]: for sets too large to compare line by
   * line. The digest is over every record's offset (8 bytes), timestamp (8), key, value, number of headers (4) and each
   * header's key and value; byte strings are a length (4, -1 for null) and the bytes; integers are big-endian.
   */
  static Object digest(JsonNode request) throws Exception {
    var partitions = partitions(request);
    var digests = new HashMap<TopicPartition, Tally>();
    for (var partition : partitions) digests.put(partition, new Tally());
    try (var consumer = consumer(request)) {
      var ends = consumer.endOffsets(partitions);
      var starts = consumer.beginningOffsets(partitions);
      read(consumer, partitions, ends, record -> digests.get(new TopicPartition(record.topic(), record.partition())).add(record));
      var answer = new ArrayList<Object>();
      for (var partition : partitions) {
        var tally = digests.get(partition);
        var one = new LinkedHashMap<String, Object>();
        one.put("topic", partition.topic());
        one.put("partition", partition.partition());
        one.put("records", tally.records);
        one.put("bytes", tally.bytes);
        one.put("start", starts.get(partition));
        one.put("end", ends.get(partition));
        one.put("sha256", tally.hex());
        answer.add(one);
      }
      return answer;
    }
  }

  private static final class Tally {
    long records = 0;
    /** Key and value bytes. */
    long bytes = 0;

    private final MessageDigest sha256;
    private final DataOutputStream out;

    Tally() throws Exception {
      sha256 = MessageDigest.getInstance("SHA-256");
      out = new DataOutputStream(
          new BufferedOutputStream(new DigestOutputStream(OutputStream.nullOutputStream(), sha256), 1 << 14));
    }

    void add(ConsumerRecord<byte[], byte[]> record) throws IOException {
      records++;
      bytes += (record.key() == null ? 0 : record.key().length) + (record.value() == null ? 0 : record.value().length);
      out.writeLong(record.offset());
      out.writeLong(record.timestamp());
      put(record.key());
      put(record.value());
      var headers = record.headers().toArray();
      out.writeInt(headers.length);
      for (var header : headers) {
        put(header.key().getBytes(StandardCharsets.UTF_8));
        put(header.value());
      }
    }

    private void put(byte[] part) throws IOException {
      out.writeInt(part == null ? -1 : part.length);
      if (part != null) out.write(part);
    }

    String hex() throws IOException {
      out.flush();
      return HexFormat.of().formatHex(sha256.digest());
    }
  }
}
