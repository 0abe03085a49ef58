/* SPDX-License-Identifier: BSD-2-Clause */
/* Confirmable messages: acknowledged or rejected, and retransmitted in time (RFC 7252,
 * section 4.2). */
#include "rules/checks.h"
#include "rules/client.h"
#include "rules/message.h"
#include "rules/server.h"

/* ---- COAP-4.2-01: every CON gets an ACK or a RST ---- */

/* Without an answer to a CON and this many more tries of it, silence is a counter-example. */
#define TRIES   3u
#define PENDING 8u
#define PORTS   8u

struct pending {
  struct chorus_endpoint peer;
  uint16_t mid, port; /* the port that it came to */
  bool rejectable;    /* Empty or malformed: RST, not ACK */
  bool answered;      /* once; what is counted are its duplicates since then */
  bool echoed;        /* a NON with its Message ID and Token left: it came, and was taken */
  uint8_t token[8], token_length;
  unsigned tries;     /* arrivals */
  unsigned witnessed; /* arrivals after which the node has sent something else */
  chorus_time first, last;
  uint64_t frame;
};

/* Elsewhere: a Confirmable request that was answered, but not acknowledged. */
struct unacknowledged {
  struct chorus_endpoint peer;
  uint16_t mid;
  uint64_t frame; /* of the answer; 0: unused */
  chorus_time time;
};

struct answering {
  struct pending pending[PENDING];
  unsigned count;
  struct unacknowledged seen[PENDING];
  unsigned seen_next, seen_acknowledged;
  uint16_t ports[PORTS]; /* that the node has sent from: somebody is there */
  unsigned port_count;
};

static bool port_in_use(const struct answering *a, uint16_t port) {
  for (unsigned i = 0; i < a->port_count; i++)
    if (a->ports[i] == port) return true;
  return false;
}

static void port_used(struct answering *a, uint16_t port) {
  if (port_in_use(a, port)) return;
  if (a->port_count < PORTS) {
    a->ports[a->port_count++] = port;
    return;
  }
  memmove(a->ports, a->ports + 1, (PORTS - 1) * sizeof a->ports[0]);
  a->ports[PORTS - 1] = port;
}

static void drop(struct answering *a, unsigned i) {
  a->pending[i] = a->pending[--a->count];
}

/* An ICMP error: nobody listens at |port| any longer. */
static void port_closed(struct answering *a, uint16_t port) {
  for (unsigned i = 0; i < a->port_count; i++)
    if (a->ports[i] == port) a->ports[i--] = a->ports[--a->port_count];
  for (unsigned i = 0; i < a->count; i++)
    if (a->pending[i].port == port) drop(a, i--);
}

static void decide(struct jdg_look *look, const struct answering *a, const struct pending *p) {
  if (rule_restarted_since(look->host, p->first) || !port_in_use(a, p->port)) return;
  if (!p->witnessed || look->now < p->last + look->host->ics.processing + jdg_delta(look)) return;
  if (p->answered && p->witnessed >= TRIES)
    /* Section 4.5: the answer to each duplicate is a SHOULD. */
    jdg_warn(look, p->frame, "ACK or RST of each duplicate",
             "none, mid=0x%04x received %u times after its answer", p->mid, p->tries);
  else if (p->answered)
    return;
  else if (p->echoed)
    jdg_break(look, p->frame, "ACK or RST", "a NON response with its Message ID, mid=0x%04x",
              p->mid);
  else if (p->witnessed >= TRIES)
    jdg_break(look, p->frame, p->rejectable ? "RST" : "ACK or RST",
              "none, mid=0x%04x received %u times", p->mid, p->tries);
  else
    jdg_inconclusive(
        look,
        "A Confirmable message got neither ACK nor RST, in fewer than 3 tries after which "
        "the node showed that it was there.");
}

static struct pending *pending_find(struct answering *a, const struct chorus_endpoint *peer,
                                    uint16_t mid) {
  for (unsigned i = 0; i < a->count; i++)
    if (a->pending[i].mid == mid && chorus_same_endpoint(&a->pending[i].peer, peer))
      return &a->pending[i];
  return NULL;
}

/* Of two, the one that is missed less: an answered one, or else the older one. */
static bool before(const struct pending *x, const struct pending *y) {
  return x->answered != y->answered ? x->answered : x->first < y->first;
}

static struct pending *pending_new(struct jdg_look *look, struct answering *a) {
  if (a->count < PENDING) return &a->pending[a->count++];
  unsigned oldest = 0;
  for (unsigned i = 1; i < PENDING; i++)
    if (before(&a->pending[i], &a->pending[oldest])) oldest = i;
  decide(look, a, &a->pending[oldest]);
  return &a->pending[oldest];
}

/* The Message ID was in use already: the node may take this for a duplicate, and answer as before.
 */
static bool mid_seen(const struct jdg_look *look) {
  if (look->reception && look->reception->duplicate_of_known) return true;
  return look->arrival && look->arrival->due == JDG_UNCERTAIN;
}

static void con_arrived(struct jdg_look *look, struct answering *a) {
  const struct dis_coap *m = look->coap;
  struct pending *p = pending_find(a, &look->frame_info->source, m->mid);
  if (p && look->now - p->first >= RULE_EXCHANGE_LIFETIME) {
    decide(look, a, p);
    drop(a, (unsigned)(p - a->pending));
    p = NULL;
  }
  if (!p) {
    p = pending_new(look, a);
    *p = (struct pending){.peer = look->frame_info->source,
                          .mid = m->mid,
                          .port = look->frame_info->destination.port,
                          .rejectable = (m->code == 0 || m->errors != 0) && !mid_seen(look),
                          .first = look->now};
    if (!m->errors && m->code && m->token_length <= sizeof p->token) {
      p->token_length = (uint8_t)m->token_length;
      memcpy(p->token, m->token, p->token_length);
    }
  }
  /* Under the Message ID of one that is rejected, this may be one that is not. */
  if (m->code != 0 && m->errors == 0) p->rejectable = false;
  p->tries++;
  p->last = look->now;
  p->frame = look->frame;
}

/* An ACK or RST left the node. */
static void answer_sent(struct jdg_look *look, struct answering *a) {
  struct pending *p = pending_find(a, &look->frame_info->destination, look->coap->mid);
  if (!p) return;
  if (p->rejectable && look->coap->type == DIS_ACK)
    jdg_break(look, look->frame, "RST", "ACK, mid=0x%04x", p->mid);
  else
    jdg_pass(look);
  p->answered = true;
  p->tries = p->witnessed = 0;
}

/* The type of a response is no matter of taste here: its Message ID is that of the request. */
static void response_sent(struct jdg_look *look, struct answering *a) {
  const struct dis_coap *m = look->coap;
  struct pending *p = pending_find(a, &look->frame_info->destination, m->mid);
  if (!p || !p->token_length || p->token_length != m->token_length) return;
  if (memcmp(p->token, m->token, p->token_length) == 0) p->echoed = true;
}

static void something_sent(struct jdg_look *look, struct answering *a) {
  const struct dis_coap *m = look->coap;
  port_used(a, look->frame_info->source.port);
  if (m->type == DIS_ACK || m->type == DIS_RST) answer_sent(look, a);
  if (m->type == DIS_NON && m->code >> 5 >= 2) response_sent(look, a);
  for (unsigned i = 0; i < a->count; i++)
    if (a->pending[i].last < look->now) a->pending[i].witnessed = a->pending[i].tries;
}

/*
 * What a server says of a request shows that it came, and that somebody was there then. Of
 * duplicates it says nothing: that they came to somebody is shown by what it says later.
 */
static void event_seen(const struct jdg_look *look, struct answering *a) {
  const struct jdg_reception *r = look->reception;
  if (!r) return;
  for (unsigned i = 0; i < a->count; i++) {
    struct pending *p = &a->pending[i];
    bool own = r->mid == p->mid && chorus_same_endpoint(&r->source, &p->peer);
    if (own) port_used(a, p->port);
    if (own || p->last < look->now) p->witnessed = p->tries;
  }
}

/* Table 1: an ACK carries no request, and a RST is Empty. */
static void judge_reply_content(struct jdg_look *look) {
  uint32_t errors = look->coap->errors & (DIS_ERROR_RST_CODE | DIS_ERROR_ACK_REQUEST);
  if (errors && rule_surely_coap(look))
    jdg_break(look, look->frame, "ACK with a response or Empty, RST Empty", "%s",
              dis_error_text(errors));
}

/* Empty or malformed, it must be rejected. */
static bool acknowledged_wrongly(const struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (look->coap->type != DIS_ACK || !r || r->type != DIS_CON || r->mid != look->coap->mid)
    return false;
  if (r->group || r->duplicate_of_known || (r->errors & DIS_ERROR_VERSION)) return false;
  return r->code == 0 || r->errors != 0;
}

static bool seen_before(const struct answering *a, const struct jdg_reception *r) {
  for (unsigned i = 0; i < PENDING; i++)
    if (a->seen[i].frame && a->seen[i].mid == r->mid &&
        chorus_same_endpoint(&a->seen[i].peer, &r->source))
      return true;
  return false;
}

/*
 * A response in a message of its own: the ACK may have gone before, may follow, or may be lost. The
 * many notifications of one observation are one such case at most, and tell little of it.
 */
static void answered_apart(const struct jdg_look *look, struct answering *a) {
  const struct jdg_reception *r = look->reception;
  if (look->copy || !r || r->group || r->type != DIS_CON || r->bad != JDG_GOOD || r->acks) return;
  if (!rule_answers_reception(look) || rule_has_observe(look->coap) || seen_before(a, r)) return;
  a->seen[a->seen_next++ % PENDING] =
      (struct unacknowledged){r->source, r->mid, look->frame, look->now};
}

static void acknowledged(struct jdg_look *look, struct answering *a) {
  const struct chorus_endpoint *to = &look->frame_info->destination;
  for (unsigned i = 0; i < PENDING; i++)
    if (a->seen[i].mid == look->coap->mid && chorus_same_endpoint(&a->seen[i].peer, to))
      a->seen[i].frame = 0;
  a->seen_acknowledged++;
  jdg_pass(look);
}

/* A capture made elsewhere shows what was answered; one missing answer may just not have come by.
 */
static void judge_seen_answer(struct jdg_look *look) {
  if (look->certain || look->coap->type == DIS_CON) return;
  if (acknowledged_wrongly(look)) {
    jdg_break(look, look->frame, "RST", "ACK, mid=0x%04x", look->coap->mid);
    return;
  }
  const struct jdg_reception *r = look->reception;
  bool request = r && r->type == DIS_CON && r->mid == look->coap->mid &&
                 !(r->errors & DIS_ERROR_VERSION) && look->coap->type != DIS_NON;
  bool response = look->arrival && look->arrival->type == DIS_CON;
  struct answering *a = request || response ? jdg_state(look, sizeof *a) : NULL;
  if (a) acknowledged(look, a);
}

static void judge_seen_response(struct jdg_look *look) {
  judge_seen_answer(look);
  if (look->certain || look->coap->type == DIS_ACK) return;
  struct answering *a = jdg_state(look, sizeof *a);
  if (a) answered_apart(look, a);
}

/* That again and again an ACK was lost, and no response ever, is no chance any longer. */
static void judge_unacknowledged(struct jdg_look *look, const struct answering *a) {
  const struct unacknowledged *first = NULL;
  unsigned count = 0;
  for (unsigned i = 0; i < PENDING; i++) {
    const struct unacknowledged *x = &a->seen[i];
    if (!x->frame || look->now < x->time + look->host->ics.processing + jdg_delta(look)) continue;
    if (!first || x->frame < first->frame) first = x;
    count++;
  }
  if (count >= TRIES && count > a->seen_acknowledged)
    jdg_break(look, first->frame, "ACK or RST",
              "responses to %u Confirmable requests without one, the first mid=0x%04x", count,
              first->mid);
}

static bool is_con(const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (m->type != DIS_CON || look->group || m->length < 4) return false;
  return !(m->errors & DIS_ERROR_VERSION) && rule_surely_coap(look);
}

void rule_coap_4_2_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_RECEIVED && !is_con(look)) return;
  struct answering *a =
      look->hook == JDG_ON_EVENT ? jdg_state_if_any(look) : jdg_state(look, sizeof *a);
  if (!a) return;
  switch (look->hook) {
    case JDG_ON_RECEIVED: con_arrived(look, a); return;
    case JDG_ON_SENT:
      judge_reply_content(look);
      if (look->certain) something_sent(look, a);
      return;
    case JDG_ON_EMPTY_SENT: judge_seen_answer(look); return;
    case JDG_ON_RESPONSE_SENT: judge_seen_response(look); return;
    case JDG_ON_ICMP: port_closed(a, look->frame_info->quoted_destination.port); return;
    case JDG_ON_EVENT:
      if (look->certain) event_seen(look, a);
      return;
    default: break;
  }
  for (unsigned i = 0; i < a->count; i++) decide(look, a, &a->pending[i]);
  if (!look->certain) judge_unacknowledged(look, a);
}

/* ---- COAP-4.2-02: retransmission ---- */

#define EXCHANGES 32u
/* Of the doubled intervals, what a coarse timer may take off (catalogue: 10 % and 0.3 s). */
#define INTERVAL_PERCENT 90u
#define INTERVAL_SLACK   (300 * CHORUS_MILLISECOND)
/* A shorter gap in a capture made elsewhere is the network's duplication; below the other one, it
 * may be. */
#define DUPLICATION_GAP (100 * CHORUS_MILLISECOND)
#define DOUBTFUL_GAP    CHORUS_SECOND
/* By how much the network's delay may change there from one sighting to a later one, at most. */
#define DELAY_CHANGE (2 * CHORUS_SECOND)
/* Of all the time before it, what an interval has at most where doubled ones were not captured. */
#define MISSED_INTERVALS 31u

struct exchange {
  struct chorus_endpoint source, destination; /* a host may be several clients */
  uint16_t mid;
  bool used;
  bool erratic; /* some interval was not longer than all of those before together */
  unsigned retransmissions;
  chorus_time first, last;
};

struct exchanges {
  struct exchange slots[EXCHANGES];
};

static struct exchange *exchange_slot(struct exchanges *e, const struct jdg_look *look) {
  const struct chorus_endpoint *to = &look->frame_info->destination;
  unsigned hash = look->coap->mid * 31u + to->address[15] * 7u + to->port;
  hash += look->frame_info->source.port * 13u;
  return &e->slots[hash % EXCHANGES];
}

static bool same_exchange(const struct exchange *x, const struct jdg_look *look) {
  return x->used && x->mid == look->coap->mid &&
         chorus_same_endpoint(&x->source, &look->frame_info->source) &&
         chorus_same_endpoint(&x->destination, &look->frame_info->destination);
}

/* The earliest time of the n-th retransmission, after the first transmission. */
static chorus_time earliest(unsigned n) {
  chorus_time nominal = ((UINT64_C(1) << n) - 1) * RULE_ACK_TIMEOUT;
  return nominal / 100 * INTERVAL_PERCENT - INTERVAL_SLACK;
}

/* What is wrong with the retransmission just counted in |x|; NULL: nothing. */
static const char *wrong_retransmission(const struct jdg_look *look, const struct exchange *x,
                                        chorus_time gap) {
  chorus_time delta = jdg_delta(look), span = look->now - x->first;
  if (gap + delta < RULE_ACK_TIMEOUT) return "at least 2 s between transmissions";
  if (span > RULE_MAX_TRANSMIT_SPAN + delta) return "all transmissions within 45 s";
  if (x->retransmissions > RULE_MAX_RETRANSMIT) return "at most 4 retransmissions";
  if (span + delta < earliest(x->retransmissions)) return "intervals that double from 2 s or more";
  return NULL;
}

/*
 * What no network makes of retransmissions that were sent in time. It may hold up the first ones,
 * or the last, or double one, but neither halve all intervals nor add to the number.
 */
static bool wrong_at_any_place(const struct jdg_look *look, const struct exchange *x,
                               chorus_time gap) {
  chorus_time span = look->now - x->first, slack = rule_time_slack(look);
  if (span > RULE_MAX_TRANSMIT_SPAN + slack) return true;
  if (x->retransmissions > RULE_MAX_RETRANSMIT) return gap >= RULE_ACK_TIMEOUT;
  return span + (slack < DELAY_CHANGE ? slack : DELAY_CHANGE) < earliest(x->retransmissions);
}

/*
 * Whether the interval goes on with a doubling, from whatever ACK_TIMEOUT: then it is longer than
 * all before it together, also where some transmissions were not captured. Less than 1 s to begin
 * with is nobody's configuration (RFC 7252, section 4.8.1).
 */
static bool goes_on_doubling(const struct exchange *x, chorus_time gap) {
  chorus_time before = x->last - x->first;
  if (before == 0) return gap >= CHORUS_SECOND;
  return gap + INTERVAL_SLACK >= before / 100 * INTERVAL_PERCENT &&
         gap <= before * MISSED_INTERVALS;
}

static void doubt_retransmission(struct jdg_look *look) {
  jdg_inconclusive(look,
                   "The capture was not made at the sender: delays and duplication by the "
                   "network cannot be told from its retransmissions.");
}

static void doubt_parameters(struct jdg_look *look) {
  jdg_inconclusive(look,
                   "The intervals double, and nothing tells whether ACK_TIMEOUT or "
                   "MAX_RETRANSMIT is configured (RFC 7252, section 4.8.1).");
}

static void judge_retransmission(struct jdg_look *look, struct exchange *x) {
  chorus_time gap = look->now - x->last;
  if (!look->certain && gap < DOUBTFUL_GAP) {
    if (gap < DUPLICATION_GAP) return;
    x->erratic = true;
    doubt_retransmission(look);
    return;
  }
  x->retransmissions++;
  if (!goes_on_doubling(x, gap)) x->erratic = true;
  x->last = look->now;
  const char *expected = wrong_retransmission(look, x, gap);
  char since[32], last[32];
  if (!expected)
    jdg_pass(look);
  else if (!look->certain && !wrong_at_any_place(look, x, gap))
    doubt_retransmission(look);
  else if (!look->certain && !x->erratic)
    doubt_parameters(look);
  else
    jdg_break(
        look, look->frame, expected,
        "retransmission %u of mid=0x%04x, %s after the last and %s after the first transmission",
        x->retransmissions, x->mid, jdg_time_text(gap, last),
        jdg_time_text(look->now - x->first, since));
}

void rule_coap_4_2_02(struct jdg_look *look) {
  if (look->coap->type != DIS_CON || look->coap->errors || look->group) return;
  struct exchanges *exchanges = jdg_state(look, sizeof *exchanges);
  if (!exchanges) return;
  struct exchange *x = exchange_slot(exchanges, look);
  bool known = same_exchange(x, look) && look->now - x->first < RULE_EXCHANGE_LIFETIME &&
               !rule_restarted_since(look->host, x->first);
  if (look->copy && known) {
    judge_retransmission(look, x);
    return;
  }
  /* A copy of something that is not remembered: what follows is judged from here, more mildly. */
  *x = (struct exchange){.source = look->frame_info->source,
                         .destination = look->frame_info->destination,
                         .mid = look->coap->mid,
                         .used = true,
                         .first = look->now,
                         .last = look->now};
}
