// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.CoapServer;
import org.eclipse.californium.core.coap.CoAP;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.core.network.Endpoint;
import org.eclipse.californium.core.server.resources.Resource;
import org.eclipse.californium.elements.UDPConnector;
import org.eclipse.californium.elements.UdpMulticastConnector;
import org.eclipse.californium.elements.config.Configuration;

/** A CoapServer with one endpoint per own address, and a multicast receiver per group. */
final class Server implements Adapter.Node {
    private final Start start;
    private final Output out;
    private final int port;
    private final Configuration configuration;
    private final Map<String, ResourceConfig> configs = new LinkedHashMap<>();
    private final Map<String, ChorusResource> resources = new LinkedHashMap<>();
    private final Map<InetAddress, UDPConnector> connectors = new LinkedHashMap<>();
    private final Map<String, UdpMulticastConnector> groups = new LinkedHashMap<>();
    /** Groups that Chorus knows of; All CoAP Nodes need not be among them. */
    private final Set<String> said = new LinkedHashSet<>();
    private final ScheduledExecutorService later = Executors.newSingleThreadScheduledExecutor();
    private CoapServer server;

    Server(Start start, Output out) throws Failure {
        this.start = start;
        this.out = out;
        port = (int) start.number("port", CoAP.DEFAULT_COAP_PORT);
        configuration = configuration();
        JsonObject given = start.resources();
        for (Map.Entry<String, JsonElement> e : (given == null ? standardTree() : given).entrySet()) {
            configs.put(e.getKey(), new ResourceConfig(e.getKey(), e.getValue()));
        }
        open();
    }

    private Configuration configuration() throws Failure {
        Configuration made = Configuration.createStandardWithoutFile();
        long leisure = start.number("leisure_ns", -1);
        if (leisure >= 0) { // Californium draws a number below it, so it cannot be 0
            made.set(CoapConfig.LEISURE, Math.max(1, (int) (leisure / 1_000_000)), TimeUnit.MILLISECONDS);
        }
        if (!start.flag("dedup", true)) {
            made.set(CoapConfig.DEDUPLICATOR, CoapConfig.NO_DEDUPLICATOR);
        }
        return made;
    }

    /** The standard resources; the setup script puts them into the program's folder. */
    private static JsonObject standardTree() throws Failure {
        Path file = Path.of(System.getProperty("chorus.folder", "."), "tree.json");
        try {
            return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        } catch (IOException | RuntimeException e) {
            throw Failure.refused("standard resources: %s", e);
        }
    }

    private void open() throws Failure {
        server = new CoapServer(configuration);
        addResources();
        if (!start.flag("discovery", true)) {
            server.getRoot().delete(server.getRoot().getChild(".well-known"));
        }
        try {
            for (InetAddress address : start.addresses) {
                addEndpoint(address);
            }
            for (String group : start.texts("groups")) {
                join(group);
            }
            joinAllCoapNodes();
            startEndpoints();
        } catch (Failure e) {
            close();
            throw e;
        }
    }

    private void addEndpoint(InetAddress address) {
        UDPConnector connector = new UDPConnector(new InetSocketAddress(address, port), configuration);
        connector.setReuseAddress(true);
        connectors.put(address, connector);
        server.addEndpoint(new CoapEndpoint.Builder().setConfiguration(configuration).setConnector(connector).build());
    }

    private void startEndpoints() throws Failure {
        try {
            server.start();
        } catch (IllegalStateException e) {
            throw Failure.refused("%s: %s", start.addresses, e.getMessage());
        }
        for (Endpoint endpoint : server.getEndpoints()) {
            if (!endpoint.isStarted()) {
                throw Failure.refused("port %d of %s could not be opened", port, endpoint.getAddress());
            }
        }
    }

    private void addResources() throws Failure {
        resources.clear();
        for (ResourceConfig config : configs.values()) {
            String[] names = config.path.substring(1).split("/", -1);
            if (!config.path.startsWith("/") || names[0].isEmpty()) {
                throw Failure.refused("resources: %s: Californium answers for / itself", config.path);
            }
            Resource parent = server.getRoot();
            for (int i = 0; i + 1 < names.length; i++) {
                parent = childOf(parent, names[i]);
            }
            String name = names[names.length - 1];
            if (parent.getChild(name) != null) {
                throw Failure.refused("resources: %s has others below it; name it before them", config.path);
            }
            ChorusResource made = new ChorusResource(name, config, out, later);
            parent.add(made);
            resources.put(config.path, made);
        }
    }

    private static Resource childOf(Resource parent, String name) {
        if (parent.getChild(name) == null) {
            parent.add(new CoapResource(name, false));
        }
        return parent.getChild(name);
    }

    private void close() {
        server.stop();
        server.destroy();
        groups.values().forEach(UdpMulticastConnector::destroy);
        groups.clear();
        said.clear();
        connectors.clear();
    }

    @Override
    public void stop() {
        server.stop();
        groups.values().forEach(UdpMulticastConnector::stop);
    }

    @Override
    public void command(String verb, Arguments arguments) throws Failure {
        switch (verb) {
            case "set":
                arguments.only("path", "payload", "payload-hex", "code");
                resource(arguments.needed("path")).set(arguments);
                return;
            case "join":
                arguments.only("group");
                join(arguments.needed("group"));
                return;
            case "leave":
                arguments.only("group");
                leave(arguments.needed("group"));
                return;
            case "restart":
                arguments.only();
                restart();
                return;
            default:
                throw Failure.unsupported("verb \"%s\" is not known", verb);
        }
    }

    private ChorusResource resource(String path) throws Failure {
        ChorusResource found = resources.get(path);
        if (found == null) {
            throw Failure.badArgument("set: there is no resource %s", path);
        }
        return found;
    }

    private void restart() throws Failure {
        List<String> joined = List.copyOf(said);
        close();
        out.event(new Event("restart"));
        resources.values().forEach(ChorusResource::sayRestart);
        joined.forEach(group -> out.event(new Event("leave").with("peer", group).group(true)));
        open();
    }

    private void join(String text) throws Failure {
        InetSocketAddress group = Text.endpoint("group", text);
        if (!group.getAddress().isMulticastAddress()) {
            throw Failure.badArgument("group: %s is none", text);
        }
        if (group.getPort() == CoAP.DEFAULT_COAP_SECURE_PORT) {
            throw Failure.refused("group: port %d is for DTLS", group.getPort());
        }
        String name = Text.endpoint(group);
        if (said.contains(name)) {
            return;
        }
        if (!groups.containsKey(name)) {
            addReceiver(group);
        }
        said.add(name);
        out.event(new Event("join").with("peer", name).group(true));
    }

    /** Who offers discovery is there where it is asked for (RFC 7252, section 12.8), unasked and unsaid. */
    private void joinAllCoapNodes() throws Failure {
        if (port != CoAP.DEFAULT_COAP_PORT || !start.flag("discovery", true)) {
            return;
        }
        for (InetAddress everyone : List.of(CoAP.MULTICAST_IPV4, CoAP.MULTICAST_IPV6_LINKLOCAL,
                CoAP.MULTICAST_IPV6_SITELOCAL)) {
            InetSocketAddress group = new InetSocketAddress(everyone, port);
            if (start.ownAddress(everyone) != null && !groups.containsKey(Text.endpoint(group))) {
                addReceiver(group);
            }
        }
    }

    private void addReceiver(InetSocketAddress group) throws Failure {
        UDPConnector connector = connectors.get(start.ownAddress(group.getAddress()));
        if (connector == null) {
            throw Failure.refused("group: there is no address of the family of %s", group);
        }
        UdpMulticastConnector receiver = receiver(group);
        connector.addMulticastReceiver(receiver);
        groups.put(Text.endpoint(group), receiver);
    }

    /** Bound to the group, so that it hears nothing else. */
    private UdpMulticastConnector receiver(InetSocketAddress group) throws Failure {
        InetAddress address = Text.scoped(group.getAddress(), start.networkInterface);
        UdpMulticastConnector made = new UdpMulticastConnector.Builder()
                .setLocalAddress(address, group.getPort()).addMulticastGroup(address, start.networkInterface)
                .setConfiguration(configuration).setMulticastReceiver(true).build();
        try {
            made.start();
        } catch (IOException e) {
            throw Failure.refused("group: %s: %s", Text.endpoint(group), e);
        }
        return made;
    }

    private void leave(String text) throws Failure {
        InetSocketAddress group = Text.endpoint("group", text);
        UdpMulticastConnector receiver = groups.remove(Text.endpoint(group));
        if (receiver == null) {
            throw Failure.badArgument("group: no member of %s", text);
        }
        said.remove(Text.endpoint(group));
        connectors.get(start.ownAddress(group.getAddress())).removeMulticastReceiver(receiver);
        receiver.stop();
        receiver.destroy();
        out.event(new Event("leave").with("peer", Text.endpoint(group)).group(true));
    }
}
