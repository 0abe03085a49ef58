/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the rules on clients: one client with application events, three servers, and the
 * short steps that most cases are made of. Times are milliseconds.
 */
#ifndef CHORUS_TESTS_RULES_CLIENT_FIXTURE_H
#define CHORUS_TESTS_RULES_CLIENT_FIXTURE_H

#include "check_run.h"
#include "judge_fixture.h"

#define CLIENT "[2001:db8::c]:40000"
#define S1     "[2001:db8::1]:5683"
#define S2     "[2001:db8::2]:5683"
#define S3     "[2001:db8::3]:5683"
#define GROUP  "[ff35::1]:5683"

struct cfx {
  struct fx fx;
  uint32_t c, s1, s2, s3;
};

static inline void cfx_open(struct cfx *t, enum jdg_profile profile) {
  fx_open(&t->fx, profile);
  t->c = fx_node(&t->fx, "c1", CLIENT);
  t->s1 = fx_node(&t->fx, "s1", S1);
  t->s2 = fx_node(&t->fx, "s2", S2);
  t->s3 = fx_node(&t->fx, "s3", S3);
}

/* What the client's application says about message |m|; |name| is the request's. */
static inline void cfx_say(struct cfx *t, enum chorus_event_type type, const char *name,
                           const char *peer, bool group, const struct fx_message *m,
                           const char *detail, chorus_time timeout) {
  struct chorus_event e = {
      .type = type, .request = name, .detail = detail, .timeout = timeout, .group = group};
  if (peer) e.peer = fx_endpoint(peer);
  if (m) {
    e.has_message = true;
    e.token_length = (uint8_t)fx_hex(m->token, e.token);
    e.mid = (uint16_t)m->mid;
    e.message_type = (uint8_t)m->type;
    e.code = (uint8_t)m->code;
  }
  jdg_event(t->fx.judge, t->c, t->fx.now, &e);
}

/* The client sends, silently. */
static inline void cfx_send(struct cfx *t, uint64_t ms, const char *to,
                            const struct fx_message *m) {
  fx_at(&t->fx, ms);
  fx_send(&t->fx, t->c, CLIENT, to, m);
}

/* The client sends a new request and says so: its application waits for |seconds|. */
static inline void cfx_ask(struct cfx *t, uint64_t ms, const char *to, const struct fx_message *m,
                           unsigned seconds) {
  cfx_send(t, ms, to, m);
  cfx_say(t, CHORUS_EVENT_REQUEST, m->token, to, strstr(to, "[ff") == to, m, NULL,
          seconds * CHORUS_SECOND);
}

/* Something reaches the client from |from|; a server of that address has sent it. */
static inline void cfx_answer(struct cfx *t, uint64_t ms, const char *from,
                              const struct fx_message *m) {
  struct chorus_endpoint e = fx_endpoint(from);
  fx_at(&t->fx, ms);
  if (e.address[15] >= 1 && e.address[15] <= 3)
    fx_send(&t->fx, t->c + e.address[15], from, CLIENT, m);
  fx_receive(&t->fx, t->c, from, CLIENT, m);
}

static inline void cfx_deliver(struct cfx *t, const char *from, const struct fx_message *m) {
  cfx_say(t, CHORUS_EVENT_DELIVER, m->token, from, true, m, NULL, 0);
}

/* The response arrives and is given to the application. */
static inline void cfx_answered(struct cfx *t, uint64_t ms, const char *from,
                                const struct fx_message *m) {
  cfx_answer(t, ms, from, m);
  cfx_deliver(t, from, m);
}

static inline void cfx_done(struct cfx *t, uint64_t ms, const char *to, const struct fx_message *m,
                            const char *detail) {
  fx_at(&t->fx, ms);
  cfx_say(t, CHORUS_EVENT_DONE, m->token, to, strstr(to, "[ff") == to, m, detail, 0);
}

static inline void cfx_restart(struct cfx *t, uint64_t ms) {
  fx_at(&t->fx, ms);
  cfx_say(t, CHORUS_EVENT_RESTART, NULL, NULL, false, NULL, NULL, 0);
}

static inline struct jdg_ics cfx_ics(void) {
  struct jdg_ics ics;
  jdg_ics_default(&ics);
  ics.declared = true;
  return ics;
}

/* Ends the capture and gives the verdict on the client. */
static inline enum jdg_verdict cfx_end(struct cfx *t, uint64_t ms, const char *rule) {
  fx_close_at(&t->fx, ms);
  return fx_verdict(&t->fx, rule, t->c);
}

#define ck_verdict(t, ms, rule, verdict)                                                   \
  do {                                                                                     \
    enum jdg_verdict got_ = cfx_end(t, ms, rule);                                          \
    ck_assert_msg(got_ == (verdict), "%s: %s instead of %s", rule, jdg_verdict_name(got_), \
                  jdg_verdict_name(verdict));                                              \
    fx_free(&(t)->fx);                                                                     \
  } while (0)

static inline int cfx_main(TCase *tests) {
  Suite *suite = suite_create("rules");
  suite_add_tcase(suite, tests);
  return check_run(suite);
}

#endif
