import static io.trino.testing.TestingSession.testSessionBuilder;

import io.trino.Session;
import io.trino.plugin.hive.HivePlugin;
import io.trino.plugin.iceberg.IcebergPlugin;
import io.trino.spi.type.TimeZoneKey;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import io.trino.testing.StandaloneQueryRunner;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Scanner;
import java.util.stream.Collectors;

/**
 * Trino's engine in this process, with the folder it is given as the catalogs `lake` (Hive) and `iceberg`. Statements come on
 * stdin, each ended by a NUL, its first line the schema it is asked in, which may name its catalog; for each goes a line of JSON to stdout: the rows of its answer with every
 * value as text, or {"error": …}.
 */
final class Ask {
    public static void main(String[] args) throws Exception {
        Session session = testSessionBuilder().setCatalog("lake").setTimeZoneKey(TimeZoneKey.UTC_KEY).build();
        // Taken before the engine starts, which makes log lines of all that is printed.
        var answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        try (var engine = new StandaloneQueryRunner(session)) {
            engine.installPlugin(new HivePlugin());
            engine.createCatalog("lake", "hive", catalogOf(args[0]));
            engine.installPlugin(new IcebergPlugin());
            engine.createCatalog("iceberg", "iceberg", icebergOf(args[0]));
            var statements = new Scanner(new InputStreamReader(System.in, StandardCharsets.UTF_8)).useDelimiter("\0");
            while (statements.hasNext()) {
                answers.println(answer(engine, statements.next().split("\n", 2)));
            }
        }
        System.exit(0);
    }

    private static Map<String, String> catalogOf(String folder) {
        return Map.of(
                "fs.native-local.enabled", "true",
                "local.location", folder,
                "hive.metastore", "file",
                "hive.metastore.catalog.dir", "local:///metastore",
                "hive.allow-register-partition-procedure", "true",
                "hive.timestamp-precision", "MICROSECONDS",
                "hive.parquet.time-zone", "UTC");
    }

    private static Map<String, String> icebergOf(String folder) {
        return Map.of(
                "fs.native-local.enabled", "true",
                "local.location", folder,
                "iceberg.catalog.type", "TESTING_FILE_METASTORE",
                "hive.metastore.catalog.dir", "local:///iceberg",
                "iceberg.register-table-procedure.enabled", "true");
    }

    private static String answer(StandaloneQueryRunner engine, String[] statement) {
        try {
            String[] place = statement[0].split("[.]");
            Session session = Session.builder(engine.getDefaultSession())
                    .setCatalog(place.length > 1 ? place[0] : "lake")
                    .setSchema(place[place.length - 1])
                    .build();
            MaterializedResult result = engine.execute(session, statement[1]);
            return result.getMaterializedRows().stream().map(Ask::row).collect(Collectors.joining(",", "[", "]"));
        } catch (RuntimeException problem) {
            return "{\"error\":" + quoted(String.valueOf(problem.getMessage())) + "}";
        }
    }

    private static String row(MaterializedRow row) {
        List<Object> fields = row.getFields();
        return fields.stream()
                .map(value -> value == null ? "null" : quoted(value.toString()))
                .collect(Collectors.joining(",", "[", "]"));
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char unit : text.toCharArray()) {
            if (unit < 32 || unit == '"' || unit == '\\' || unit > 126) {
                json.append(String.format("\\u%04x", (int) unit));
            } else {
                json.append(unit);
            }
        }
        return json.append('"').toString();
    }
}
