/* SPDX-License-Identifier: BSD-2-Clause */
/* Message IDs: not used again too early, unguessable after a start, matched with the endpoint. */
#include <limits.h>

#include "rules/checks.h"
#include "rules/client.h"
#include "rules/message.h"
#include "rules/server.h"

/* ---- COAP-4.4-01 ---- */

/*
 * Many servers answer a NON with its own Message ID, which is legal: the number is then the
 * client's choice, and what the server makes of a copy must not be held against it.
 */
static bool echoes_mid(const struct jdg_look *look) {
  if (look->hook != JDG_ON_RESPONSE_SENT) return false;
  return !look->leg || jdg_request_has_mid(look->leg->request, look->coap->mid);
}

/*
 * Elsewhere the messages may have been delayed. With a Non-confirmable one more than that is in
 * doubt: after NON_LIFETIME "its Message ID can be safely reused" (section 4.8.2).
 */
static bool too_soon_at_any_place(const struct jdg_look *look, const struct jdg_mid_use *old,
                                  chorus_time gap) {
  chorus_time slack = old->type == DIS_CON ? rule_time_slack(look) : RULE_MAX_LATENCY;
  return gap + slack < RULE_EXCHANGE_LIFETIME;
}

static void judge_clash(struct jdg_look *look, const struct jdg_mid_use *old) {
  chorus_time gap = look->now - old->time;
  char text[32];
  if (rule_restarted_since(look->host, old->time)) {
    jdg_inconclusive(look,
                     "The node started anew in between, and chose its Message IDs at random.");
  } else if (!look->certain && !too_soon_at_any_place(look, old, gap)) {
    jdg_inconclusive(look,
                     "The capture was not made at the sender: the messages may have been delayed.");
  } else {
    jdg_break(look, look->frame, "a Message ID not used for another message within 247 s",
              "mid=0x%04x used again after %s (frame %llu)", look->coap->mid,
              jdg_time_text(gap, text), (unsigned long long)old->frame);
  }
}

void rule_coap_4_4_01(struct jdg_look *look) {
  if (look->coap->type != DIS_CON && look->coap->type != DIS_NON) return;
  if (look->copy || echoes_mid(look)) return;
  const struct jdg_mid_use *old = look->mid_clash;
  if (!old) {
    jdg_pass(look);
    return;
  }
  /* Unicast against group is rule COAP-8.1-05; somebody else's forgery is not this node's use. */
  if (old->sender != look->host) return;
  if (!chorus_same_endpoint(&old->destination, &look->frame_info->destination)) return;
  if (look->now - old->time < RULE_EXCHANGE_LIFETIME) judge_clash(look, old);
}

/* ---- COAP-4.4-03 ---- */

#define STARTS     64u
#define STARTS_MIN 20u /* catalogue: 20 restarts */
/* So few equal or evenly spaced numbers happen by chance with a probability of 2^-32 or less. */
#define STARTS_PLAIN 4u

struct starts {
  uint16_t mids[STARTS];
  unsigned count;
  bool armed; /* the next Message ID is the first after a start */
};

static unsigned distinct(const struct starts *s) {
  unsigned n = 0;
  for (unsigned i = 0; i < s->count; i++) {
    unsigned j = 0;
    while (j < i && s->mids[j] != s->mids[i]) j++;
    n += j == i;
  }
  return n;
}

static bool evenly_spaced(const struct starts *s) {
  for (unsigned i = 2; i < s->count; i++)
    if ((uint16_t)(s->mids[i] - s->mids[i - 1]) != (uint16_t)(s->mids[1] - s->mids[0]))
      return false;
  return true;
}

static void judge_starts(struct jdg_look *look, const struct starts *s) {
  if (s->count < STARTS_PLAIN) return;
  unsigned different = distinct(s);
  bool enough = s->count >= STARTS_MIN;
  if (evenly_spaced(s))
    jdg_break(look, 0, "a random first Message ID",
              "first Message IDs after %u starts have the constant difference %u, from 0x%04x",
              s->count, (unsigned)(uint16_t)(s->mids[1] - s->mids[0]), s->mids[0]);
  else if (enough && different * 10 < s->count * 9) /* 18 of 20 */
    jdg_break(look, 0, "a random first Message ID",
              "%u different first Message IDs after %u starts", different, s->count);
  else if (enough)
    jdg_pass(look);
}

void rule_coap_4_4_03(struct jdg_look *look) {
  if (look->hook == JDG_ON_EVENT && look->event->type != CHORUS_EVENT_RESTART) return;
  struct starts *s = jdg_state(look, sizeof *s);
  if (!s) return;
  if (look->hook == JDG_ON_EVENT) {
    s->armed = true;
  } else if (look->hook == JDG_ON_END) {
    judge_starts(look, s);
  } else if (s->armed && look->coap->type <= DIS_NON && !echoes_mid(look)) {
    s->armed = false;
    if (s->count < STARTS) s->mids[s->count++] = look->coap->mid;
  }
}

/* ---- COAP-4.4-04 ---- */

#define WATCHED 8u
/*
 * How long after a change a notification may take: an earlier one may have to time out first (RFC
 * 7641, section 4.5), then Leisure and processing.
 */
#define NOTIFICATION_WAIT RULE_MAX_TRANSMIT_WAIT

/* A message that an ACK or RST may come for. */
struct watched {
  uint64_t serial; /* of the request; 0: unused */
  struct chorus_endpoint peer;
  uint16_t mid;
  uint8_t type;
  bool notification, acknowledged;
  bool separate;             /* a response in a CON of its own, of a server */
  unsigned copies;           /* of it, sent */
  chorus_time sent, foreign; /* when an ACK or RST came from elsewhere; 0: none */
  uint64_t foreign_frame;
  chorus_time changed; /* the resource, since; 0: not */
  uint64_t path;       /* digest */
};

struct watching {
  struct watched slots[WATCHED];
  unsigned next;
};

static uint64_t path_digest(const char *path) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (; *path; path++) h = (h ^ (uint8_t)*path) * UINT64_C(0x100000001b3);
  return h;
}

static void unwatch(struct watching *w, uint64_t serial) {
  for (unsigned i = 0; i < WATCHED; i++)
    if (w->slots[i].serial == serial) w->slots[i].serial = 0;
}

/* The request goes on, or its observation does: a foreign ACK or RST had no effect. */
static void goes_on(struct jdg_look *look, struct watching *w, uint64_t serial) {
  bool unmoved = false;
  for (unsigned i = 0; i < WATCHED; i++)
    unmoved |= w->slots[i].serial == serial && w->slots[i].foreign;
  if (unmoved) jdg_pass(look);
}

static void watch(struct jdg_look *look, struct watching *w, uint64_t serial, bool notification) {
  struct watched *x = &w->slots[w->next++ % WATCHED];
  memset(x, 0, sizeof *x);
  x->serial = serial;
  x->peer = look->frame_info->destination;
  x->mid = look->coap->mid;
  x->type = look->coap->type;
  x->notification = notification;
  x->sent = look->now;
  x->path = path_digest(look->request->path);
}

static bool is_notification(const struct jdg_look *look) {
  return look->hook == JDG_ON_RESPONSE_SENT && dis_class(look->coap->code) == 2 &&
         look->coap->type <= DIS_NON && dis_option_count(look->coap, DIS_OBSERVE, NULL);
}

/* A CON that is sent until it is acknowledged, and no more than that. */
static bool is_separate(const struct jdg_look *look) {
  return look->hook == JDG_ON_RESPONSE_SENT && look->coap->type == DIS_CON &&
         !look->leg->observing && !is_notification(look);
}

static void watch_separate(struct jdg_look *look, struct watching *w) {
  uint64_t serial = look->request->serial;
  for (unsigned i = 0; i < WATCHED; i++) {
    struct watched *x = &w->slots[i];
    if (!x->separate || x->serial != serial || x->mid != look->coap->mid) continue;
    x->copies++;
    if (!x->foreign) return;
    jdg_pass(look);
    x->serial = 0;
    return;
  }
  if (look->copy) return; /* of one that was judged */
  watch(look, w, serial, false);
  w->slots[(w->next - 1) % WATCHED].separate = true;
}

static void watch_sent(struct jdg_look *look, struct watching *w) {
  uint64_t serial = look->request->serial;
  if (is_separate(look)) {
    watch_separate(look, w);
    return;
  }
  if (look->hook == JDG_ON_REQUEST_SENT && !look->copy) {
    watch(look, w, serial, false);
    return;
  }
  goes_on(look, w, serial);
  unwatch(w, serial);
  if (is_notification(look)) watch(look, w, serial, true);
}

/* Another endpoint than the one the message went to, and not only another address of its host. */
static bool foreign(const struct jdg_look *look, const struct watched *x) {
  const struct chorus_endpoint *from = &look->frame_info->source;
  if (chorus_same_address(from, &x->peer)) return false;
  const struct jdg_host *sender = jdg_host_of(look, from);
  return !sender || sender != jdg_host_of(look, &x->peer);
}

static void reply_arrived(struct jdg_look *look, struct watching *w) {
  const struct dis_coap *m = look->coap;
  if ((m->type != DIS_ACK && m->type != DIS_RST) || m->errors) return;
  for (unsigned i = 0; i < WATCHED; i++) {
    struct watched *x = &w->slots[i];
    if (!x->serial || x->mid != m->mid || look->now - x->sent > RULE_EXCHANGE_LIFETIME) continue;
    if (chorus_same_address(&look->frame_info->source, &x->peer)) {
      x->acknowledged = true;
      if (m->type == DIS_RST || !x->notification) unwatch(w, x->serial);
    } else if (m->code == 0 && !x->foreign && !x->acknowledged && foreign(look, x)) {
      x->foreign = look->now;
      x->foreign_frame = look->frame;
    }
  }
}

/* A request of an observer: whatever it means, the observation may end or begin with it. */
static void request_arrived(struct watching *w, const struct jdg_reception *r) {
  for (unsigned i = 0; i < WATCHED; i++)
    if (w->slots[i].serial && chorus_same_endpoint(&w->slots[i].peer, &r->source))
      w->slots[i].serial = 0;
}

/* A forged ACK has stopped the retransmissions: all of them were due, and none came. */
static bool stalled(const struct jdg_look *look, const struct watched *x) {
  return x->foreign && x->type == DIS_CON && look->now - x->sent >= RULE_MAX_TRANSMIT_SPAN;
}

static void judge_done(struct jdg_look *look, struct watching *w) {
  const struct jdg_request *q = look->request;
  const char *how = look->event->detail;
  for (unsigned i = 0; i < WATCHED; i++) {
    const struct watched *x = &w->slots[i];
    bool at_once = x->foreign && look->now - x->foreign <= jdg_delta(look);
    bool own_will = how && strcmp(how, "cancelled") == 0;
    bool timed_out = q->announced && q->timeout && q->announced_at + q->timeout <= look->now;
    if (x->serial != q->serial || x->notification || x->separate) continue;
    if (!stalled(look, x) && (!at_once || timed_out)) continue;
    if (own_will || q->delivered || q->responders) continue;
    jdg_break(look, x->foreign_frame, "only an ACK or RST of the destination ends the exchange",
              "the exchange ended with an ACK or RST of another endpoint, mid=0x%04x", x->mid);
  }
  unwatch(w, q->serial);
}

static void judge_state(struct jdg_look *look, struct watching *w) {
  uint64_t path = path_digest(look->event->path);
  for (unsigned i = 0; i < WATCHED; i++) {
    struct watched *x = &w->slots[i];
    if (!x->serial || !x->notification || !x->foreign || x->changed) continue;
    if (x->path == path) x->changed = look->now;
  }
}

static void event_seen(struct jdg_look *look, struct watching *w) {
  switch (look->event->type) {
    case CHORUS_EVENT_RESTART: memset(w, 0, sizeof *w); return;
    case CHORUS_EVENT_DONE: judge_done(look, w); return;
    case CHORUS_EVENT_STATE: judge_state(look, w); return;
    case CHORUS_EVENT_SUPPRESS: unwatch(w, look->request->serial); return;
    default: return;
  }
}

static void judge_silent_observations(struct jdg_look *look, const struct watching *w) {
  chorus_time wait = NOTIFICATION_WAIT + look->host->ics.leisure + look->host->ics.processing;
  for (unsigned i = 0; i < WATCHED; i++) {
    const struct watched *x = &w->slots[i];
    if (!x->serial || !x->changed || look->now < x->changed + wait + jdg_delta(look)) continue;
    /* A CON that nobody acknowledges ends the observation by right. */
    if (x->type == DIS_CON && !x->acknowledged) continue;
    jdg_break(look, x->foreign_frame, "notification of the change, as the RST came from elsewhere",
              "no notification after a RST of another endpoint, mid=0x%04x", x->mid);
  }
}

/*
 * A server may give up a response early, for reasons of its own. That it sent the others to this
 * client again, to the last one that nobody acknowledged, tells that the forged reply is the
 * reason.
 */
static unsigned usual_copies(const struct jdg_look *look, const struct watching *w,
                             const struct watched *stopped) {
  unsigned least = UINT_MAX;
  for (unsigned i = 0; i < WATCHED; i++) {
    const struct watched *x = &w->slots[i];
    if (!x->serial || !x->separate || x->foreign) continue;
    if (!chorus_same_endpoint(&x->peer, &stopped->peer)) continue;
    if (look->now < x->sent + RULE_MAX_TRANSMIT_SPAN + jdg_delta(look)) continue;
    if (x->copies < least) least = x->copies;
  }
  return least;
}

static void judge_stopped_responses(struct jdg_look *look, const struct watching *w) {
  for (unsigned i = 0; i < WATCHED; i++) {
    const struct watched *x = &w->slots[i];
    if (!x->serial || !x->separate || !x->foreign) continue;
    if (look->now < x->sent + RULE_MAX_TRANSMIT_SPAN + jdg_delta(look)) continue;
    unsigned usual = usual_copies(look, w, x);
    if (usual == UINT_MAX)
      jdg_inconclusive(look,
                       "No other response shows whether one that nobody acknowledges is sent "
                       "again.");
    else if (x->copies < usual)
      jdg_break(look, x->foreign_frame, "sent again, as the ACK or RST came from elsewhere",
                "response not sent again after an ACK or RST of another endpoint, mid=0x%04x",
                x->mid);
  }
}

/* Whether the look can matter at all: most nodes need no memory for this rule. */
static bool matters(const struct jdg_look *look) {
  const struct jdg_request *q = look->request;
  switch (look->hook) {
    case JDG_ON_REQUEST_SENT: return q && look->coap->type == DIS_CON;
    case JDG_ON_RESPONSE_SENT:
      return look->leg &&
             (look->leg->observing || is_notification(look) || look->coap->type == DIS_CON);
    case JDG_ON_RECEIVED: return look->coap->type == DIS_ACK || look->coap->type == DIS_RST;
    case JDG_ON_REQUEST_RECEIVED: return q && (q->observe != DIS_ABSENT || q->previous);
    case JDG_ON_EVENT: break;
    default: return true;
  }
  switch (look->event->type) {
    case CHORUS_EVENT_RESTART: return true;
    case CHORUS_EVENT_DONE: return q && q->type == DIS_CON;
    case CHORUS_EVENT_STATE: return look->event->path != NULL;
    case CHORUS_EVENT_SUPPRESS: return q && q->observe != DIS_ABSENT;
    default: return false;
  }
}

void rule_coap_4_4_04(struct jdg_look *look) {
  if (!look->certain || !matters(look)) return;
  struct watching *w =
      look->hook == JDG_ON_END ? jdg_state_if_any(look) : jdg_state(look, sizeof *w);
  if (!w) return;
  switch (look->hook) {
    case JDG_ON_REQUEST_SENT:
    case JDG_ON_RESPONSE_SENT: watch_sent(look, w); return;
    case JDG_ON_RECEIVED: reply_arrived(look, w); return;
    case JDG_ON_REQUEST_RECEIVED: request_arrived(w, look->reception); return;
    case JDG_ON_EVENT: event_seen(look, w); return;
    default:
      judge_silent_observations(look, w);
      judge_stopped_responses(look, w);
      return;
  }
}
