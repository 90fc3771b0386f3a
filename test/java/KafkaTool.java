import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;

/**
 * Kafka's own clients behind one small protocol, so that tests compare our reading with somebody else's.
 *
 * <p>{@code KafkaTool serve}: each line of standard input is a request {@code {"id", "op", "bootstrap", ...}}, each line of
 * standard output an answer {@code {"id", "ok": ...}} or {@code {"id", "error": "..."}}. Requests run at the same time. The
 * program ends when its input ends.
 *
 * <p>{@code KafkaTool <op> '<request as JSON>'}: one request, its answer on standard output.
 */
public final class KafkaTool {
  interface Operation {
    Object run(JsonNode request) throws Exception;
  }

  static final ObjectMapper JSON = new ObjectMapper();

  static final Map<String, Operation> OPERATIONS = new TreeMap<>();

  static {
    OPERATIONS.put("createTopics", Topics::create);
    OPERATIONS.put("deleteTopics", Topics::delete);
    OPERATIONS.put("describeTopics", Topics::describe);
    OPERATIONS.put("addPartitions", Topics::addPartitions);
    OPERATIONS.put("offsets", Topics::offsets);
    OPERATIONS.put("deleteRecords", Topics::deleteRecords);
    OPERATIONS.put("moveLeader", Topics::moveLeader);
    OPERATIONS.put("alterConfig", Cluster::alterConfig);
    OPERATIONS.put("setQuota", Cluster::setQuota);
    OPERATIONS.put("setScram", Cluster::setScram);
    OPERATIONS.put("grant", Cluster::grant);
    OPERATIONS.put("revoke", Cluster::revoke);
    OPERATIONS.put("commitOffsets", Cluster::commitOffsets);
    OPERATIONS.put("groupOffsets", Cluster::groupOffsets);
    OPERATIONS.put("deleteGroup", Cluster::deleteGroup);
    OPERATIONS.put("consume", Consumers::consume);
    OPERATIONS.put("leave", Consumers::leave);
    OPERATIONS.put("produce", Load::produce);
    OPERATIONS.put("endTransaction", Load::endTransaction);
    OPERATIONS.put("load", Load::load);
    OPERATIONS.put("dump", Dump::dump);
    OPERATIONS.put("digest", Dump::digest);
    OPERATIONS.put("ping", request -> "pong");
  }

  /** The real standard output; anything else that prints is sent to standard error so that it cannot garble an answer. */
  static final PrintStream OUT = System.out;

  static Object call(JsonNode request) throws Exception {
    var name = request.path("op").asText();
    var operation = OPERATIONS.get(name);
    if (operation == null) throw new IllegalArgumentException("unknown op " + name + "; known: " + OPERATIONS.keySet());
    return operation.run(request);
  }

  /** Kafka's futures wrap the reason; the reason is what a test wants to see. */
  static String describe(Throwable thrown) {
    var cause = thrown instanceof ExecutionException && thrown.getCause() != null ? thrown.getCause() : thrown;
    return cause.getClass().getSimpleName() + ": " + cause.getMessage();
  }

  static void serve() throws Exception {
    var workers = Executors.newCachedThreadPool();
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isBlank()) continue;
      var request = JSON.readTree(line);
      workers.execute(() -> answer(request));
    }
    // Open transactions are left open on purpose: the program ends as a killed producer would.
    Runtime.getRuntime().halt(0);
  }

  static void answer(JsonNode request) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("id", request.path("id"));
    try {
      answer.set("ok", JSON.valueToTree(call(request)));
    } catch (Throwable thrown) {
      answer.put("error", describe(thrown));
    }
    synchronized (OUT) {
      OUT.println(answer);
      OUT.flush();
    }
  }

  public static void main(String[] arguments) throws Exception {
    System.setOut(System.err);
    if (arguments.length == 1 && arguments[0].equals("serve")) {
      serve();
      return;
    }
    if (arguments.length != 2) {
      System.err.println("usage: KafkaTool serve | KafkaTool <op> '<json>'; ops: " + OPERATIONS.keySet());
      System.exit(2);
    }
    var request = (ObjectNode) JSON.readTree(arguments[1]);
    request.put("op", arguments[0]);
    try {
      var result = JSON.writeValueAsString(call(request));
      // A dump to standard output is the output.
      if (!request.path("file").asText().equals("-")) OUT.println(result);
      OUT.flush();
      Runtime.getRuntime().halt(0);
    } catch (Throwable thrown) {
      System.err.println(describe(thrown));
      Runtime.getRuntime().halt(1);
    }
  }
}
