// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import java.io.IOException;
import java.net.InetAddress;
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

/** A CoapClient per own address, with requests that go on. */
final class Client implements Adapter.Node {
    private final Start start;
    private final Output out;
    private final Configuration configuration;
    private final Map<InetAddress, CoapClient> clients = new LinkedHashMap<>();
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

    private void open(int port) throws Failure {
        for (InetAddress address : start.addresses) {
            UDPConnector connector = new UDPConnector(new InetSocketAddress(address, port), configuration);
            CoapEndpoint endpoint =
                    new CoapEndpoint.Builder().setConfiguration(configuration).setConnector(connector).build();
            CoapClient client = new CoapClient();
            client.setEndpoint(endpoint);
            clients.put(address, client);
            try {
                endpoint.start();
            } catch (IOException e) {
                throw Failure.refused("port %d of %s: %s", port, address.getHostAddress(), e.getMessage());
            }
        }
    }

    private void close() {
        clients.values().forEach(client -> {
            client.getEndpoint().destroy();
            client.shutdown();
        });
        clients.clear();
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
                request(new Wish(arguments));
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
        CoapClient client = clients.get(start.ownAddress(wish.destination.getAddress()));
        if (client == null) {
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
