// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;

/** The start message, as far as this adapter makes use of it. */
final class Start {
    private final JsonObject members;
    final List<InetAddress> addresses = new ArrayList<>();
    final NetworkInterface networkInterface;

    Start(JsonObject members) throws Failure {
        this.members = members;
        if (number("protocol", 0) != 1) {
            throw Failure.refused("protocol %s is not known, only 1", members.get("protocol"));
        }
        for (String text : texts("addresses")) {
            addresses.add(Text.address("addresses", text));
        }
        if (addresses.isEmpty()) {
            throw Failure.refused("addresses: there is none");
        }
        networkInterface = interfaceCalled(text("interface"));
    }

    private static NetworkInterface interfaceCalled(String name) throws Failure {
        try {
            NetworkInterface found = name == null ? null : NetworkInterface.getByName(name);
            if (found != null) {
                return found;
            }
        } catch (SocketException e) {
            // said below
        }
        throw Failure.refused("interface: there is no %s", name);
    }

    String text(String name) {
        JsonElement value = members.get(name);
        return value != null && value.isJsonPrimitive() ? value.getAsString() : null;
    }

    long number(String name, long otherwise) throws Failure {
        JsonElement value = members.get(name);
        try {
            return value == null ? otherwise : value.getAsLong();
        } catch (RuntimeException e) {
            throw Failure.refused("%s: %s is no number", name, value);
        }
    }

    boolean flag(String name, boolean otherwise) {
        JsonElement value = members.get(name);
        return value == null ? otherwise : value.getAsBoolean();
    }

    List<String> texts(String name) throws Failure {
        return texts(members, name);
    }

    static List<String> texts(JsonObject object, String name) throws Failure {
        List<String> all = new ArrayList<>();
        JsonElement list = object.get(name);
        if (list != null && !list.isJsonArray()) {
            throw Failure.refused("%s is no list", name);
        }
        if (list != null) {
            list.getAsJsonArray().forEach(item -> all.add(item.getAsString()));
        }
        return all;
    }

    /** The resources, or null when there is no such member. */
    JsonObject resources() throws Failure {
        JsonElement value = members.get("resources");
        if (value != null && !value.isJsonObject()) {
            throw Failure.refused("resources: an object of resources by path is needed");
        }
        return value == null ? null : value.getAsJsonObject();
    }

    /** The first own address of the same family, or null. */
    InetAddress ownAddress(InetAddress other) {
        boolean six = other instanceof Inet6Address;
        return addresses.stream().filter(a -> a instanceof Inet6Address == six).findFirst().orElse(null);
    }
}
