import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;

/** Client settings from a request, and one administration client per distinct set of them. */
final class Clients {
  private static final Map<Properties, Admin> ADMINS = new ConcurrentHashMap<>();

  /** `bootstrap` plus everything under `client`, under Kafka's own names (security.protocol, sasl.jaas.config, ...). */
  static Properties properties(JsonNode request) {
    var properties = new Properties();
    if (!request.hasNonNull("bootstrap")) throw new IllegalArgumentException("bootstrap is missing");
    properties.put("bootstrap.servers", request.get("bootstrap").asText());
    addAll(properties, request.path("client"));
    return properties;
  }

  static void addAll(Properties properties, JsonNode entries) {
    for (var entry : entries.properties()) properties.put(entry.getKey(), entry.getValue().asText());
  }

  static Admin admin(JsonNode request) {
    return ADMINS.computeIfAbsent(properties(request), Admin::create);
  }
}
