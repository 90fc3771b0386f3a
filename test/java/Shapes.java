import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** Records as a pure function of (seed, index): the same seed writes the same bytes, on any machine and any day. */
final class Shapes {
  record Made(byte[] key, byte[] value, List<Header> headers) {}

  private static final byte[][] WORDS = words();
  private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

  private static byte[][] words() {
    var random = new SplittableRandom(7);
    var words = new byte[512][];
    for (var index = 0; index < words.length; index++) {
      var word = new byte[3 + random.nextInt(8)];
      for (var at = 0; at < word.length; at++) word[at] = (byte) ('a' + random.nextInt(26));
      words[index] = word;
    }
    return words;
  }

  private static SplittableRandom randomFor(long seed, long index) {
    return new SplittableRandom(seed * 0x9E3779B97F4A7C15L + index);
  }

  /**
   * `bytes` of JSON-like text: field names that repeat, words from a list of 512, and identifiers that do not repeat. lz4 makes
   * it less than half as long, zstd somewhat more than a quarter.
   */
  static byte[] json(SplittableRandom random, int bytes) {
    var value = new byte[bytes];
    var at = append(value, 0, "{\"id\":\"");
    at = hex(random, value, at, 16);
    at = append(value, at, "\",\"customer\":\"cust-");
    at = hex(random, value, at, 8);
    at = append(value, at, "\",\"amount\":");
    at = append(value, at, Integer.toString(random.nextInt(1_000_000)));
    at = append(value, at, ",\"items\":[");
    while (at < bytes) {
      at = append(value, at, "{\"sku\":\"");
      at = hex(random, value, at, 10);
      at = append(value, at, "\",\"quantity\":");
      at = append(value, at, Integer.toString(random.nextInt(100)));
      at = append(value, at, ",\"name\":\"");
      for (var word = 0; word < 4; word++) {
        at = append(value, at, WORDS[random.nextInt(WORDS.length)]);
        at = append(value, at, " ");
      }
      at = append(value, at, "\",\"batch\":\"");
      at = hex(random, value, at, 8);
      at = append(value, at, "\",\"warehouse\":\"north-1\"},");
    }
    return value;
  }

  private static int append(byte[] target, int at, String text) {
    return append(target, at, text.getBytes(StandardCharsets.US_ASCII));
  }

  private static int append(byte[] target, int at, byte[] text) {
    var length = Math.min(text.length, target.length - at);
    if (length > 0) System.arraycopy(text, 0, target, at, length);
    return Math.min(target.length, at + text.length);
  }

  private static int hex(SplittableRandom random, byte[] target, int at, int digits) {
    var bits = random.nextLong();
    for (var digit = 0; digit < digits && at < target.length; digit++, at++) {
      target[at] = HEX[(int) (bits & 15)];
      bits >>>= 4;
    }
    return at;
  }

  static byte[] noise(SplittableRandom random, int bytes) {
    var value = new byte[bytes];
    random.nextBytes(value);
    return value;
  }

  /** A key of `keyBytes` and a JSON-like value of `valueBytes`, no headers: the shape of a benchmark. */
  static Made plain(long seed, long index, int keyBytes, int valueBytes) {
    var random = randomFor(seed, index);
    var key = new byte[keyBytes];
    var at = append(key, 0, "key-");
    while (at < keyBytes) at = hex(random, key, at, 16);
    return new Made(key, json(random, valueBytes), List.of());
  }

  /** Bytes that do not compress. */
  static Made random(long seed, long index, int keyBytes, int valueBytes) {
    var random = randomFor(seed, index);
    return new Made(noise(random, keyBytes), noise(random, valueBytes), List.of());
  }

  /**
   * Everything Kafka allows in a record, the odd cases often: null, empty, binary, repeated and large. A compacted topic takes
   * no record without a key: `isKeyed` leaves those out.
   */
  static Made mixed(long seed, long index, int valueBytes, boolean isKeyed) {
    var random = randomFor(seed, index);
    var key = switch (random.nextInt(8)) {
      case 0 -> isKeyed ? "key-0".getBytes(StandardCharsets.UTF_8) : null;
      case 1 -> new byte[0];
      case 2 -> noise(random, 1 + random.nextInt(40));
      default -> ("key-" + random.nextInt(200)).getBytes(StandardCharsets.UTF_8);
    };
    var value = switch (random.nextInt(12)) {
      case 0 -> null;
      case 1 -> new byte[0];
      case 2 -> noise(random, random.nextInt(valueBytes + 1));
      case 3 -> json(random, valueBytes * (1 + random.nextInt(10)));
      case 4 -> "žluťoučký kůň 🐎 \u0000 end".getBytes(StandardCharsets.UTF_8);
      case 5 -> new byte[random.nextInt(valueBytes + 1)];
      default -> json(random, 1 + random.nextInt(valueBytes));
    };
    var headers = new ArrayList<Header>();
    var count = random.nextInt(3) == 0 ? random.nextInt(5) : 0;
    for (var header = 0; header < count; header++) headers.add(header(random));
    return new Made(key, value, headers);
  }

  private static Header header(SplittableRandom random) {
    return switch (random.nextInt(6)) {
      case 0 -> new RecordHeader("null-value", (byte[]) null);
      case 1 -> new RecordHeader("empty-value", new byte[0]);
      case 2 -> new RecordHeader("", noise(random, 3));
      case 3 -> new RecordHeader("příliš-žluťoučký-☃", "unicode ☃".getBytes(StandardCharsets.UTF_8));
      case 4 -> new RecordHeader("binary", noise(random, 1 + random.nextInt(64)));
      default -> new RecordHeader("repeated", Integer.toString(random.nextInt(100)).getBytes(StandardCharsets.UTF_8));
    };
  }
}
