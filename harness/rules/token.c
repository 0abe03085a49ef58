/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens of clients: when one may serve another request, and how they are made.
 *
 * Reuse means a different request under the Token of an earlier one; the clock starts at the last
 * transmission that belongs to the earlier one (AMB-21). The formula of the seed, 2.3.1, gives
 * 245 s + MAX_SERVER_RESPONSE_DELAY (MSRD), the next sentence demands 250 s + MSRD (AMB-01).
 */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/client.h"
#include "rules/constants.h"

#define REUSE_BY_FORMULA (JDG_NON_LIFETIME + JDG_MAX_LATENCY) /* RFC 7252, section 4.8.2 */
#define REUSE_BY_TEXT    (250 * CHORUS_SECOND)                /* seed, 2.3.1; RFC 7390, 2.5 */
#define UNKNOWN_MSRD     (250 * CHORUS_SECOND) /* seed, 2.3.1: "reasonable guideline" */
#define MANY_REQUESTS    50u

/* An observation goes on: a registration anew, or its end by Observe 1 (RFC 7641, 3.3.1, 3.6). */
static bool same_observation(const struct jdg_request *now, const struct jdg_request *before) {
  bool observes = now->observe == DIS_PRESENT && before->observe == DIS_PRESENT;
  return observes && before->observe_value == 0 && now->resource == before->resource;
}

/* The very same request again: with unicast under the Token in between, it is still a repeat. */
static bool repeats(const struct jdg_request *r, const struct jdg_request *old) {
  return old != r->previous && r->digest == old->digest &&
         chorus_same_endpoint(&r->destination, &old->destination);
}

/* The group request that had the Token before, if this is reuse of it; or NULL. */
static const struct jdg_request *reused(const struct jdg_look *look) {
  if (look->relation != JDG_REUSE || !look->request) return NULL;
  const struct jdg_request *r = look->request, *old = r->group_before;
  if (r->client != look->host || r->spoofed || !r->group) return NULL;
  if (!old || old->client != look->host || old->spoofed || repeats(r, old)) return NULL;
  return same_observation(r, old) ? NULL : old;
}

/* The time since the last transmission of the group request that had the Token before. */
static chorus_time gap_since(const struct jdg_look *look, const struct jdg_request *old) {
  return look->now - old->last_time;
}

/* A restart loses the memory of which Tokens were used: no rule says what a client is to do then.
 */
static bool over_restart(const struct jdg_look *look, const struct jdg_request *old) {
  chorus_time restart = look->host->restarted_at;
  return restart && old->last_time <= restart;
}

/*
 * With OSCORE, a repeat with a new Message ID is protected anew (AMB-30): on the wire it has the
 * Token of the first, and other octets.
 */
static bool perhaps_protected_anew(const struct jdg_request *r, const struct jdg_request *old) {
  return r->oscore && old->oscore && r->code == old->code &&
         chorus_same_endpoint(&r->destination, &old->destination);
}

/* Says why it cannot be told whether the reuse came too early, if so. */
static bool undecided(struct jdg_look *look, const struct jdg_request *old) {
  const char *why = NULL;
  if (over_restart(look, old))
    why = "The client restarted between the two requests.";
  else if (perhaps_protected_anew(look->request, old))
    why = "With OSCORE, a repeat cannot be told from another request (AMB-30).";
  if (why) jdg_inconclusive(look, why);
  return why;
}

/* Late enough after the request; but an observation has its Token until it ends (AMB-21). */
static void pass_unless_notified(struct jdg_look *look, const struct jdg_request *old) {
  bool lately = old->notified_at && look->now - old->notified_at <= REUSE_BY_TEXT;
  if (old->observe == DIS_PRESENT && lately)
    jdg_inconclusive(look, "Notifications went on under the Token, and their end was not seen.");
  else
    jdg_pass(look);
}

static void break_reuse(struct jdg_look *look, const struct jdg_request *old, const char *expected,
                        bool warn) {
  char time[32], token[24];
  const struct jdg_request *r = look->request;
  const char *text = rule_token_text(r->token, r->token_length, token);
  jdg_time_text(gap_since(look, old), time);
  if (warn)
    jdg_warn(look, r->first_frame, expected, "Token %s used again after %s", text, time);
  else
    jdg_break(look, r->first_frame, expected, "Token %s used again after %s", text, time);
}

static const char *limit_text(char text[64], chorus_time limit) {
  char time[32];
  snprintf(text, 64, "Token used again after more than %s", jdg_time_text(limit, time));
  return text;
}

/* ---- GC-2.3.1-23: MIN_TOKEN_REUSE_TIME ---- */

struct token_count {
  unsigned fresh, reused;
};

static void count_fresh(struct jdg_look *look) {
  if (look->hook != JDG_ON_REQUEST_SENT || look->relation != JDG_NEW) return;
  if (!rule_new_group_request(look)) return;
  struct token_count *count = jdg_state(look, sizeof *count);
  if (count) count->fresh++;
}

static void judge_formula(struct jdg_look *look, const struct jdg_request *old) {
  if (undecided(look, old)) return;
  const struct jdg_ics *ics = &look->host->ics;
  chorus_time msrd = ics->msrd_declared ? ics->msrd : 0;
  chorus_time limit = REUSE_BY_FORMULA + msrd;
  chorus_time safe = ics->msrd_declared ? REUSE_BY_TEXT + msrd : REUSE_BY_TEXT + UNKNOWN_MSRD;
  chorus_time gap = gap_since(look, old);
  char text[64];
  if (gap + rule_time_slack(look) <= limit)
    break_reuse(look, old, limit_text(text, limit), false);
  else if (gap > safe)
    pass_unless_notified(look, old);
  else if (ics->msrd_declared)
    jdg_inconclusive(look, "The reuse lies between 245 s and 250 s + MSRD (AMB-01).");
  else
    jdg_inconclusive(look, "MAX_SERVER_RESPONSE_DELAY of the client is not declared.");
}

void rule_gc_2_3_1_23(struct jdg_look *look) {
  if (look->hook == JDG_ON_END) {
    const struct token_count *count = jdg_state(look, sizeof *count);
    if (count && !count->reused && count->fresh >= MANY_REQUESTS) jdg_pass(look);
    return;
  }
  count_fresh(look);
  const struct jdg_request *old = reused(look);
  if (!old) return;
  struct token_count *count = jdg_state(look, sizeof *count);
  if (count) count->reused++;
  judge_formula(look, old);
}

/* ---- GC-2.3.1-24: 250 s with default parameters ---- */

void rule_gc_2_3_1_24(struct jdg_look *look) {
  const struct jdg_request *old = reused(look);
  if (!old) return;
  const struct jdg_ics *ics = &look->host->ics;
  chorus_time msrd = ics->msrd_declared ? ics->msrd : 0;
  if (undecided(look, old)) return;
  chorus_time gap = gap_since(look, old), measured = gap + rule_time_slack(look);
  bool by_formula = measured > REUSE_BY_FORMULA + msrd;
  char text[64];
  if (measured <= REUSE_BY_TEXT + msrd)
    /* Between the two bounds the text contradicts itself: a warning, unless asked to be strict. */
    break_reuse(look, old, limit_text(text, REUSE_BY_TEXT + msrd),
                by_formula && !jdg_strict_of(look));
  else if (gap > REUSE_BY_TEXT + (ics->msrd_declared ? msrd : UNKNOWN_MSRD))
    pass_unless_notified(look, old);
  else
    jdg_inconclusive(look, "MAX_SERVER_RESPONSE_DELAY of the client is not declared.");
}

/* ---- GC-2.3.1-25: a new Token each time ---- */

void rule_gc_2_3_1_25(struct jdg_look *look) {
  struct token_count *count = jdg_state(look, sizeof *count);
  if (!count) return;
  if (look->hook == JDG_ON_END) {
    if (count->fresh + count->reused < 2) return;
    jdg_remark(look, 0, "%u group requests, %u of them under a Token used before.",
               count->fresh + count->reused, count->reused);
    return;
  }
  if (reused(look)) {
    count->reused++;
    jdg_pass(look); /* a preference: told, not graded */
    return;
  }
  if (look->hook != JDG_ON_REQUEST_SENT || !rule_new_group_request(look)) return;
  if (count->fresh++) jdg_pass(look);
}

/* ---- GC-2.3.1-26: 500 s without an estimate ---- */

/* The statement was made, and names no MAX_SERVER_RESPONSE_DELAY: the client does not know it. */
static bool delay_unknown(const struct jdg_look *look) {
  return look->host->ics.declared && !look->host->ics.msrd_declared;
}

void rule_gc_2_3_1_26(struct jdg_look *look) {
  const struct jdg_request *old = reused(look);
  if (!old || !delay_unknown(look) || undecided(look, old)) return;
  char text[64];
  if (gap_since(look, old) + rule_time_slack(look) <= REUSE_BY_TEXT + UNKNOWN_MSRD)
    break_reuse(look, old, limit_text(text, REUSE_BY_TEXT + UNKNOWN_MSRD), false);
  else
    jdg_pass(look);
}

/* ---- GC-2.3.1-27, NR-11: the estimate itself ---- */

struct slowest {
  chorus_time leisure;
  bool known;
};

void rule_gc_2_3_1_27(struct jdg_look *look) {
  const struct jdg_ics *ics = &look->host->ics;
  if (!ics->msrd_declared) return;
  struct slowest *state = jdg_state(look, sizeof *state);
  if (!state) return;
  if (look->hook == JDG_ON_RESPONSE_RECEIVED) {
    const struct jdg_leg *leg = look->leg;
    if (!leg || !leg->request->group || leg->server->ics.leisure_declared != JDG_YES) return;
    state->known = true;
    if (leg->server->ics.leisure > state->leisure) state->leisure = leg->server->ics.leisure;
    return;
  }
  if (!state->known) return;
  if (ics->msrd >= state->leisure) {
    jdg_pass(look);
    return;
  }
  char leisure[32], msrd[32], expected[96];
  snprintf(expected, sizeof expected, "MAX_SERVER_RESPONSE_DELAY of %s or more (longest Leisure)",
           jdg_time_text(state->leisure, leisure));
  jdg_break(look, 0, expected, "MAX_SERVER_RESPONSE_DELAY of %s", jdg_time_text(ics->msrd, msrd));
}

void rule_nr_11(struct jdg_look *look) {
  const struct jdg_ics *ics = &look->host->ics;
  if (!ics->msrd_declared || !(look->host->roles & JDG_CLIENT)) return;
  char msrd[32];
  if (ics->msrd > JDG_DEFAULT_LEISURE)
    jdg_pass(look);
  else
    jdg_break(look, 0, "MAX_SERVER_RESPONSE_DELAY of more than 5.000 s",
              "MAX_SERVER_RESPONSE_DELAY of %s", jdg_time_text(ics->msrd, msrd));
}

/* ---- NR-10, NR-12: Tokens of requests with No-Response ---- */

#define ALL_CLASSES 26u /* 2.xx, 4.xx and 5.xx (RFC 7967, section 2.1) */

static bool never_cares(const struct jdg_request *r) {
  return r->no_response == DIS_PRESENT && (r->no_response_value & ALL_CLASSES) == ALL_CLASSES;
}

/* RFC 7967, 3.1: a client that is never going to care about a response reuses at liberty. */
static const struct jdg_request *reused_with_no_response(const struct jdg_look *look) {
  const struct jdg_request *old = reused(look);
  if (!old || old->no_response != DIS_PRESENT) return NULL;
  return never_cares(old) && never_cares(look->request) ? NULL : old;
}

void rule_nr_10(struct jdg_look *look) {
  const struct jdg_request *old = reused_with_no_response(look);
  if (old) judge_formula(look, old);
}

void rule_nr_12(struct jdg_look *look) {
  const struct jdg_request *old = reused_with_no_response(look);
  if (!old || !delay_unknown(look) || undecided(look, old)) return;
  if (gap_since(look, old) + rule_time_slack(look) > REUSE_BY_TEXT + UNKNOWN_MSRD)
    jdg_pass(look); /* the seed's guideline is an estimate, too */
  else
    break_reuse(look, old, "a Token of its own, or reuse after more than 500.000 s", false);
}

/* ---- GC-2.3.1-31: Tokens belong to a port ---- */

#define TOKENS_KEPT 64

struct token_use {
  uint64_t token;
  chorus_time time;
  struct chorus_endpoint source;
};

struct token_uses {
  struct token_use use[TOKENS_KEPT];
  unsigned next;
};

void rule_gc_2_3_1_31(struct jdg_look *look) {
  if (!rule_new_group_request(look) || !look->request->token_length) return;
  struct token_uses *state = jdg_state(look, sizeof *state);
  if (!state) return;
  const struct jdg_request *r = look->request;
  uint64_t key = rule_token_key(r->token, r->token_length);
  for (size_t i = 0; i < TOKENS_KEPT; i++) {
    const struct token_use *u = &state->use[i];
    if (u->token != key || u->source.port == r->source.port) continue;
    if (!chorus_same_address(&u->source, &r->source)) continue;
    if (look->now - u->time > REUSE_BY_FORMULA) continue;
    jdg_pass(look); /* two clients of one host */
    break;
  }
  state->use[state->next++ % TOKENS_KEPT] = (struct token_use){key, look->now, r->source};
}

/* ---- COAP-5.3.1-02: unique among what is outstanding ---- */

#define PEERS_KEPT 16

struct outstanding {
  struct chorus_endpoint server;
  unsigned open;
};

/*
 * Elsewhere no application tells when a request is over. A Token is shared for certain if both
 * requests get their answers after the second was sent, so soon that nobody had given up.
 */
#define SHARED_KEPT 8

struct shared_token {
  uint64_t serial; /* of the second request; 0: unused */
  uint64_t frame;
  chorus_time time;
  unsigned answers;
};

struct token_user {
  struct outstanding peers[PEERS_KEPT];
  struct shared_token shared[SHARED_KEPT];
  unsigned next;
};

static struct outstanding *outstanding_at(struct jdg_look *look,
                                          const struct chorus_endpoint *server, bool make) {
  struct token_user *user = jdg_state(look, sizeof *user);
  if (!user) return NULL;
  struct outstanding *peers = user->peers;
  for (size_t i = 0; i < PEERS_KEPT; i++)
    if (peers[i].open && chorus_same_endpoint(&peers[i].server, server)) return &peers[i];
  for (size_t i = 0; make && i < PEERS_KEPT; i++) {
    if (peers[i].open) continue;
    peers[i].server = *server;
    return &peers[i];
  }
  return NULL;
}

static void follow_outstanding(struct jdg_look *look) {
  if (look->event->type == CHORUS_EVENT_RESTART) {
    struct token_user *user = jdg_state(look, sizeof *user);
    if (user) memset(user, 0, sizeof *user);
  }
  const struct jdg_request *r = look->request;
  if (!r || r->group || r->client != look->host) return;
  bool begins = look->event->type == CHORUS_EVENT_REQUEST;
  if (!begins && look->event->type != CHORUS_EVENT_DONE) return;
  struct outstanding *peer = outstanding_at(look, &r->destination, begins);
  if (!peer) return;
  if (begins)
    peer->open++;
  else
    peer->open--;
}

static bool still_open(const struct jdg_look *look, const struct jdg_request *old) {
  if (old->group || old->client != look->host || !old->announced) return false;
  chorus_time restart = look->host->restarted_at;
  if (restart && old->last_time <= restart) return false;
  return old->done_at == CHORUS_NEVER && old->observe != DIS_PRESENT;
}

static void break_shared(struct jdg_look *look, const struct jdg_request *r, uint64_t frame) {
  char token[24];
  jdg_break(look, frame, "a Token of its own among outstanding requests to a server",
            "Token %s of a request that is still outstanding",
            rule_token_text(r->token, r->token_length, token));
}

/* May have more than one response, or none. */
static bool unusual(const struct jdg_request *r) {
  return r->group || r->spoofed || r->proxied || r->observe != DIS_ABSENT ||
         r->no_response != DIS_ABSENT;
}

static void note_shared(struct jdg_look *look, const struct jdg_request *old) {
  const struct jdg_request *r = look->request;
  struct token_user *user = jdg_state(look, sizeof *user);
  if (!user || look->certain || look->host->has_events || look->gap >= RULE_SOON) return;
  if (unusual(r) || unusual(old) || old->responders || old->repeats) return;
  user->shared[user->next++ % SHARED_KEPT] =
      (struct shared_token){.serial = r->serial, .frame = look->frame, .time = look->now};
}

/* Piggybacked on the ACK of neither: blocks share a Token, and the capture may lack a request. */
static bool answers_a_third(const struct dis_coap *m, const struct jdg_request *r) {
  if (m->type != DIS_ACK || jdg_request_has_mid(r, m->mid)) return false;
  return !r->previous || !jdg_request_has_mid(r->previous, m->mid);
}

static void count_answers(struct jdg_look *look) {
  const struct jdg_arrival *a = look->arrival;
  struct token_user *user = jdg_state_if_any(look);
  if (!user || look->copy || !a->request || a->certain) return;
  if (answers_a_third(look->coap, a->request)) return;
  for (size_t i = 0; i < SHARED_KEPT; i++) {
    struct shared_token *s = &user->shared[i];
    if (s->serial != a->request->serial) continue;
    if (!chorus_same_endpoint(&a->source, &a->request->destination)) return;
    if (look->now - s->time < RULE_ORDER_SLACK) continue;
    if (++s->answers == 2) break_shared(look, a->request, s->frame);
  }
}

void rule_coap_5_3_1_02(struct jdg_look *look) {
  if (look->hook == JDG_ON_EVENT) {
    follow_outstanding(look);
    return;
  }
  if (look->hook == JDG_ON_RESPONSE_RECEIVED) {
    count_answers(look);
    return;
  }
  const struct jdg_request *r = look->request;
  if (look->group || !rule_own_request(look)) return;
  const struct jdg_request *old = look->relation == JDG_REUSE ? r->previous : NULL;
  if (old && chorus_same_endpoint(&old->destination, &r->destination)) {
    if (still_open(look, old)) {
      break_shared(look, r, look->frame);
      return;
    }
    note_shared(look, old);
  }
  if (look->relation == JDG_NEW && outstanding_at(look, &r->destination, false)) jdg_pass(look);
}
