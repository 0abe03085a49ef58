// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.californium.core.coap.CoAP;

/** Values as docs/plugins.md and docs/commands.md write them. */
final class Text {
    private static final Pattern ENDPOINT =
            Pattern.compile("(?:\\[([0-9a-fA-F:.%\\w]+)\\]|([0-9.]+)|([0-9a-fA-F:]+:[0-9a-fA-F:.%\\w]*))(?::(\\d{1,5}))?");
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ns|us|ms|s|min|h)");
    private static final Pattern CODE = Pattern.compile("([2-5])\\.(\\d\\d)");
    private static final Map<String, Long> UNITS = Map.of("ns", 1L, "us", 1_000L, "ms", 1_000_000L,
            "s", 1_000_000_000L, "min", 60_000_000_000L, "h", 3_600_000_000_000L);
    private static final String[] METHODS = {null, "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};

    private Text() {}

    static String hex(byte[] octets) {
        return HexFormat.of().formatHex(octets);
    }

    static byte[] octets(String name, String text) throws Failure {
        try {
            return HexFormat.of().parseHex(text);
        } catch (IllegalArgumentException e) {
            throw Failure.badArgument("%s: \"%s\" is not hexadecimal", name, text);
        }
    }

    static int number(String name, String text, int max) throws Failure {
        if (text.matches("\\d{1,9}") && Integer.parseInt(text) <= max) {
            return Integer.parseInt(text);
        }
        throw Failure.badArgument("%s: \"%s\" is no number up to %d", name, text, max);
    }

    static Duration duration(String name, String text) throws Failure {
        Matcher m = DURATION.matcher(text);
        if (!m.matches()) {
            throw Failure.badArgument("%s: \"%s\" is no duration such as 200ms", name, text);
        }
        return Duration.ofNanos(Math.multiplyExact(Long.parseLong(m.group(1)), UNITS.get(m.group(2))));
    }

    /** An address and a port; without a port, 5683. Never asks a name server. */
    static InetSocketAddress endpoint(String name, String text) throws Failure {
        Matcher m = ENDPOINT.matcher(text);
        if (!m.matches()) {
            throw Failure.badArgument("%s: \"%s\" is no endpoint", name, text);
        }
        int port = m.group(4) == null ? CoAP.DEFAULT_COAP_PORT : number(name, m.group(4), 65535);
        String address = m.group(1) != null ? m.group(1) : m.group(2) != null ? m.group(2) : m.group(3);
        return new InetSocketAddress(address(name, address), port);
    }

    static InetAddress address(String name, String text) throws Failure {
        boolean literal = text.indexOf(':') >= 0 || text.matches("\\d+(\\.\\d+){3}");
        try {
            if (literal) {
                return InetAddress.getByName(text);
            }
        } catch (UnknownHostException e) {
            // said below
        }
        throw Failure.badArgument("%s: \"%s\" is no address", name, text);
    }

    /** Whether an address means something only together with an interface. */
    static boolean isNarrow(InetAddress address) {
        return address instanceof Inet6Address
                && (address.isLinkLocalAddress() || address.isMCLinkLocal() || address.isMCNodeLocal());
    }

    /** The same address with the scope that it needs. */
    static InetAddress scoped(InetAddress address, NetworkInterface networkInterface) throws Failure {
        if (!isNarrow(address) || ((Inet6Address) address).getScopeId() != 0) {
            return address;
        }
        try {
            return Inet6Address.getByAddress(null, address.getAddress(), networkInterface.getIndex());
        } catch (UnknownHostException e) {
            throw Failure.badArgument("%s: %s", address, e);
        }
    }

    /** The shortest text of an address (RFC 5952), as Chorus writes it. */
    static String endpoint(InetSocketAddress endpoint) {
        InetAddress address = endpoint.getAddress();
        if (!(address instanceof Inet6Address)) {
            return address.getHostAddress() + ":" + endpoint.getPort();
        }
        int scope = ((Inet6Address) address).getScopeId();
        boolean local = isNarrow(address) && scope != 0;
        return "[" + ipv6(address.getAddress()) + (local ? "%" + scope : "") + "]:" + endpoint.getPort();
    }

    private static String ipv6(byte[] octets) {
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (octets[2 * i] & 0xff) << 8 | octets[2 * i + 1] & 0xff;
        }
        int start = -1;
        int length = 1;
        for (int i = 0; i < 8; i++) {
            int zeros = 0;
            while (i + zeros < 8 && groups[i + zeros] == 0) {
                zeros++;
            }
            if (zeros > length) {
                start = i;
                length = zeros;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == start) {
                text.append("::");
                i += length - 1;
                continue;
            }
            if (text.length() > 0 && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(groups[i]));
        }
        return text.toString();
    }

    static String code(int raw) {
        if (raw > 0 && raw < METHODS.length) {
            return METHODS[raw];
        }
        return String.format("%d.%02d", raw >> 5, raw & 0x1f);
    }

    static CoAP.Code method(String text) {
        for (int raw = 1; raw < METHODS.length; raw++) {
            if (METHODS[raw].equals(text)) {
                return CoAP.Code.valueOf(raw);
            }
        }
        return null;
    }

    /** A Response Code that Californium has a name for; it knows no others. */
    static CoAP.ResponseCode responseCode(String name, String text) throws Failure {
        Matcher m = CODE.matcher(text);
        if (!m.matches() || Integer.parseInt(m.group(2)) > 31) {
            throw Failure.badArgument("%s: \"%s\" is no Response Code such as 5.03", name, text);
        }
        int raw = Integer.parseInt(m.group(1)) << 5 | Integer.parseInt(m.group(2));
        for (CoAP.ResponseCode code : CoAP.ResponseCode.values()) {
            if (code.value == raw) {
                return code;
            }
        }
        throw Failure.unsupported("%s: Californium has no Response Code %s", name, text);
    }
}
