import static io.trino.testing.TestingSession.testSessionBuilder;

import io.trino.plugin.memory.MemoryPlugin;
import io.trino.spi.type.TimeZoneKey;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Trino's engine in this process: statements on stdin, each ended by a NUL, run one after the other; for each a line of
 * JSON on stdout, the rows of its answer with every value as text, or {"error": …}.
 */
final class Ask {
    public static void main(String[] args) throws Exception {
        var session = testSessionBuilder()
                .setCatalog("memory")
                .setSchema("default")
                .setTimeZoneKey(TimeZoneKey.UTC_KEY)
                .build();
        String input = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        try (LocalQueryRunner engine = LocalQueryRunner.create(session)) {
            engine.installPlugin(new MemoryPlugin());
            engine.createCatalog("memory", "memory", Map.of());
            for (String statement : input.split("\0")) {
                System.out.println(answer(engine, statement));
            }
        }
        System.exit(0);
    }

    private static String answer(LocalQueryRunner engine, String statement) {
        try {
            MaterializedResult result = engine.execute(statement);
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
