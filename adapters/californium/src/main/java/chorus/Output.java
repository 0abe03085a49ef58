// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Standard output: whole lines, from any thread. Nobody else may write there. */
final class Output {
    private final PrintStream out;

    /** Takes standard output for itself and gives everybody else standard error. */
    Output() {
        out = System.out;
        System.setOut(System.err);
    }

    private synchronized void line(JsonObject members) {
        byte[] text = (members + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(text, 0, text.length);
        out.flush();
    }

    void say(String name, JsonElement value) {
        JsonObject members = new JsonObject();
        members.add(name, value);
        line(members);
    }

    void event(Event event) {
        say("event", event.members);
    }

    void reply(long id, Failure failure) {
        JsonObject members = new JsonObject();
        members.addProperty("reply", id);
        members.addProperty("status", failure == null ? "ok" : failure.status);
        if (failure != null) {
            members.addProperty("why", failure.getMessage());
        }
        line(members);
    }

    static void complain(String text) {
        System.err.println("californium adapter: " + text);
    }
}
