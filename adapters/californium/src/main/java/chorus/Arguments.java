// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The arguments of a command: pairs of name and value in the order given. */
final class Arguments {
    private final String verb;
    private final List<Map.Entry<String, String>> pairs = new ArrayList<>();

    Arguments(String verb, JsonElement list) throws Failure {
        this.verb = verb;
        if (list == null) {
            return;
        }
        if (!list.isJsonArray()) {
            throw Failure.badArgument("%s: the arguments are no list", verb);
        }
        for (JsonElement pair : list.getAsJsonArray()) {
            pairs.add(Map.entry(text(pair, 0), text(pair, 1)));
        }
    }

    private String text(JsonElement pair, int index) throws Failure {
        if (pair.isJsonArray() && pair.getAsJsonArray().size() == 2) {
            JsonArray both = pair.getAsJsonArray();
            if (both.get(index).isJsonPrimitive() && both.get(index).getAsJsonPrimitive().isString()) {
                return both.get(index).getAsString();
            }
        }
        throw Failure.badArgument("%s: an argument is a name and a value, both text", verb);
    }

    List<Map.Entry<String, String>> all() {
        return pairs;
    }

    Failure unknown(String name) {
        return Failure.unsupported("%s: argument \"%s\" is not known", verb, name);
    }

    /** Makes sure that there is nothing else than the names given. */
    void only(String... names) throws Failure {
        for (Map.Entry<String, String> pair : pairs) {
            if (!List.of(names).contains(pair.getKey())) {
                throw unknown(pair.getKey());
            }
        }
    }

    /** The value of an argument, or null. */
    String optional(String name) {
        String found = null;
        for (Map.Entry<String, String> pair : pairs) {
            found = pair.getKey().equals(name) ? pair.getValue() : found;
        }
        return found;
    }

    String needed(String name) throws Failure {
        String found = optional(name);
        if (found == null) {
            throw Failure.badArgument("%s: %s is needed", verb, name);
        }
        return found;
    }
}
