import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes records with Kafka's own producer. */
final class Load {
  /** Producers whose transaction a test left open, by transactional id. */
  private static final Map<String, KafkaProducer<byte[], byte[]>> OPEN = new ConcurrentHashMap<>();

  /** Timestamps start here unless told otherwise, so that two loads with one seed are alike to the byte. */
  private static final long EPOCH_MILLIS = 1_700_000_000_000L;

  private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");

  private static KafkaProducer<byte[], byte[]> producer(JsonNode request, String codec, String transactionalId) {
    var properties = new Properties();
    properties.put("compression.type", codec);
    properties.put("acks", "all");
    properties.put("batch.size", "131072");
    properties.put("linger.ms", "20");
    properties.put("buffer.memory", "134217728");
    properties.put("max.request.size", "33554432");
    properties.put("max.block.ms", "60000");
    if (transactionalId != null) {
      properties.put("transactional.id", transactionalId);
      properties.put("transaction.timeout.ms", request.path("transactionTimeoutMillis").asText("600000"));
    }
    properties.putAll(Clients.properties(request));
    Clients.addAll(properties, request.path("producer"));
    var producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    if (transactionalId != null) producer.initTransactions();
    return producer;
  }

  private static byte[] binary(JsonNode node) throws Exception {
    return node == null || node.isNull() || node.isMissingNode() ? null : node.binaryValue();
  }

  private static List<Header> headers(JsonNode list) throws Exception {
    var headers = new ArrayList<Header>();
    for (var pair : list) headers.add(new RecordHeader(pair.get(0).asText(), binary(pair.get(1))));
    return headers;
  }

  /**
   * {topic, records: [{partition?, key?, value?, timestamp?, headers?: [[text, base64 | null]]}], codec?, transaction?:
   * "commit" | "abort" | "open", transactionalId?} gives {records: [{partition, offset}], transactionalId?}. Keys and values
   * are base64 or null. Aborted records have offsets too. An open transaction stays open until endTransaction or the end of
   * this program.
   */
  static Object produce(JsonNode request) throws Exception {
    var topic = request.get("topic").asText();
    var fate = request.path("transaction").asText("");
    var transactionalId = fate.isEmpty() ? null : request.path("transactionalId").asText(UUID.randomUUID().toString());
    var held = transactionalId == null ? null : OPEN.remove(transactionalId);
    var producer = held != null ? held : producer(request, request.path("codec").asText("none"), transactionalId);
    var pending = new ArrayList<Future<RecordMetadata>>();
    var keep = false;
    try {
      if (transactionalId != null && held == null) producer.beginTransaction();
      for (var record : request.path("records")) {
        pending.add(producer.send(new ProducerRecord<>(
            topic,
            record.hasNonNull("partition") ? record.get("partition").asInt() : null,
            record.hasNonNull("timestamp") ? record.get("timestamp").asLong() : null,
            binary(record.get("key")),
            binary(record.get("value")),
            headers(record.path("headers")))));
      }
      producer.flush();
      var placed = new ArrayList<Object>();
      for (var one : pending) placed.add(Map.of("partition", one.get().partition(), "offset", one.get().offset()));
      switch (fate) {
        case "commit" -> producer.commitTransaction();
        case "abort" -> producer.abortTransaction();
        case "open" -> {
          OPEN.put(transactionalId, producer);
          keep = true;
        }
        case "" -> {}
        default -> throw new IllegalArgumentException("transaction: " + fate);
      }
      var answer = new LinkedHashMap<String, Object>();
      answer.put("records", placed);
      if (transactionalId != null) answer.put("transactionalId", transactionalId);
      return answer;
    } finally {
      if (!keep) producer.close();
    }
  }

  /** {transactionalId, commit: boolean} ends a transaction that produce left open. */
  static Object endTransaction(JsonNode request) {
    var producer = OPEN.remove(request.get("transactionalId").asText());
    if (producer == null) throw new IllegalArgumentException("no open transaction of that id here");
    try (producer) {
      if (request.path("commit").asBoolean()) producer.commitTransaction();
      else producer.abortTransaction();
    }
    return true;
  }

  /**
   * {topic, count, seed?, shape?: "json" | "random" | "mixed" | "keyed", codec?: a codec | "rotate", keyBytes?, valueBytes?,
   * transactionEvery?, firstTimestamp?, firstIndex?} writes `count` records, one partition after the other, each a function
   * of (seed, index), one millisecond apart. With transactionEvery=N every N records are a transaction and each third one is
   * aborted. "rotate" changes the codec every 1,000 records. Gives {records, aborted, bytes, seed, millis}.
   */
  static Object load(JsonNode request) throws Exception {
    var topic = request.get("topic").asText();
    var count = request.get("count").asLong();
    var seed = request.path("seed").asLong(System.nanoTime());
    var shape = request.path("shape").asText("json");
    var keyBytes = request.path("keyBytes").asInt(24);
    var valueBytes = request.path("valueBytes").asInt(1_000);
    var firstTimestamp = request.path("firstTimestamp").asLong(EPOCH_MILLIS);
    var firstIndex = request.path("firstIndex").asLong(0);
    var every = request.path("transactionEvery").asInt(0);
    var codec = request.path("codec").asText("none");
    var codecs = codec.equals("rotate") ? CODECS : List.of(codec);
    var partitions = Topics.partitions(request, topic).size();
    System.err.println("load " + topic + " seed " + seed);

    var failure = new AtomicReference<Exception>();
    var producers = new ArrayList<KafkaProducer<byte[], byte[]>>();
    var startedAt = System.nanoTime();
    var bytes = 0L;
    var aborted = 0L;
    try {
      for (var one : codecs) producers.add(producer(request, one, every > 0 ? UUID.randomUUID().toString() : null));
      var block = every > 0 ? every : 1_000;
      for (var start = 0L; start < count; start += block) {
        var number = start / block;
        var producer = producers.get((int) (number % producers.size()));
        var end = Math.min(count, start + block);
        if (every > 0) producer.beginTransaction();
        for (var at = start; at < end; at++) {
          var index = firstIndex + at;
          var made = switch (shape) {
            case "json" -> Shapes.plain(seed, index, keyBytes, valueBytes);
            case "random" -> Shapes.random(seed, index, keyBytes, valueBytes);
            case "mixed" -> Shapes.mixed(seed, index, valueBytes, false);
            case "keyed" -> Shapes.mixed(seed, index, valueBytes, true);
            default -> throw new IllegalArgumentException("shape: " + shape);
          };
          bytes += (made.key() == null ? 0 : made.key().length) + (made.value() == null ? 0 : made.value().length);
          var partition = (int) (index % partitions);
          producer.send(
              new ProducerRecord<>(topic, partition, firstTimestamp + index, made.key(), made.value(), made.headers()),
              (metadata, error) -> {
                if (error != null) failure.compareAndSet(null, error);
              });
        }
        if (every > 0) {
          if (number % 3 == 2) {
            producer.flush();
            producer.abortTransaction();
            aborted += end - start;
          } else producer.commitTransaction();
        }
        // Another producer takes over: what this one still holds must get its offsets first.
        else if (producers.size() > 1) producer.flush();
        if (failure.get() != null) throw failure.get();
      }
      for (var producer : producers) producer.flush();
      if (failure.get() != null) throw failure.get();
    } finally {
      for (var producer : producers) producer.close();
    }
    var answer = new LinkedHashMap<String, Object>();
    answer.put("records", count);
    answer.put("aborted", aborted);
    answer.put("bytes", bytes);
    answer.put("seed", seed);
    answer.put("millis", (System.nanoTime() - startedAt) / 1_000_000);
    return answer;
  }
}
