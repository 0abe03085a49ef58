// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.californium.core.coap.CoAP;
import org.eclipse.californium.core.coap.Option;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.option.OptionRegistry;
import org.eclipse.californium.core.coap.option.StandardOptionRegistry;
import org.eclipse.californium.elements.AddressEndpointContext;

/** What a request command asks for, made into a request of Californium. */
final class Wish {
    private static final Pattern URI = Pattern.compile("(coaps?)://(\\[[^\\]]*\\](?::\\d+)?|[^/?#]*)([/?][^#]*)?");
    private static final Duration GROUP_PATIENCE = Duration.ofSeconds(20);
    private static final Duration UNICAST_PATIENCE = Duration.ofSeconds(93);
    private static final int PAYLOAD_MAX = 1024;

    final String id;
    final InetSocketAddress destination;
    final Duration timeout;
    final Request request;
    final boolean observe;

    Wish(Arguments arguments, NetworkInterface networkInterface) throws Failure {
        checkNames(arguments);
        id = arguments.needed("id");
        String uri = arguments.needed("uri");
        InetSocketAddress named = destination(uri);
        destination = new InetSocketAddress(Text.scoped(named.getAddress(), networkInterface), named.getPort());
        request = new Request(method(arguments.optional("method")), type(arguments.optional("type")));
        try {
            request.setDestinationContext(new AddressEndpointContext(destination));
            request.setURI(uri);
        } catch (IllegalArgumentException e) {
            throw Failure.badArgument("uri: %s", e.getMessage());
        }
        if (arguments.optional("payload") != null && arguments.optional("payload-hex") != null) {
            throw Failure.badArgument("payload and payload-hex: only one of them");
        }
        for (Map.Entry<String, String> argument : arguments.all()) {
            apply(argument.getKey(), argument.getValue());
        }
        String patience = arguments.optional("timeout");
        timeout = patience != null ? Text.duration("timeout", patience)
                : group() ? GROUP_PATIENCE : UNICAST_PATIENCE;
        observe = request.isObserve();
    }

    private static void checkNames(Arguments arguments) throws Failure {
        arguments.only("id", "uri", "method", "type", "payload", "payload-hex", "no-response", "accept",
                "content-format", "observe", "option", "timeout");
    }

    boolean group() {
        return destination.getAddress().isMulticastAddress();
    }

    private static InetSocketAddress destination(String uri) throws Failure {
        Matcher m = URI.matcher(uri);
        if (!m.matches()) {
            throw Failure.badArgument("uri: \"%s\" is no coap URI", uri);
        }
        if (m.group(1).equals("coaps")) {
            throw Failure.refused("uri: there is no DTLS");
        }
        return Text.endpoint("uri", m.group(2).replace("%25", "%"));
    }

    private static CoAP.Code method(String text) throws Failure {
        CoAP.Code method = text == null ? CoAP.Code.GET : Text.method(text);
        if (method == null) {
            throw Failure.badArgument("method: \"%s\" is not known", text);
        }
        return method;
    }

    /** auto is NON for a group, as Californium asks for it, and Californium's default otherwise. */
    private CoAP.Type type(String text) throws Failure {
        switch (String.valueOf(text)) {
            case "null":
            case "auto":
                return group() ? CoAP.Type.NON : CoAP.Type.CON;
            case "NON":
                return CoAP.Type.NON;
            case "CON":
                return CoAP.Type.CON;
            default:
                throw Failure.badArgument("type: \"%s\" is none of auto, NON, CON", text);
        }
    }

    private void apply(String name, String value) throws Failure {
        switch (name) {
            case "payload":
                setPayload(value.getBytes(StandardCharsets.UTF_8));
                break;
            case "payload-hex":
                setPayload(Text.octets(name, value));
                break;
            case "no-response":
                request.getOptions().setNoResponse(Text.number(name, value, 255));
                break;
            case "accept":
                request.getOptions().setAccept(Text.number(name, value, 65535));
                break;
            case "content-format":
                request.getOptions().setContentFormat(Text.number(name, value, 65535));
                break;
            case "observe":
                request.getOptions().setObserve(Text.number(name, value, 1));
                break;
            case "option":
                addOption(value);
                break;
            default: // used already
        }
    }

    private void setPayload(byte[] octets) throws Failure {
        if (octets.length > PAYLOAD_MAX) {
            throw Failure.tooLarge("payload: %d octets", octets.length);
        }
        request.setPayload(octets);
    }

    private void addOption(String text) throws Failure {
        int sign = text.indexOf('=');
        if (sign < 1) {
            throw Failure.badArgument("option: \"%s\" is not number=hex", text);
        }
        int number = Text.number("option", text.substring(0, sign), 65535);
        byte[] octets = Text.octets("option", text.substring(sign + 1));
        try {
            OptionRegistry known = StandardOptionRegistry.getDefaultOptionRegistry();
            request.getOptions().addOption(new Option(known.getDefinitionByNumber(number), octets));
        } catch (IllegalArgumentException e) {
            throw Failure.refused("option: %s", e.getMessage());
        }
    }

    String path() {
        String path = "/" + request.getOptions().getUriPathString();
        String query = String.join("&", request.getOptions().getUriQuery());
        return query.isEmpty() ? path : path + "?" + query;
    }
}
