// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonParseException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Lines of at most 256 KiB, counted, so that complaints can name them. */
final class Lines {
    private static final int MAX = 256 * 1024;

    private final InputStream in;
    private int number;

    Lines(InputStream in) {
        this.in = in;
    }

    int number() {
        return number;
    }

    /** The next line, or null at the end; a line that is too long is skipped and complained of. */
    String next() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        number++;
        int octet;
        while ((octet = in.read()) >= 0 && octet != '\n') {
            if (line.size() <= MAX) {
                line.write(octet);
            }
        }
        if (octet < 0 && line.size() == 0) {
            return null;
        }
        if (line.size() > MAX) {
            throw new JsonParseException("longer than 256 KiB");
        }
        return line.toString(StandardCharsets.UTF_8);
    }
}
