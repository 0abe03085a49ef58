// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.californium.core.CoapResource;
import org.eclipse.californium.core.coap.CoAP.Code;
import org.eclipse.californium.core.coap.CoAP.ResponseCode;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.californium.core.observe.ObserveRelation;
import org.eclipse.californium.core.server.resources.CoapExchange;

/** A resource as an application writes it: handlers, a representation, changed() when it is another. */
final class ChorusResource extends CoapResource {
    private final ResourceConfig config;
    private final Output out;
    private final ScheduledExecutorService later;
    private byte[] payload;
    private boolean exists = true;
    private ResponseCode settled; // what every request gets; null: what it deserves

    ChorusResource(String name, ResourceConfig config, Output out, ScheduledExecutorService later) {
        super(name, !config.hidden);
        this.config = config;
        this.out = out;
        this.later = later;
        payload = config.payload;
        settled = config.code;
        setObservable(config.observable);
        config.describe(getAttributes());
    }

    @Override
    public void handleGET(CoapExchange exchange) {
        handle(exchange);
    }

    @Override
    public void handlePOST(CoapExchange exchange) {
        handle(exchange);
    }

    @Override
    public void handlePUT(CoapExchange exchange) {
        handle(exchange);
    }

    @Override
    public void handleDELETE(CoapExchange exchange) {
        handle(exchange);
    }

    @Override
    public void handleFETCH(CoapExchange exchange) {
        handle(exchange);
    }

    @Override
    public void handlePATCH(CoapExchange exchange) {
        handle(exchange);
    }

    @Override
    public void handleIPATCH(CoapExchange exchange) {
        handle(exchange);
    }

    private void handle(CoapExchange exchange) {
        if (exchange.isMulticastRequest() && !config.multicast) {
            exchange.reject(); // says nothing to a group
            return;
        }
        Response response = responseTo(exchange);
        boolean slow = !config.processing.isZero() && !exchange.isMulticastRequest() && !isNotification(exchange);
        if (!slow) {
            exchange.respond(response);
            return;
        }
        exchange.accept();
        later.schedule(() -> exchange.respond(response), config.processing.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Californium calls handlers for notifications, too, with the request that began the observation. */
    private static boolean isNotification(CoapExchange exchange) {
        ObserveRelation relation = exchange.advanced().getRelation();
        return relation != null && relation.isEstablished();
    }

    private synchronized Response responseTo(CoapExchange exchange) {
        ResponseCode against = against(exchange);
        if (against != null) {
            return new Response(against);
        }
        if (!isNotification(exchange)) {
            out.event(describe(exchange));
        }
        Code method = exchange.getRequestCode();
        if (settled != null) {
            return withRepresentation(settled);
        }
        if (method == Code.GET || method == Code.FETCH) {
            return withRepresentation(ResponseCode.CONTENT);
        }
        return new Response(change(method, exchange.getRequestPayload()));
    }

    /** What speaks against running the method at all, or null. */
    private ResponseCode against(CoapExchange exchange) {
        Code method = exchange.getRequestCode();
        if (!config.methods.contains(method)) {
            return ResponseCode.METHOD_NOT_ALLOWED;
        }
        if (!exists && method != Code.PUT && method != Code.DELETE) {
            return ResponseCode.NOT_FOUND;
        }
        int accept = exchange.getRequestOptions().getAccept();
        boolean reads = method == Code.GET || method == Code.FETCH;
        if (reads && accept >= 0 && config.contentFormat >= 0 && accept != config.contentFormat) {
            return ResponseCode.NOT_ACCEPTABLE;
        }
        return null;
    }

    private Response withRepresentation(ResponseCode code) {
        Response response = new Response(code);
        response.setPayload(payload);
        if (config.contentFormat >= 0) {
            response.getOptions().setContentFormat(config.contentFormat);
        }
        return response;
    }

    private ResponseCode change(Code method, byte[] given) {
        if (method == Code.DELETE) {
            become(null, settled, "request");
            return ResponseCode.DELETED;
        }
        byte[] octets = given == null ? new byte[0] : given;
        if (config.kind == ResourceConfig.Kind.COUNTER) {
            long next = Long.parseLong(new String(payload, StandardCharsets.US_ASCII)) + 1;
            octets = Long.toString(next).getBytes(StandardCharsets.US_ASCII);
        } else if (method == Code.POST || method == Code.PATCH) {
            byte[] joined = Arrays.copyOf(payload, payload.length + octets.length);
            System.arraycopy(octets, 0, joined, payload.length, octets.length);
            octets = joined;
        }
        boolean created = !exists;
        become(octets, settled, "request");
        return created ? ResponseCode.CREATED : ResponseCode.CHANGED;
    }

    /** Changes the representation (null: there is none any more) and tells everybody, if it is another. */
    private synchronized void become(byte[] octets, ResponseCode code, String detail) {
        boolean same = exists == (octets != null) && settled == code
                && (octets == null || Arrays.equals(payload, octets));
        if (same) {
            return;
        }
        exists = octets != null;
        payload = exists ? octets : new byte[0];
        settled = code;
        out.event(state(payload, detail));
        if (config.observable) {
            changed();
        }
    }

    private Event state(byte[] octets, String detail) {
        return new Event("state").with("path", config.path).with("detail", detail).payload(octets)
                .with("code", settled == null ? null : Text.code(settled.value));
    }

    /** What a restart makes of the resource. */
    synchronized void sayRestart() {
        if (!exists || settled != config.code || !Arrays.equals(payload, config.payload)) {
            settled = config.code;
            out.event(state(config.payload, "restart"));
        }
    }

    /** The application changes its resource. */
    synchronized void set(Arguments arguments) throws Failure {
        byte[] octets = exists ? payload : null;
        String text = arguments.optional("payload");
        String hex = arguments.optional("payload-hex");
        String code = arguments.optional("code");
        if (text != null) {
            octets = text.getBytes(StandardCharsets.UTF_8);
        } else if (hex != null) {
            octets = Text.octets("payload-hex", hex);
        }
        boolean counter = config.kind == ResourceConfig.Kind.COUNTER;
        if (counter && octets != null && !new String(octets, StandardCharsets.UTF_8).matches("\\d{1,18}")) {
            throw Failure.badArgument("payload: a counter is a decimal number");
        }
        ResponseCode next = settled;
        if (code != null) {
            next = code.equals("auto") ? config.code : Text.responseCode("code", code);
        }
        become(octets, next, "set");
    }

    private static Event describe(CoapExchange exchange) {
        Request request = exchange.advanced().getRequest();
        StringBuilder path = new StringBuilder("/").append(request.getOptions().getUriPathString());
        List<String> queries = request.getOptions().getUriQuery();
        if (!queries.isEmpty()) {
            path.append('?').append(String.join("&", queries));
        }
        return new Event("execute").peer(exchange.getSourceSocketAddress()).with("path", path.toString())
                .group(exchange.isMulticastRequest()).message(request);
    }
}
