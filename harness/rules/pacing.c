/* SPDX-License-Identifier: BSD-2-Clause */
/* How fast clients send: NSTART, PROBING_RATE, and updates that nobody answers. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/checks.h"
#include "rules/client.h"

/* ---- COAP-4.7-01: NSTART ---- */

#define EXCHANGES_KEPT 32

/* A Confirmable request that has not been acknowledged. */
struct exchange {
  struct chorus_endpoint server;
  uint64_t serial, token;
  chorus_time time;
  uint64_t frame;
  uint16_t mid, port;
  bool open;
};

struct exchanges {
  struct exchange at[EXCHANGES_KEPT];
  unsigned next, finished, open;
  unsigned overtaken; /* elsewhere: how often one request too many was seen before an ACK */
  struct {            /* too many, before the application had said its first word */
    struct chorus_endpoint server;
    unsigned open;
    uint64_t frame;
    chorus_time time;
  } early;
};

static void close_exchange(struct exchanges *all, struct exchange *x) {
  x->open = false;
  all->open--;
  all->finished++;
}

static unsigned open_at(struct exchanges *all, const struct chorus_endpoint *server,
                        chorus_time now) {
  unsigned count = 0;
  for (size_t i = 0; i < EXCHANGES_KEPT; i++) {
    struct exchange *x = &all->at[i];
    if (!x->open || !chorus_same_endpoint(&x->server, server)) continue;
    if (now - x->time >= JDG_EXCHANGE_LIFETIME)
      close_exchange(all, x);
    else
      count++;
  }
  return count;
}

static void open_exchange(struct jdg_look *look, struct exchanges *all) {
  const struct jdg_request *r = look->request;
  struct exchange *x = &all->at[all->next++ % EXCHANGES_KEPT];
  all->open += !x->open;
  *x = (struct exchange){
      .server = look->frame_info->destination,
      .serial = r->serial,
      .token = rule_token_key(r->token, r->token_length),
      .time = look->now,
      .frame = look->frame,
      .mid = look->coap->mid,
      .port = look->frame_info->source.port,
      .open = true,
  };
}

static unsigned nstart(const struct jdg_look *look) {
  return look->host->ics.nstart ? look->host->ics.nstart : 1;
}

static void too_many(struct jdg_look *look, uint64_t frame, const struct chorus_endpoint *server,
                     unsigned open) {
  char expected[96], text[CHORUS_ENDPOINT_TEXT];
  unsigned limit = nstart(look);
  snprintf(expected, sizeof expected, "at most %u outstanding interaction%s with a server", limit,
           limit == 1 ? "" : "s");
  jdg_break(look, frame, expected, "%u with %s", open, chorus_endpoint_text(server, text));
}

static void judge_start(struct jdg_look *look, struct exchanges *all) {
  const struct chorus_endpoint *server = &look->frame_info->destination;
  unsigned open = open_at(all, server, look->now);
  if (open < nstart(look)) {
    if (all->finished) jdg_pass(look);
    return;
  }
  if (look->host->has_events) {
    too_many(look, look->frame, server, open + 1);
    return;
  }
  /* An application may have given up on the earlier ones. */
  jdg_inconclusive(look, "Whether earlier requests were given up is known from events only.");
  all->early.server = *server;
  all->early.open = open + 1;
  all->early.frame = look->frame;
  all->early.time = look->now;
}

/* The events of a program come after its packets: if its first words are of requests, and come at
 * once, then it does say what becomes of them, and has given up on none. */
static void first_word(struct jdg_look *look, struct exchanges *all) {
  bool asks = look->event->type == CHORUS_EVENT_REQUEST;
  if (asks && look->now - all->early.time <= jdg_delta(look))
    too_many(look, all->early.frame, &all->early.server, all->early.open);
  all->early.open = 0;
}

static void sent_confirmable(struct jdg_look *look) {
  if (look->group || look->copy || look->coap->type != DIS_CON) return;
  if (!rule_own_request(look)) return;
  struct exchanges *all = jdg_state(look, sizeof *all);
  if (!all) return;
  if (look->certain)
    judge_start(look, all);
  else if (all->finished && !open_at(all, &look->frame_info->destination, look->now))
    jdg_pass(look);
  open_exchange(look, all);
}

/* An ACK or RST ends it by Message ID, a response by Token. */
static bool ends(const struct exchange *x, const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (!x->open || x->port != look->frame_info->destination.port) return false;
  if (m->type == DIS_ACK || m->type == DIS_RST) return x->mid == m->mid;
  return dis_is_response(m) && m->token_length <= 8 &&
         rule_token_key(m->token, m->token_length) == x->token;
}

static void received_something(struct jdg_look *look) {
  if (look->group || !(look->host->roles & JDG_CLIENT)) return;
  struct exchanges *all = jdg_state(look, sizeof *all);
  for (size_t i = 0; all && all->open && i < EXCHANGES_KEPT; i++)
    if (ends(&all->at[i], look)) close_exchange(all, &all->at[i]);
}

/*
 * A capture made elsewhere: requests that follow each other so fast that nobody has given up on the
 * first, whose response, in its ACK, is seen after them. An ACK that comes so shortly after the
 * second that the capture may have changed their order shows nothing; and once it may be seen late.
 */
#define AT_ONCE (100 * CHORUS_MILLISECOND)

static bool overtook(const struct exchange *y, const struct exchange *x,
                     const struct jdg_look *look) {
  if (!y->open || y == x || y->port != x->port || y->time < x->time) return false;
  if (y->time - x->time > AT_ONCE || look->now - y->time < RULE_ORDER_SLACK) return false;
  return y->frame > x->frame && chorus_same_endpoint(&y->server, &x->server);
}

static void answer_seen(struct jdg_look *look, struct exchanges *all, struct exchange *x) {
  unsigned open = 1;
  uint64_t frame = 0;
  for (size_t i = 0; i < EXCHANGES_KEPT; i++) {
    const struct exchange *y = &all->at[i];
    if (!overtook(y, x, look)) continue;
    open++;
    if (!frame || y->frame < frame) frame = y->frame;
  }
  if (open <= nstart(look)) return;
  if (open == nstart(look) + 1 && ++all->overtaken < 2)
    jdg_inconclusive(look, "The first acknowledgement may have been seen late.");
  else
    too_many(look, frame, &x->server, open);
}

static void acknowledged_elsewhere(struct jdg_look *look) {
  if (look->certain || look->copy || look->coap->type != DIS_ACK) return;
  struct exchanges *all = jdg_state(look, sizeof *all);
  for (size_t i = 0; all && all->open && i < EXCHANGES_KEPT; i++) {
    struct exchange *x = &all->at[i];
    if (!ends(x, look) || !chorus_same_endpoint(&x->server, &look->frame_info->source)) continue;
    answer_seen(look, all, x);
    close_exchange(all, x);
  }
}

static void application_said(struct jdg_look *look) {
  bool restart = look->event->type == CHORUS_EVENT_RESTART;
  if (!(look->host->roles & JDG_CLIENT)) return;
  struct exchanges *all = jdg_state(look, sizeof *all);
  if (all && all->early.open) first_word(look, all);
  if (!restart && look->event->type != CHORUS_EVENT_DONE) return;
  for (size_t i = 0; all && i < EXCHANGES_KEPT; i++) {
    struct exchange *x = &all->at[i];
    bool done = look->request && x->serial == look->request->serial;
    if (x->open && (restart || done)) close_exchange(all, x);
  }
}

void rule_coap_4_7_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_SENT) sent_confirmable(look);
  if (look->hook == JDG_ON_RECEIVED) received_something(look);
  if (look->hook == JDG_ON_RESPONSE_RECEIVED) acknowledged_elsewhere(look);
  if (look->hook == JDG_ON_EVENT) application_said(look);
}

/* ---- COAP-4.7-02: PROBING_RATE ---- */

#define PROBES_KEPT    16
#define PROBING_RATE   1u                   /* octets a second (RFC 7252, section 4.8) */
#define FAR_TOO_FAST   10u                  /* times PROBING_RATE: no matter of averaging */
#define PROBE_SPAN     (60 * CHORUS_SECOND) /* less than this is no average */
#define PROBE_REQUESTS 10u

/* Non-confirmable requests to one destination that has not answered. */
struct probe {
  struct chorus_endpoint to;
  chorus_time first, last;
  uint64_t octets; /* after the first message */
  uint64_t frame;
  unsigned requests;
};

struct probes {
  struct probe at[PROBES_KEPT];
  unsigned silent; /* how many are in use: none, most of the time */
};

static struct probe *probe_to(struct probes *all, const struct chorus_endpoint *to) {
  for (size_t i = 0; i < PROBES_KEPT; i++)
    if (all->at[i].requests && chorus_same_endpoint(&all->at[i].to, to)) return &all->at[i];
  return NULL;
}

static struct probe *new_probe(struct probes *all, const struct jdg_look *look) {
  struct probe *oldest = &all->at[0];
  for (size_t i = 1; i < PROBES_KEPT && oldest->requests; i++)
    if (!all->at[i].requests || all->at[i].last < oldest->last) oldest = &all->at[i];
  all->silent += oldest->requests == 0;
  *oldest = (struct probe){.to = look->frame_info->destination, .first = look->now};
  return oldest;
}

static void probe_sent(struct jdg_look *look) {
  if (!look->certain || !rule_own_request(look) || look->coap->type != DIS_NON) return;
  if (look->request->no_response != DIS_ABSENT) return; /* silence is what it asks for */
  struct probes *all = jdg_state(look, sizeof *all);
  if (!all) return;
  struct probe *p = probe_to(all, &look->frame_info->destination);
  if (!p) p = new_probe(all, look);
  if (p->requests++) p->octets += look->coap->length;
  p->last = look->now;
  p->frame = look->frame;
}

static void forget_probe(struct probes *all, const struct chorus_endpoint *to) {
  struct probe *p = probe_to(all, to);
  if (!p) return;
  p->requests = 0;
  all->silent--;
}

/* Any sign of life ends the measurement, of the peer and of the group it was asked in. */
static void probe_answered(struct jdg_look *look) {
  if (!look->certain || !(look->host->roles & JDG_CLIENT)) return;
  struct probes *all = jdg_state(look, sizeof *all);
  if (!all || !all->silent) return;
  if (look->hook == JDG_ON_RECEIVED)
    forget_probe(all, &look->frame_info->source);
  else if (look->arrival->request)
    forget_probe(all, &look->arrival->request->destination);
}

static void judge_probe(struct jdg_look *look, const struct probe *p) {
  if (p->requests < PROBE_REQUESTS || p->last - p->first < PROBE_SPAN) return;
  uint64_t seconds = (p->last - p->first) / CHORUS_SECOND;
  uint64_t rate = p->octets / seconds;
  char to[CHORUS_ENDPOINT_TEXT];
  chorus_endpoint_text(&p->to, to);
  static const char *const expected = "at most 1 octet/s on average towards a silent endpoint";
  if (p->octets <= PROBING_RATE * seconds)
    jdg_pass(look);
  else if (chorus_is_group(&p->to))
    jdg_remark(look, p->frame, "%llu octets in %llu s to the silent group %s (AMB-12).",
               (unsigned long long)p->octets, (unsigned long long)seconds, to);
  else if (rate <= FAR_TOO_FAST * PROBING_RATE)
    jdg_warn(look, p->frame, expected, "%llu octets in %llu s towards %s",
             (unsigned long long)p->octets, (unsigned long long)seconds, to);
  else
    jdg_break(look, p->frame, expected, "%llu octets in %llu s towards %s",
              (unsigned long long)p->octets, (unsigned long long)seconds, to);
}

void rule_coap_4_7_02(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_SENT) probe_sent(look);
  if (look->hook == JDG_ON_RECEIVED || look->hook == JDG_ON_RESPONSE_RECEIVED) probe_answered(look);
  if (look->hook != JDG_ON_END) return;
  struct probes *all = jdg_state(look, sizeof *all);
  for (size_t i = 0; all && i < PROBES_KEPT; i++) judge_probe(look, &all->at[i]);
}

/* ---- NR-13: open-loop updates ---- */

#define UPDATE_GAP   (3 * CHORUS_SECOND) /* RFC 7967, section 3.2 */
#define UPDATE_SPAN  (60 * CHORUS_SECOND)
#define STREAMS_KEPT 8
#define ALL_CLASSES  26u

struct stream {
  struct chorus_endpoint to;
  chorus_time first;
  unsigned updates; /* since |first|, without a request that could be answered */
};

static bool is_update(uint8_t code) {
  return code == 2 || code == 3 || code == 6 || code == 7; /* POST PUT PATCH iPATCH */
}

static bool open_loop(const struct jdg_look *look) {
  const struct jdg_request *r = look->request;
  return look->coap->type == DIS_NON && r->no_response == DIS_PRESENT &&
         (r->no_response_value & ALL_CLASSES) == ALL_CLASSES;
}

static struct stream *stream_to(struct stream *streams, const struct jdg_look *look) {
  const struct chorus_endpoint *to = &look->frame_info->destination;
  struct stream *oldest = &streams[0];
  for (size_t i = 0; i < STREAMS_KEPT; i++) {
    if (streams[i].updates && chorus_same_endpoint(&streams[i].to, to)) return &streams[i];
    if (streams[i].first < oldest->first) oldest = &streams[i];
  }
  *oldest = (struct stream){*to, look->now, 0};
  return oldest;
}

/* A request that can be answered closes the loop of all streams: fast ones did as they must. */
static void closed_loop(struct jdg_look *look, struct stream *streams) {
  for (size_t i = 0; i < STREAMS_KEPT; i++) {
    struct stream *s = &streams[i];
    if (s->updates > 1 && (look->now - s->first) / s->updates < UPDATE_GAP) jdg_pass(look);
    s->updates = 0;
  }
}

static void judge_stream(struct jdg_look *look, const struct stream *s) {
  chorus_time span = look->now - s->first;
  char text[32];
  if (span / (s->updates - 1) >= UPDATE_GAP - jdg_delta(look))
    jdg_pass(look);
  else if (!look->certain)
    jdg_inconclusive(look, "Requests that can be answered may have gone unseen.");
  else
    jdg_break(look, look->frame, "updates 3 s apart, or a request among them that can be answered",
              "%u updates with No-Response=26 in %s, none that can be answered", s->updates,
              jdg_time_text(span, text));
}

void rule_nr_13(struct jdg_look *look) {
  if (!rule_own_request(look) || look->copy) return;
  bool open = open_loop(look);
  if (open && !is_update(look->coap->code)) return;
  struct stream *streams = jdg_state(look, STREAMS_KEPT * sizeof *streams);
  if (!streams) return;
  if (!open) {
    closed_loop(look, streams);
    return;
  }
  struct stream *s = stream_to(streams, look);
  s->updates++;
  if (look->now - s->first < UPDATE_SPAN || s->updates < 3) return;
  judge_stream(look, s);
  s->updates = 0;
}
