// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.server.resources.ResourceAttributes;

/** A resource of the start message. */
final class ResourceConfig {
    enum Kind { STATE, COUNTER, FIXED }

    private static final Pattern ATTRIBUTE = Pattern.compile("\\s*([^;=\\s]+)(?:=(?:\"([^\"]*)\"|([^;\"]*)))?\\s*;?");

    final String path;
    final Kind kind;
    final Set<Code> methods;
    final byte[] payload;
    final int contentFormat; // -1: none
    final boolean multicast;
    final boolean observable;
    final boolean hidden;
    final Duration processing;
    final ResponseCode code; // fixed: what every request gets; else null
    private final JsonObject members;

    ResourceConfig(String path, JsonElement described) throws Failure {
        if (!described.isJsonObject()) {
            throw Failure.refused("resources: %s is no object", path);
        }
        this.path = path;
        members = described.getAsJsonObject();
        kind = kind(text("kind", "state"));
        payload = Text.octets("payload", text("payload", ""));
        contentFormat = members.has("content_format") ? members.get("content_format").getAsInt() : -1;
        multicast = flag("multicast", true);
        observable = flag("observable", false);
        hidden = flag("hidden", false);
        processing = Duration.ofNanos(members.has("processing_ns") ? members.get("processing_ns").getAsLong() : 0);
        code = kind == Kind.FIXED ? Text.responseCode("code", text("code", "2.05")) : null;
        methods = methods(Start.texts(members, "methods"));
    }

    private Kind kind(String text) throws Failure {
        for (Kind known : Kind.values()) {
            if (known.name().toLowerCase().equals(text)) {
                return known;
            }
        }
        throw Failure.refused("%s: kind %s is not known", path, text);
    }

    private Set<Code> methods(List<String> names) throws Failure {
        Set<Code> found = EnumSet.noneOf(Code.class);
        for (String name : names) {
            Code method = Text.method(name);
            if (method == null) {
                throw Failure.refused("%s: method %s is not known", path, name);
            }
            found.add(method);
        }
        if (!found.isEmpty()) {
            return found;
        }
        switch (kind) {
            case STATE: return EnumSet.of(Code.GET, Code.PUT);
            case COUNTER: return EnumSet.of(Code.GET, Code.POST);
            default: return EnumSet.allOf(Code.class);
        }
    }

    private String text(String name, String otherwise) {
        return members.has(name) ? members.get(name).getAsString() : otherwise;
    }

    private boolean flag(String name, boolean otherwise) {
        return members.has(name) ? members.get(name).getAsBoolean() : otherwise;
    }

    /** Fills in what /.well-known/core tells of the resource. */
    void describe(ResourceAttributes attributes) {
        for (String name : text("rt", "").split(" ")) {
            addOnce(attributes, "rt", name);
        }
        for (String name : text("if", "").split(" ")) {
            addOnce(attributes, "if", name);
        }
        if (contentFormat >= 0) {
            attributes.addContentType(contentFormat);
        }
        if (observable) {
            attributes.setObservable();
        }
        Matcher m = ATTRIBUTE.matcher(text("attributes", ""));
        while (m.lookingAt()) {
            String value = m.group(2) != null ? m.group(2) : m.group(3);
            if (value == null && !attributes.containsAttribute(m.group(1))) {
                attributes.addAttribute(m.group(1));
            } else if (value != null) {
                addOnce(attributes, m.group(1), value);
            }
            m.region(m.end(), m.regionEnd());
        }
    }

    private static void addOnce(ResourceAttributes attributes, String name, String value) {
        if (!value.isEmpty() && !attributes.containsAttribute(name)
                || !value.isEmpty() && !attributes.getAttributeValues(name).contains(value)) {
            attributes.addAttribute(name, value);
        }
    }
}
