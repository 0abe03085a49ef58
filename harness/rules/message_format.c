/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that break the format: nobody sends them, and nobody acts on them (RFC 7252, sections 3
 * to 4.3).
 */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/message.h"

/* What a rule says of one kind of malformed message. */
struct format {
  uint32_t sent;     /* enum dis_error that a sender must not show */
  uint32_t received; /* those that a receiver has to reject */
  bool non_only;     /* received ones: of type NON */
  bool judges_reset; /* a RST in return is judged by this rule, too */
  const char *expected_sent, *expected_silence;
};

/* ---- senders ---- */

static void judge_sent(struct jdg_look *look, const struct format *f, bool exercised) {
  uint32_t errors = look->coap->errors & f->sent;
  if (!errors) {
    if (exercised) jdg_pass(look);
    return;
  }
  if (!rule_surely_coap(look)) return;
  jdg_break(look, look->frame, f->expected_sent, "%s", dis_error_text(errors));
}

/* ---- servers ---- */

static bool concerns(const struct jdg_reception *r, const struct format *f) {
  if (!r || r->duplicate_of_known || !r->certain) return false;
  if (f->non_only && r->type != DIS_NON) return false;
  return (r->errors & f->received) != 0;
}

static void judge_response(struct jdg_look *look, const struct format *f) {
  if (!concerns(look->reception, f) || !rule_answers_reception(look)) return;
  /* A notification may belong to an observation that is older than the capture. */
  if (!look->leg && dis_option_count(look->coap, DIS_OBSERVE, NULL)) return;
  char code[16];
  jdg_break(look, look->frame, f->expected_silence, "response %s %s, mid=0x%04x",
            dis_type_text(look->coap->type), dis_code_text(look->coap->code, code),
            look->coap->mid);
}

/* Messages of type ACK and RST are never answered with ACK or RST (section 4.2). */
static bool reset_is_wrong(const struct jdg_reception *r) {
  return (r->errors & DIS_ERROR_VERSION) || r->type == DIS_ACK || r->type == DIS_RST;
}

static void judge_empty(struct jdg_look *look, const struct format *f) {
  const struct jdg_reception *r = look->reception;
  if (!concerns(r, f)) return;
  if (look->coap->type == DIS_ACK)
    jdg_break(look, look->frame, f->expected_silence, "ACK, mid=0x%04x", look->coap->mid);
  if (look->coap->type != DIS_RST || !f->judges_reset) return;
  if (reset_is_wrong(r))
    jdg_break(look, look->frame, f->expected_silence, "RST, mid=0x%04x", look->coap->mid);
  else if (r->group && r->type == DIS_NON)
    rule_reset_to_group(look, f->expected_silence);
}

static void judge_window(struct jdg_look *look, const struct format *f) {
  const struct jdg_reception *r = look->reception;
  if (!concerns(r, f) || r->executed || r->responses || r->acks) return;
  if (f->judges_reset && r->rsts && (reset_is_wrong(r) || r->group)) return;
  jdg_pass(look);
}

static void judge_event(struct jdg_look *look, const struct format *f) {
  const struct chorus_event *e = look->event;
  if (e->type == CHORUS_EVENT_EXECUTE && concerns(look->reception, f))
    jdg_break(look, look->frame, f->expected_silence, "request executed, mid=0x%04x", e->mid);
  const struct jdg_arrival *a = look->arrival;
  if (e->type != CHORUS_EVENT_DELIVER || !a || !(a->errors & f->received)) return;
  if (f->non_only && a->type != DIS_NON) return;
  if (!chorus_same_address(&a->source, &e->peer)) return;
  jdg_break(look, look->frame, "the response is not delivered to the application",
            "delivered, mid=0x%04x: %s", a->mid, dis_error_text(a->errors & f->received));
}

static void judge_arrival(struct jdg_look *look, const struct format *f) {
  const struct jdg_arrival *a = look->arrival;
  if (!(a->errors & f->received) || !a->certain || !look->host->has_events) return;
  if (f->non_only && a->type != DIS_NON) return;
  if (!a->delivered) jdg_pass(look);
}

static void judge_format(struct jdg_look *look, const struct format *f, bool exercised) {
  switch (look->hook) {
    case JDG_ON_SENT: judge_sent(look, f, exercised); return;
    case JDG_ON_RESPONSE_SENT: judge_response(look, f); return;
    case JDG_ON_EMPTY_SENT: judge_empty(look, f); return;
    case JDG_ON_WINDOW: judge_window(look, f); return;
    case JDG_ON_EVENT: judge_event(look, f); return;
    case JDG_ON_ARRIVAL_DUE: judge_arrival(look, f); return;
    default: return;
  }
}

/* ---- the rules ---- */

/*
 * A header of another version need not have a Message ID where ours is: a Reset right after it,
 * whose Message ID nobody has used, can be for nothing else.
 */
#define AT_ONCE_MS 100u

/* Odd; the even number before it is the key of the frame. */
static uint64_t version_key(const struct chorus_endpoint *e) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (unsigned i = 0; i < sizeof e->address; i++)
    h = (h ^ e->address[i]) * UINT64_C(0x100000001b3);
  return (h ^ e->port) * UINT64_C(0x100000001b3) | 1;
}

static uint32_t milliseconds(const struct jdg_look *look) {
  return (uint32_t)(look->now / CHORUS_MILLISECOND);
}

static void note_version(struct jdg_look *look) {
  if (!(look->coap->errors & DIS_ERROR_VERSION)) return;
  rule_note_state(look, version_key(&look->frame_info->source), milliseconds(look));
  rule_note_state(look, version_key(&look->frame_info->source) - 1, (uint32_t)look->frame);
}

static void judge_odd_reset(struct jdg_look *look) {
  uint32_t came;
  const struct chorus_endpoint *to = &look->frame_info->destination;
  if (look->coap->type != DIS_RST || !look->certain) return;
  if (!rule_noted_state(look, version_key(to), &came)) return;
  if (milliseconds(look) - came <= AT_ONCE_MS)
    jdg_break(look, look->frame, "a message of another version is ignored", "RST, mid=0x%04x",
              look->coap->mid);
}

/* A message of another version is no arrival that an event could name: the latest one at once
 * before is meant. */
static void judge_odd_delivery(struct jdg_look *look) {
  uint32_t came, frame;
  uint64_t key = version_key(&look->event->peer);
  if (look->event->type != CHORUS_EVENT_DELIVER || look->arrival) return;
  if (!rule_noted_state(look, key, &came) || !rule_noted_state(look, key - 1, &frame)) return;
  if (milliseconds(look) - came <= AT_ONCE_MS)
    jdg_break(look, frame, "a message of another version is ignored",
              "delivered to the application, mid=0x%04x", look->event->mid);
}

void rule_coap_3_01(struct jdg_look *look) {
  static const struct format format = {
      .sent = DIS_ERROR_VERSION,
      .received = DIS_ERROR_VERSION,
      .judges_reset = true,
      .expected_sent = "version 1",
      .expected_silence = "a message of another version is ignored"};
  if (look->hook == JDG_ON_RECEIVED)
    note_version(look);
  else if (look->hook == JDG_ON_EMPTY_SENT && !look->reception && !look->arrival)
    judge_odd_reset(look);
  else if (look->hook == JDG_ON_EVENT && !look->reception && !look->arrival)
    judge_odd_delivery(look);
  else
    judge_format(look, &format, true);
}

/* RFC 8974, section 2.1, gives the lengths 13 and 14 a meaning between those who agree on it. */
static bool extended_token(const struct dis_coap *m) {
  unsigned length = m->length ? m->data[0] & 0x0fu : 0;
  return (m->errors & DIS_ERROR_TOKEN_LENGTH) && (length == 13 || length == 14);
}

void rule_coap_3_02(struct jdg_look *look) {
  static const struct format format = {
      .sent = DIS_ERROR_TOKEN_LENGTH | DIS_ERROR_TOKEN_CUT,
      .received = DIS_ERROR_TOKEN_LENGTH | DIS_ERROR_TOKEN_CUT,
      .expected_sent = "Token of 0 to 8 octets",
      .expected_silence = "a message with a reserved Token length is rejected"};
  if (look->hook == JDG_ON_SENT && extended_token(look->coap)) {
    jdg_inconclusive(look, "Token lengths 13 and 14 may be extended Tokens (RFC 8974).");
    return;
  }
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    if (extended_token(look->coap)) rule_note_state(look, look->reception->frame, 0);
    return;
  }
  if (look->reception && (look->reception->errors & DIS_ERROR_TOKEN_LENGTH) &&
      rule_noted_state(look, look->reception->frame, NULL))
    return;
  judge_format(look, &format, true);
}

void rule_coap_3_03(struct jdg_look *look) {
  static const struct format format = {
      .sent = DIS_ERROR_MARKER,
      .received = DIS_ERROR_MARKER,
      .expected_sent = "payload after the payload marker",
      .expected_silence = "a message with a payload marker and no payload is rejected"};
  judge_format(look, &format, look->hook == JDG_ON_SENT && look->coap->payload != NULL);
}

void rule_coap_3_1_01(struct jdg_look *look) {
  static const struct format format = {
      .sent = DIS_ERROR_OPTION_NIBBLE | DIS_ERROR_OPTION_CUT | DIS_ERROR_OPTION_NUMBER |
              DIS_ERROR_SHORT,
      .received = DIS_ERROR_OPTION_NIBBLE | DIS_ERROR_OPTION_CUT | DIS_ERROR_OPTION_NUMBER,
      .expected_sent = "options in the encoding of section 3.1",
      .expected_silence = "a message with a broken option is rejected"};
  judge_format(look, &format, look->hook == JDG_ON_SENT && look->coap->option_count != 0);
}

/* For want of a conversation: the Message ID and the endpoint of a malformed ACK or RST. */
static uint64_t reply_key(const struct chorus_endpoint *e, uint16_t mid) {
  uint64_t tail = (uint64_t)e->address[14] << 8 | e->address[15];
  return UINT64_C(1) << 48 | tail << 32 | (uint64_t)e->port << 16 | mid;
}

static void note_malformed_reply(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (!(m->errors & DIS_ERROR_EMPTY) || (m->type != DIS_ACK && m->type != DIS_RST)) return;
  rule_note_state(look, reply_key(&look->frame_info->source, m->mid), 0);
}

/* An ACK or RST that nothing but a malformed ACK or RST can have caused. */
static void judge_reply_to_reply(struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  if (!look->certain || m->type == DIS_CON) return;
  if (!rule_noted_state(look, reply_key(&look->frame_info->destination, m->mid), NULL)) return;
  jdg_break(look, look->frame, "a malformed ACK or RST is ignored", "%s, mid=0x%04x",
            dis_type_text(m->type), m->mid);
}

void rule_coap_4_1_01(struct jdg_look *look) {
  static const struct format format = {
      .sent = DIS_ERROR_EMPTY,
      .received = DIS_ERROR_EMPTY,
      .judges_reset = true,
      .expected_sent = "Empty message of 4 octets",
      .expected_silence = "an Empty message with more than 4 octets is rejected"};
  if (look->hook == JDG_ON_RECEIVED) {
    note_malformed_reply(look);
    return;
  }
  if (look->hook == JDG_ON_EMPTY_SENT && !look->reception && !look->arrival) {
    judge_reply_to_reply(look);
    return;
  }
  judge_format(look, &format, look->hook == JDG_ON_SENT && look->coap->code == 0);
}

void rule_coap_4_3_02(struct jdg_look *look) {
  static const struct format format = {.sent = DIS_ERROR_EMPTY_NON,
                                       .received = DIS_ERROR_EMPTY_NON,
                                       .judges_reset = true,
                                       .expected_sent = "NON with a request or a response",
                                       .expected_silence = "an Empty NON is ignored"};
  judge_format(look, &format, look->hook == JDG_ON_SENT && look->coap->type == DIS_NON);
}

void rule_coap_4_3_03(struct jdg_look *look) {
  static const struct format format = {
      .received = DIS_FORMAT_ERRORS | DIS_ERROR_CLASS | DIS_ERROR_EMPTY_NON,
      .non_only = true,
      .judges_reset = true,
      .expected_silence = "a NON that cannot be processed is ignored, but for a RST by unicast"};
  judge_format(look, &format, false);
}
