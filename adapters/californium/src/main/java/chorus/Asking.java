// SPDX-License-Identifier: BSD-2-Clause
package chorus;

import com.google.gson.JsonPrimitive;
import java.util.function.Consumer;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapHandler;
import org.eclipse.californium.core.CoapObserveRelation;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.coap.Request;
import org.eclipse.californium.core.coap.Response;

/** A request whose application is still listening. */
final class Asking implements CoapHandler {
    private final Wish wish;
    private final Output out;
    private final Consumer<Asking> over;
    private CoapObserveRelation relation;
    private boolean ended;

    Asking(Wish wish, Output out, Consumer<Asking> over) {
        this.wish = wish;
        this.out = out;
        this.over = over;
    }

    String id() {
        return wish.id;
    }

    private Event event(String name) {
        return new Event(name).with("request", wish.id).group(wish.group());
    }

    void begin(CoapClient client) {
        Request request = wish.request;
        Event event = event("request").peer(wish.destination).with("path", wish.path())
                .with("code", Text.code(request.getRawCode())).with("type", request.getType().toString())
                .payload(request.getPayload());
        event.members.add("timeout_ns", new JsonPrimitive(wish.timeout.toNanos()));
        out.event(event);
        if (!wish.observe) {
            client.advanced(this, request);
            return;
        }
        CoapObserveRelation made = client.observe(request, this);
        synchronized (this) {
            relation = made;
        }
    }

    @Override
    public synchronized void onLoad(CoapResponse loaded) {
        if (ended) {
            return;
        }
        Response response = loaded.advanced();
        out.event(event("deliver").peer(response.getSourceContext().getPeerAddress()).message(response));
        boolean more = wish.group() || wish.observe && response.getOptions().hasObserve();
        if (!more) {
            finish("answered");
        }
    }

    @Override
    public synchronized void onError() {
        Request request = wish.request;
        if (ended) {
            return;
        }
        if (request.getSendError() != null) {
            out.event(event("refused").with("detail", String.valueOf(request.getSendError().getMessage())));
            finish("refused");
        } else {
            finish(request.isRejected() ? "reset" : request.isTimedOut() ? "timeout" : "cancelled");
        }
    }

    /** The application stops listening. */
    void end(String detail) {
        synchronized (this) {
            if (ended) {
                return;
            }
            finish(detail);
        }
        if (relation != null) {
            relation.reactiveCancel();
        }
        wish.request.cancel();
    }

    private void finish(String detail) {
        ended = true;
        over.accept(this);
        out.event(event("done").with("detail", detail));
    }
}
