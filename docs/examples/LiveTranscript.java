// Prints what is being said, read straight from Kafka with Kafka's own client: docs/consuming.md has the rules.
//
//     java -cp 'libs/*' LiveTranscript.java --brokers localhost:9092 --registry http://localhost:8081
//
// `libs` is that folder of a Kafka download: its client and Jackson are all that this needs, with Java 17 or newer.
// Without --session it prints all sessions, for ever; with it that session from its first word to its last, and ends.
// In an application of yours take Confluent's KafkaAvroDeserializer or Apache Avro's GenericDatumReader for `Avro`.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public final class LiveTranscript {
    private final Avro avro;
    private final String session;
    private final Map<String, Integer> newest = new HashMap<>();

    private LiveTranscript(Avro avro, String session) {
        this.avro = avro;
        this.session = session;
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> asked = new HashMap<>(Map.of(
            "--brokers", "localhost:9092", "--registry", "http://localhost:8081", "--group", "live-transcript-example"));
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            asked.put(arguments[at], arguments[at + 1]);
        }
        Properties settings = new Properties();
        settings.put("bootstrap.servers", asked.get("--brokers"));
        settings.put("group.id", asked.get("--group")); // its place is kept under this name
        settings.put("auto.offset.reset", "earliest"); // of a group that has no place yet
        settings.put("enable.auto.commit", "false"); // what was not worked on is read again
        settings.put("isolation.level", "read_committed"); // not Java's default
        var telling = new LiveTranscript(new Avro(asked.get("--registry")), asked.get("--session"));
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("transcripts"));
            boolean goesOn = true;
            while (goesOn) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    goesOn = goesOn && telling.take(record.key(), record.value());
                }
                consumer.commitSync(); // after the work
            }
        }
    }

    /** Prints what a record says; false after the last one of the session that is wanted. */
    private boolean take(String key, byte[] value) throws IOException, InterruptedException {
        String[] names = key.split("\\|", 2);
        if (session != null && !session.equals(names[0])) {
            return true;
        }
        if (value == null) {
            System.out.println(names[0] + " " + names[1] + " deleted");
            return true;
        }
        Map<String, Object> utterance = avro.decoded(value);
        if (utterance.get("kind").equals("end")) {
            System.out.println(names[0] + " end");
            return session == null;
        }
        boolean isFinal = utterance.get("kind").equals("item") && utterance.get("status").equals("final");
        int revision = ((Number) utterance.get("revision")).intValue();
        String id = (String) utterance.get("utterance_id");
        if (!isFinal || revision <= newest.getOrDefault(id, 0)) {
            return true; // a kind of a later release, or written again after a crash
        }
        newest.put(id, revision);
        Object name = utterance.get("participant_name");
        System.out.println(names[0] + " " + (name == null ? "?" : name) + ": " + utterance.get("text"));
        return true;
    }

    /** Reads Avro in Confluent's wire format by the schema that it was written with. */
    private static final class Avro {
        private final ObjectMapper json = new ObjectMapper();
        private final HttpClient http = HttpClient.newHttpClient();
        private final Map<Integer, JsonNode> schemas = new HashMap<>();
        private final String registry;

        private Avro(String registry) {
            this.registry = registry;
        }

        @SuppressWarnings("unchecked")
        Map<String, Object> decoded(byte[] value) throws IOException, InterruptedException {
            ByteBuffer data = ByteBuffer.wrap(value);
            if (data.get() != 0) {
                throw new IOException("not in Confluent's wire format");
            }
            return (Map<String, Object>) read(schema(data.getInt()), data);
        }

        private JsonNode schema(int id) throws IOException, InterruptedException {
            if (!schemas.containsKey(id)) {
                var request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
                var answer = http.send(request, BodyHandlers.ofString());
                if (answer.statusCode() != 200) {
                    throw new IOException("the registry answered " + answer.statusCode());
                }
                schemas.put(id, json.readTree(json.readTree(answer.body()).get("schema").asText()));
            }
            return schemas.get(id);
        }

        private Object read(JsonNode schema, ByteBuffer data) throws IOException {
            if (schema.isArray()) {
                return read(schema.get((int) number(data)), data); // a union: which of its types follows
            }
            String type = schema.isTextual() ? schema.asText() : schema.get("type").asText();
            switch (type) {
                case "null": return null;
                case "boolean": return data.get() != 0;
                case "int": case "long": return number(data);
                case "float": return Float.intBitsToFloat(Integer.reverseBytes(data.getInt()));
                case "double": return Double.longBitsToDouble(Long.reverseBytes(data.getLong()));
                case "bytes": return bytes(data);
                case "string": return new String(bytes(data), StandardCharsets.UTF_8);
                case "enum": return schema.get("symbols").get((int) number(data)).asText();
                case "record":
                    Map<String, Object> fields = new LinkedHashMap<>();
                    for (JsonNode field : schema.get("fields")) {
                        fields.put(field.get("name").asText(), read(field.get("type"), data));
                    }
                    return fields;
                case "array":
                    List<Object> items = new ArrayList<>();
                    for (long left = number(data); left != 0; left = number(data)) {
                        if (left < 0) {
                            left = -left;
                            number(data); // the block's size, for those who want to skip it
                        }
                        for (; left > 0; left--) {
                            items.add(read(schema.get("items"), data));
                        }
                    }
                    return items;
                default: throw new IOException("no type of transcripts: " + type);
            }
        }

        private static byte[] bytes(ByteBuffer data) {
            byte[] read = new byte[(int) number(data)];
            data.get(read);
            return read;
        }

        private static long number(ByteBuffer data) {
            long value = 0;
            int shift = 0;
            byte read;
            do {
                read = data.get();
                value |= (long) (read & 0x7f) << shift;
                shift += 7;
            } while (read < 0);
            return value >>> 1 ^ -(value & 1);
        }
    }
}
