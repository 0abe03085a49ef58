// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.UDPConnector;
import org.eclipse.californium.elements.config.Configuration;

/** A CoapClient on one endpoint, with requests that go on. */
final class Client implements Adapter.Node {
    private final Start start;
    private final Output out;
    private final Configuration configuration;
    private CoapClient client;
    private final Map<String, Asking> going = new LinkedHashMap<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();

    Client(Start start, Output out) throws Failure {
        this.start = start;
        this.out = out;
        configuration = Configuration.createStandardWithoutFile();
        long msrd = start.number("msrd_ns", 0);
        if (msrd > 0) {
            configuration.set(CoapConfig.MAX_SERVER_RESPONSE_DELAY, msrd / 1_000_000, TimeUnit.MILLISECONDS);
        }
        open((int) start.number("port", 0));
    }

    /** The host chooses the source; an IPv4 one is named, so that the kernel knows the interface of groups. */
    private void open(int port) throws Failure {
        boolean four = start.addresses.stream().allMatch(address -> address instanceof Inet4Address);
        InetSocketAddress from =
                four ? new InetSocketAddress(start.addresses.get(0), port) : new InetSocketAddress(port);
        CoapEndpoint endpoint = new CoapEndpoint.Builder().setConfiguration(configuration)
                .setConnector(new UDPConnector(from, configuration)).build();
        client = new CoapClient();
        client.setEndpoint(endpoint);
        try {
            endpoint.start();
        } catch (IOException e) {
            throw Failure.refused("port %d: %s", port, e.getMessage());
        }
    }

    private void close() {
        client.getEndpoint().destroy();
        client.shutdown();
    }

    @Override
    public void stop() {
        endAll("stopped");
        close();
    }

    private void endAll(String detail) {
        List<Asking> all;
        synchronized (going) {
            all = List.copyOf(going.values());
        }
        all.forEach(asking -> asking.end(detail));
    }

    @Override
    public void command(String verb, Arguments arguments) throws Failure {
        switch (verb) {
            case "request":
                request(new Wish(arguments, start.networkInterface));
                return;
            case "forget":
                arguments.only("of");
                going(arguments.needed("of")).end("cancelled");
                return;
            case "restart":
                arguments.only("port");
                restart(arguments.optional("port"));
                return;
            default:
                throw Failure.unsupported("verb \"%s\" is not known", verb);
        }
    }

    private Asking going(String id) throws Failure {
        synchronized (going) {
            Asking found = going.get(id);
            if (found == null) {
                throw Failure.badArgument("there is no request %s", id);
            }
            return found;
        }
    }

    private void restart(String text) throws Failure {
        int port = text == null ? (int) start.number("port", 0) : Text.number("port", text, 65535);
        endAll("restart");
        close();
        out.event(new Event("restart"));
        open(port);
    }

    private void request(Wish wish) throws Failure {
        if (start.ownAddress(wish.destination.getAddress()) == null) {
            throw Failure.refused("uri: there is no own address of its family");
        }
        Asking asking;
        synchronized (going) {
            if (going.containsKey(wish.id)) {
                throw Failure.badArgument("id: %s is going on", wish.id);
            }
            asking = new Asking(wish, out, this::over);
            going.put(wish.id, asking);
        }
        clock.schedule(() -> asking.end("timeout"), wish.timeout.toNanos(), TimeUnit.NANOSECONDS);
        asking.begin(client);
    }

    private void over(Asking asking) {
        synchronized (going) {
            going.remove(asking.id());
        }
    }
}
