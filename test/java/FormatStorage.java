import java.io.BufferedReader;
import java.io.InputStreamReader;
import kafka.tools.StorageTool;

/**
 * Formats several brokers' log folders in one JVM. Each line of standard input is one call of Kafka's StorageTool, its
 * arguments separated by tabs.
 */
public final class FormatStorage {
  public static void main(String[] arguments) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (var line = lines.readLine(); line != null; line = lines.readLine()) {
      var code = StorageTool.execute(line.split("\t"), System.out);
      if (code != 0) System.exit(code);
    }
  }
}
