// SPDX-License-Identifier: BSD-2-Clause
package chorus;

/** Why a command was not carried out: a status of docs/plugins.md and a sentence. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    final String status;

    private Failure(String status, String why) {
        super(why);
        this.status = status;
    }

    static Failure unsupported(String format, Object... values) {
        return new Failure("unsupported", String.format(format, values));
    }

    static Failure badArgument(String format, Object... values) {
        return new Failure("bad-argument", String.format(format, values));
    }

    static Failure refused(String format, Object... values) {
        return new Failure("refused", String.format(format, values));
    }

    static Failure tooLarge(String format, Object... values) {
        return new Failure("too-large", String.format(format, values));
    }
}
