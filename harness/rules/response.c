/* SPDX-License-Identifier: BSD-2-Clause */
/* What a response to a group request looks like: addresses, ports, type, count, options. */
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "rules/checks.h"
#include "rules/server.h"

/* GC-1-01: responses travel by unicast. A client's half of the row is the request's destination. */
void rule_gc_1_01(struct jdg_look *look) {
  if (look->hook == JDG_ON_REQUEST_SENT) {
    if (look->request->group) jdg_pass(look);
    return;
  }
  char to[CHORUS_ENDPOINT_TEXT], message[96];
  if (look->group) {
    jdg_break(look, look->frame, "response to a unicast address", "response to %s, %s",
              chorus_endpoint_text(&look->frame_info->destination, to),
              rule_message(look, message));
  } else if (chorus_is_group(&look->frame_info->source)) {
    jdg_break(look, look->frame, "response from a unicast address", "response from %s, %s",
              chorus_endpoint_text(&look->frame_info->source, to), rule_message(look, message));
  } else if (look->leg && look->leg->request->group) {
    jdg_pass(look);
  }
}

/* GC-2.3.1-20: a response whose endpoint is unknown, while its Token is known at another port. */
#define PORT_MEMORY 32u

struct port_entry {
  struct chorus_endpoint source;
  chorus_time time;
  uint8_t token[8], token_length;
};

/*
 * In a capture made elsewhere, a response to a port of which no request was seen: the Token is that
 * of a group request from another port. If the server answers this one in the right place after
 * all, the other response belonged to a client whose request the capture does not have.
 */
struct astray {
  uint64_t serial; /* of the group request; 0: none */
  uint64_t frame;
  chorus_time time;
  uint16_t right_port, port, mid;
  uint8_t type, code;
  bool telling; /* the Token is long enough not to be another client's by chance */
};

struct port_state {
  struct port_entry entries[PORT_MEMORY];
  unsigned next;
  struct astray astray[PORT_MEMORY];
  unsigned next_astray;
};

static void remember_port(struct jdg_look *look) {
  struct port_state *state = jdg_state(look, sizeof *state);
  const struct jdg_request *q = look->request;
  if (!state || !q) return;
  struct port_entry *e = &state->entries[state->next++ % PORT_MEMORY];
  e->source = look->reception->source;
  e->time = look->now;
  e->token_length = q->token_length;
  memcpy(e->token, q->token, sizeof e->token);
}

static const struct port_entry *same_token_elsewhere(struct jdg_look *look) {
  struct port_state *state = jdg_state(look, sizeof *state);
  const struct dis_coap *m = look->coap;
  for (unsigned i = 0; state && i < PORT_MEMORY; i++) {
    const struct port_entry *e = &state->entries[i];
    if (e->source.port == 0 || e->token_length != m->token_length) continue;
    if (memcmp(e->token, m->token, m->token_length) != 0) continue;
    if (look->now - e->time > JDG_NON_LIFETIME) continue;
    if (chorus_same_address(&e->source, &look->frame_info->destination)) return e;
  }
  return NULL;
}

#define TELLING_TOKEN 4u /* octets */
#define OFTEN         2u

/* Nothing that the client's group request cannot have brought about. */
static bool may_answer(const struct dis_coap *m, const struct jdg_request *q) {
  if (m->type == DIS_ACK && !jdg_request_has_mid(q, m->mid)) return false;
  if (m->type != DIS_NON && m->token_length < TELLING_TOKEN) return false;
  return q->observe != DIS_ABSENT || !rule_has_observe(m);
}

static void note_astray(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  const struct chorus_endpoint *to = &look->frame_info->destination;
  if (look->copy || look->group || !m->token_length) return;
  const struct jdg_request *q = jdg_request_at_other_port(look, to, m->token, m->token_length);
  if (!q || !q->group || q->spoofed || look->now - q->last_time > JDG_NON_LIFETIME) return;
  if (!may_answer(m, q)) return;
  struct port_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  look->host->tried = true; /* from now on the rule has to see all responses of this server */
  state->astray[state->next_astray++ % PORT_MEMORY] =
      (struct astray){.serial = q->serial,
                      .frame = look->frame,
                      .time = look->now,
                      .right_port = q->source.port,
                      .port = to->port,
                      .mid = m->mid,
                      .type = m->type,
                      .code = m->code,
                      .telling = m->token_length >= TELLING_TOKEN};
}

/* The server has answered the request where it came from. */
static void found(struct jdg_look *look, const struct jdg_request *q) {
  struct port_state *state = jdg_state_if_any(look);
  for (unsigned i = 0; state && i < PORT_MEMORY; i++)
    if (state->astray[i].serial == q->serial) state->astray[i].serial = 0;
  jdg_pass(look);
}

/*
 * Tokens of several clients may be alike, and a capture may lack requests. So a server that was
 * seen to answer at a right port is not blamed, nor is one for a short Token, unless it answers at
 * the same wrong port again and again.
 */
static bool blamed(const struct jdg_look *look, const struct astray *a, unsigned count) {
  if (look->passes[look->check]) return false;
  return a->telling || count >= OFTEN;
}

static void judge_astray(struct jdg_look *look, const struct astray *a, unsigned count) {
  if (!blamed(look, a, count)) {
    jdg_inconclusive(look,
                     "A response to another port has the Token of a group request; a client "
                     "whose request was not seen may have the same.");
    return;
  }
  chorus_time end = look->now;
  char expected[64], code[16];
  snprintf(expected, sizeof expected, "response to UDP port %u", a->right_port);
  look->now = a->time;
  jdg_break(look, a->frame, expected, "response to UDP port %u, %s %s mid=0x%04x", a->port,
            dis_type_text(a->type), dis_code_text(a->code, code), a->mid);
  look->now = end;
}

/* How many went to the same port; 0 if others went elsewhere. */
static unsigned astray_like(const struct port_state *state, const struct astray *like) {
  unsigned count = 0;
  for (unsigned i = 0; i < PORT_MEMORY; i++) {
    if (!state->astray[i].serial) continue;
    if (state->astray[i].port != like->port) return 0;
    count++;
  }
  return count;
}

static void judge_all_astray(struct jdg_look *look) {
  const struct port_state *state = jdg_state_if_any(look);
  for (unsigned i = 0; state && i < PORT_MEMORY; i++) {
    const struct astray *a = &state->astray[i];
    if (a->serial) judge_astray(look, a, astray_like(state, a));
  }
}

void rule_gc_2_3_1_20(struct jdg_look *look) {
  if (look->hook == JDG_ON_END) {
    judge_all_astray(look);
    return;
  }
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (look->reception->group && !look->copy && look->certain) remember_port(look);
    return;
  }
  if (look->leg) {
    if (look->leg->request->group) found(look, look->leg->request); /* by Token and endpoint */
    return;
  }
  if (!look->certain) {
    note_astray(look);
    return;
  }
  const struct port_entry *e = same_token_elsewhere(look);
  if (!e) return;
  char expected[64], message[96];
  snprintf(expected, sizeof expected, "response to UDP port %u", e->source.port);
  jdg_break(look, look->frame, expected, "response to UDP port %u, %s",
            look->frame_info->destination.port, rule_message(look, message));
}

/* GC-2.3.1-04: one response, where the statement promises one. */
void rule_gc_2_3_1_04(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!rule_answer_promised(look)) return;
  struct rule_tries *tries = jdg_state(look, sizeof *tries);
  if (!rule_answered(look)) {
    rule_did_not_come(look, tries, "one response to the group request");
    return;
  }
  bool several_allowed = jdg_profile_of(look) == JDG_BIS_18; /* draft -18, section 3.1.1 */
  if (r->responses > 1 && r->copies == 0 && !several_allowed) {
    jdg_break(look, r->leg->first_response_frame, "one response to the group request",
              "%u responses with Message IDs of their own", r->responses);
    return;
  }
  rule_came(look, tries);
}

/* GC-2.3.4-05 */
void rule_gc_2_3_4_05(struct jdg_look *look) {
  if (!jdg_answers_group(look) || look->copy) return;
  const struct jdg_request *q = look->leg->request;
  const struct dis_coap *m = look->coap;
  if (q->type != DIS_NON) return; /* the request broke the rules first */
  bool piggybacked = m->type == DIS_ACK;
  if (piggybacked && !jdg_request_has_mid(q, m->mid)) return;  /* of a request that was not seen */
  if (q->observe != DIS_ABSENT || rule_has_observe(m)) return; /* RFC 7641, section 4.5 */
  char message[96];
  if (m->type == DIS_NON)
    jdg_pass(look);
  else if (m->type == DIS_ACK || !rule_perhaps_to_unseen(look))
    jdg_break(look, look->frame, "response type NON", "response type %s",
              rule_message(look, message));
}

/* NR-16 */
void rule_nr_16(struct jdg_look *look) {
  char message[96];
  if (dis_option_count(look->coap, DIS_NO_RESPONSE, NULL)) {
    jdg_break(look, look->frame, "response without option No-Response (258)",
              "response with option No-Response, %s", rule_message(look, message));
    return;
  }
  if (look->leg && look->leg->request->no_response != DIS_ABSENT) jdg_pass(look);
}

/*
 * GC-2.1-13, GC-2.2.1-05: without security there is no trace of it. What a client sends is judged
 * only if it is declared to be NoSec; a server answers a plain request plainly in any case.
 */
static bool looks_like_dtls(const struct dis_coap *m) {
  return m->length >= 3 && m->data[0] >= 20 && m->data[0] <= 25 && m->data[1] == 0xfe &&
         (m->data[2] == 0xfd || m->data[2] == 0xff);
}

static bool secured(const struct jdg_look *look) {
  return dis_option_count(look->coap, DIS_OSCORE, NULL) || looks_like_dtls(look->coap);
}

void rule_gc_2_1_13(struct jdg_look *look) {
  bool declared = look->host->ics.secured == JDG_NO;
  bool response = look->hook == JDG_ON_RESPONSE_SENT;
  if (response && (!jdg_answers_group(look) || look->leg->request->oscore)) return;
  if (!response && !(declared && look->group)) return; /* JDG_ON_SENT */
  if (!secured(look)) {
    if (response || dis_is_request(look->coap)) jdg_pass(look);
    return;
  }
  bool oscore = dis_option_count(look->coap, DIS_OSCORE, NULL) > 0;
  jdg_break(look, look->frame, "message without any security",
            oscore ? "message with option OSCORE (9)" : "DTLS record");
}

/* RFC7390-2.7-01: neither an empty acknowledgement nor a response in one. */
static void acknowledged(struct jdg_look *look, uint16_t mid) {
  jdg_break(look, look->frame, "no acknowledgement of a group request",
            "ACK mid=0x%04x, the Message ID of the group request", mid);
}

void rule_rfc7390_2_7_01(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (look->hook == JDG_ON_WINDOW) {
    if (r->group && r->acks == 0 && r->type == DIS_CON) jdg_pass(look);
    return;
  }
  if (look->coap->type != DIS_ACK) {
    if (look->hook == JDG_ON_RESPONSE_SENT && jdg_answers_group(look)) jdg_pass(look);
    return;
  }
  if (look->hook == JDG_ON_EMPTY_SENT) {
    if (r && r->group && r->mid == look->coap->mid) acknowledged(look, r->mid);
    return;
  }
  if (jdg_answers_group(look) && jdg_request_has_mid(look->leg->request, look->coap->mid))
    acknowledged(look, look->coap->mid);
}

/* GC-2.3.4-02, COAP-8.2-01: permissions. Using them is a pass; there is no way to use them wrongly.
 */
void rule_gc_2_3_4_02(struct jdg_look *look) {
  if (look->hook == JDG_ON_EVENT) {
    bool useless = rule_withheld(look) &&
                   (dis_class(look->event->code) > 2 || look->event->code == RULE_CODE(2, 5));
    if (useless) jdg_pass(look);
    return;
  }
  if (!jdg_answers_group(look)) return;
  bool empty = look->coap->code == RULE_CODE(2, 5) && look->coap->payload_length == 0;
  if (dis_class(look->coap->code) > 2 || empty) jdg_pass(look);
}

void rule_coap_8_2_01(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r->group || !r->certain || r->bad != JDG_GOOD || !r->leg) return;
  if (!rule_answered(look)) jdg_pass(look);
}
