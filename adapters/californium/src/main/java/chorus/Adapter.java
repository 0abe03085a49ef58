// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.jar.JarFile;
import org.eclipse.californium.core.CoapServer;

/** Speaks the protocol of docs/plugins.md; Californium does everything that has to do with CoAP. */
public final class Adapter {
    /** What a role has to be able to do. */
    interface Node {
        void command(String verb, Arguments arguments) throws Failure;

        void stop();
    }

    private final Output out = new Output();
    private Node node;

    private Adapter() {}

    private Node nodeOf(JsonObject members) throws Failure {
        Start start = new Start(members);
        String role = String.valueOf(start.text("role"));
        switch (role) {
            case "server":
                return new Server(start, out);
            case "client":
                return new Client(start, out);
            default:
                throw Failure.refused("role %s is not known", role);
        }
    }

    /** Returns whether that was the end. */
    private boolean start(JsonElement members) {
        if (node != null || !members.isJsonObject()) {
            Output.complain("start: not an object, or started already");
            return false;
        }
        try {
            node = nodeOf(members.getAsJsonObject());
        } catch (Failure | RuntimeException e) {
            Output.complain(e.toString());
            out.say("refused", new JsonPrimitive(String.valueOf(e.getMessage())));
            return true;
        }
        JsonObject ready = new JsonObject();
        ready.addProperty("protocol", 1);
        ready.addProperty("stack", "californium");
        ready.addProperty("version", version());
        ready.addProperty("adapter", "1");
        out.say("ready", ready);
        return false;
    }

    private void command(JsonObject line) {
        JsonElement command = line.get("command");
        JsonElement id = line.get("id");
        if (!command.isJsonObject() || id == null || !id.isJsonPrimitive()) {
            Output.complain("a command is an object and has an id: " + line);
            return;
        }
        Failure failure = null;
        try {
            carryOut(command.getAsJsonObject());
        } catch (Failure e) {
            failure = e;
        } catch (RuntimeException e) {
            e.printStackTrace();
            failure = Failure.refused("%s", e);
        }
        out.reply(id.getAsLong(), failure);
    }

    private void carryOut(JsonObject command) throws Failure {
        JsonElement verb = command.get("verb");
        if (verb == null || !verb.isJsonPrimitive()) {
            throw Failure.badArgument("a command has a verb");
        }
        if (node == null) {
            throw Failure.refused("not started");
        }
        node.command(verb.getAsString(), new Arguments(verb.getAsString(), command.get("arguments")));
    }

    /** Carries out one line of Chorus; returns whether it was the last. */
    private boolean line(String text) {
        JsonElement parsed = JsonParser.parseString(text);
        if (!parsed.isJsonObject()) {
            throw new JsonParseException("no JSON object");
        }
        JsonObject line = parsed.getAsJsonObject();
        if (line.has("stop")) {
            return true;
        }
        if (line.has("start")) {
            return start(line.get("start"));
        }
        if (!line.has("command")) {
            throw new JsonParseException("neither start, command nor stop");
        }
        command(line);
        return false;
    }

    private void run() throws IOException {
        Lines lines = new Lines(new BufferedInputStream(System.in));
        boolean over = false;
        while (!over) {
            try {
                String text = lines.next();
                if (text == null) {
                    return;
                }
                over = !text.isBlank() && line(text);
            } catch (JsonParseException | NumberFormatException e) {
                Output.complain("line " + lines.number() + ": " + e.getMessage().lines().findFirst().orElse(""));
            }
        }
    }

    /** What the manifest of Californium's own jar says, so that it cannot differ from what is used. */
    private static String version() {
        try {
            Path jar = Path.of(CoapServer.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            try (JarFile file = new JarFile(jar.toFile())) {
                return file.getManifest().getMainAttributes().getValue("Bundle-Version");
            }
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("Californium's jar: " + e, e);
        }
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length == 1 && arguments[0].equals("--version")) {
            System.out.println(version());
            return;
        }
        if (arguments.length > 0) {
            System.err.println("usage: adapter [--version]");
            System.exit(2);
        }
        Adapter adapter = new Adapter();
        adapter.run();
        if (adapter.node != null) {
            adapter.node.stop();
        }
        System.exit(0); // threads of Californium's executors may linger
    }
}
