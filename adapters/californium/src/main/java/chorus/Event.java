// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonObject;
import java.net.InetSocketAddress;
import org.eclipse.californium.core.coap.Message;

/** An application event of docs/events.md; members that say nothing are left out. */
final class Event {
    final JsonObject members = new JsonObject();

    Event(String name) {
        members.addProperty("event", name);
    }

    Event with(String name, String value) {
        if (value != null && !value.isEmpty()) {
            members.addProperty(name, value);
        }
        return this;
    }

    Event payload(byte[] octets) {
        return with("payload", octets == null ? null : Text.hex(octets));
    }

    Event peer(InetSocketAddress endpoint) {
        return with("peer", Text.endpoint(endpoint));
    }

    Event group(boolean yes) {
        if (yes) {
            members.addProperty("group", true);
        }
        return this;
    }

    /** What is known of the message that the event is about. */
    Event message(Message message) {
        if (message.getType() != null) {
            with("type", message.getType().toString());
        }
        if (message.hasMID()) {
            members.addProperty("mid", message.getMID());
        }
        if (message.getToken() != null) {
            with("token", Text.hex(message.getToken().getBytes()));
        }
        return with("code", Text.code(message.getRawCode())).payload(message.getPayload());
    }
}
