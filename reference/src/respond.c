/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of an outcome: suppressed, piggybacked, sent at once, or kept for later. */
#include "server.h"

/* Where a message of ours goes, and from where. */
struct route {
  struct chorus_endpoint destination, source;
};

/* The part of a representation that goes into this response (RFC 7959). */
struct slice {
  const uint8_t *payload;
  size_t length;
  int szx; /* -1: no Block2 */
  uint32_t block;
  uint32_t etag;
};

/* Room for one response: the largest message that is ever sent. */
struct response {
  uint8_t octets[REF_MESSAGE_MAX];
  size_t length;
};

void ref_send(const struct chorus_host *host, const struct chorus_endpoint *destination,
              const struct chorus_endpoint *source, const uint8_t *octets, size_t length) {
  struct chorus_datagram datagram = {
      .source = *source, .destination = *destination, .payload = octets, .length = length};
  host->ops->send(host->context, &datagram);
}

static void emit_suppress(const struct ref_server *s, const struct ref_work *w,
                          const char *detail) {
  if (!ref_listens(s->agenda->host)) return;
  struct chorus_event event = {.type = CHORUS_EVENT_SUPPRESS,
                               .path = w->path,
                               .detail = detail,
                               .peer = w->request.datagram->source,
                               .group = w->request.group};
  ref_event_message(&event, &w->message);
  event.code = w->outcome.code;
  ref_emit(s->agenda->host, &event);
}

/* Sends |octets| in reply to a Confirmable message, and remembers them for duplicates. */
static void reply(struct ref_server *s, const struct ref_work *w, const struct route *route,
                  const uint8_t *octets, size_t length) {
  ref_send(s->agenda->host, &route->destination, &route->source, octets, length);
  ref_exchanges_add(&s->exchanges, &w->request.datagram->source, w->message.mid, w->env.now, octets,
                    length);
}

static void reply_empty(struct ref_server *s, const struct ref_work *w, const struct route *route,
                        uint8_t type) {
  uint8_t octets[4];
  ref_encode_empty(octets, type, w->message.mid);
  reply(s, w, route, octets, sizeof octets);
}

static struct route route_of(struct ref_server *s, const struct ref_work *w) {
  struct route route;
  s->policy->response_route(&w->env, &w->request, &route.destination, &route.source);
  return route;
}

/* Octets that a response with the whole representation would have. */
static size_t whole_message(const struct ref_work *w) {
  size_t format = w->outcome.content_format == UINT16_MAX ? 0 : 2;
  return 4 + (size_t)w->message.token_length + format + 1 + w->outcome.payload_length;
}

/* Whether the rest of the payload can be fetched block by block. */
static bool is_body(const struct ref_work *w) {
  return w->outcome.code == REF_CODE(2, 5) || (w->outcome.code >> 5 == 2 && w->block_size >= 0);
}

/*
 * A payload that is no body to be fetched is left out where it is too much for a group: an
 * unauthenticated request should not evoke a far larger answer (RFC 7252, section 11.3). To one
 * client it is cut to the size of the blocks that it asked for (RFC 7959, section 2.4).
 */
static struct slice cut(const struct ref_work *w, struct slice all, size_t size) {
  if (w->request.group)
    all.length = 0;
  else if (w->block_size >= 0 && all.length > size)
    all.length = size;
  return all;
}

/* Cuts the representation to a block where one is asked for, or the policy wants one. */
static struct slice slice_of(struct ref_server *s, struct ref_work *w) {
  struct slice all = {w->outcome.payload, w->outcome.payload_length, -1, 0, 0};
  int szx = s->policy->block(&w->env, &w->request, all.length, whole_message(w), w->block_size);
  if (szx < 0) return all;
  if (!is_body(w)) return cut(w, all, (size_t)1 << (szx + 4));
  size_t size = (size_t)1 << (szx + 4);
  /* NUM counts blocks of the size that was asked for. */
  size_t asked = w->block_size < 0 ? size : (size_t)1 << (w->block_size + 4);
  size_t from = w->block_number < 0 ? 0 : (size_t)w->block_number * asked;
  struct slice part = {.szx = szx, .etag = ref_etag(all.payload, all.length)};
  if (from > 0 && from >= all.length) {
    w->outcome = (struct ref_outcome){.code = REF_CODE(4, 0), .content_format = UINT16_MAX};
    return (struct slice){.szx = -1};
  }
  bool more = all.length - from > size;
  part.payload = from ? all.payload + from : all.payload; /* may be empty, and NULL */
  part.length = more ? size : all.length - from;
  part.block = (uint32_t)(from / size) << 4 | (more ? 8u : 0u) | (uint32_t)szx;
  return part;
}

static void encode(struct ref_server *s, struct ref_work *w, uint8_t type, uint16_t mid,
                   struct response *r) {
  uint8_t token[8];
  uint8_t token_length = s->policy->response_token(&w->env, &w->request, token);
  struct slice slice = slice_of(s, w);
  struct ref_writer writer;
  ref_writer_begin(&writer, r->octets, sizeof r->octets, type, w->outcome.code, mid, token,
                   token_length);
  if (slice.szx >= 0) {
    uint8_t etag[4] = {(uint8_t)(slice.etag >> 24), (uint8_t)(slice.etag >> 16),
                       (uint8_t)(slice.etag >> 8), (uint8_t)slice.etag};
    ref_writer_option(&writer, REF_OPTION_ETAG, etag, sizeof etag);
  }
  if (w->outcome.content_format != UINT16_MAX)
    ref_writer_uint(&writer, REF_OPTION_CONTENT_FORMAT, w->outcome.content_format);
  if (slice.szx >= 0) ref_writer_uint(&writer, REF_OPTION_BLOCK2, slice.block);
  ref_writer_payload(&writer, slice.payload, slice.length);
  r->length = ref_writer_end(&writer);
}

static bool take_mid(struct ref_server *s, const struct ref_work *w, uint16_t *mid) {
  uint16_t fresh;
  if (!ref_mids_take(&s->mids, w->env.now, &fresh)) {
    emit_suppress(s, w, "no Message ID is free");
    return false;
  }
  *mid = s->policy->response_mid(&w->env, &w->request, fresh);
  return true;
}

/* Encodes a response that is a message of its own and sends it at |due|. */
static void send_at(struct ref_server *s, struct ref_work *w, chorus_time due) {
  uint16_t mid;
  struct response r;
  if (!take_mid(s, w, &mid)) return;
  uint8_t type = s->policy->response_type(&w->env, &w->request);
  struct route route = route_of(s, w);
  encode(s, w, type, mid, &r);
  if (due <= w->env.now && type != REF_CON)
    ref_send(s->agenda->host, &route.destination, &route.source, r.octets, r.length);
  else if (!ref_agenda_respond(s->agenda, due, &route.destination, &route.source, r.octets,
                               r.length))
    emit_suppress(s, w, "no memory");
}

static void respond_group(struct ref_server *s, struct ref_work *w) {
  struct ref_period *last = ref_period_of(s, &w->request.datagram->destination, w->env.now);
  struct ref_period none = {0, 0};
  if (!last) last = &none;
  struct ref_leisure_plan plan = s->policy->leisure(&w->env, &w->request, s->leisure, last);
  *last = plan.period;
  send_at(s, w, plan.due);
}

/* A piggybacked response, or an Empty ACK and a separate response (5.2.1, 5.2.2). */
static void respond_confirmable(struct ref_server *s, struct ref_work *w) {
  chorus_time processing = w->resource ? w->resource->processing : 0;
  struct route route = route_of(s, w);
  if (!s->policy->acknowledge(&w->env, &w->request)) {
    send_at(s, w, w->env.now + processing);
    return;
  }
  if (processing > 0) {
    reply_empty(s, w, &route, REF_ACK);
    send_at(s, w, w->env.now + processing);
    return;
  }
  struct response r;
  encode(s, w, REF_ACK, w->message.mid, &r);
  reply(s, w, &route, r.octets, r.length);
}

static void respond_once(struct ref_server *s, struct ref_work *w) {
  if (w->request.group)
    respond_group(s, w);
  else if (w->message.type == REF_CON)
    respond_confirmable(s, w);
  else
    send_at(s, w, w->env.now + (w->resource ? w->resource->processing : 0));
}

/* Why the response is withheld, or NULL. */
static const char *withheld(struct ref_server *s, struct ref_work *w) {
  const struct ref_server_policy *p = s->policy;
  bool base = p->suppress(&w->env, &w->request, &w->outcome);
  int bitmap = p->no_response(&w->env, &w->request);
  bool silent = p->combine(&w->env, &w->request, base, bitmap, w->outcome.code, s->only_widen);
  if (!silent) return NULL;
  return bitmap < 0 || (base && s->only_widen) ? "default" : "no-response";
}

/* Notes that this resource answered a group request with 2.05: from now on it keeps doing so. */
static void note_answered(struct ref_server *s, struct ref_work *w) {
  if (!w->request.group || w->outcome.code != REF_CODE(2, 5) || w->request.no_response >= 0) return;
  if (w->resource) w->resource->traits.answered_2_05 = true;
  if (w->is_discovery) s->discovery.answered_2_05 = true;
}

void ref_respond(struct ref_server *s, struct ref_work *w) {
  s->policy->finish(&w->env, &w->request, &w->outcome);
  const char *why = withheld(s, w);
  bool confirmable = w->message.type == REF_CON && !w->request.group;
  if (!why && !confirmable) {
    bool within = ref_rate_take(s, &w->request.datagram->source, w->env.now);
    if (!s->policy->permit(&w->env, &w->request, within)) why = "rate";
  }
  if (why) {
    emit_suppress(s, w, why);
    struct route route = route_of(s, w);
    if (confirmable) reply_empty(s, w, &route, REF_ACK);
    return;
  }
  note_answered(s, w);
  unsigned count = s->policy->response_count(&w->env, &w->request);
  for (unsigned i = 0; i < count; i++) respond_once(s, w);
}

void ref_reject(struct ref_server *s, struct ref_work *w, enum ref_fault fault) {
  if (s->multicast_unaware) w->request.group = false;
  uint8_t reaction = s->policy->reject(&w->env, &w->request, fault);
  if (reaction == REF_REACT_SILENCE) return;
  struct route route = route_of(s, w);
  if (reaction == REF_REACT_RESET) {
    uint8_t octets[4];
    ref_encode_empty(octets, REF_RST, w->message.mid);
    ref_send(s->agenda->host, &route.destination, &route.source, octets, sizeof octets);
    return;
  }
  w->outcome = (struct ref_outcome){.code = reaction, .content_format = UINT16_MAX};
  w->resource = NULL;
  w->block_size = w->block_number = -1;
  respond_once(s, w);
}
