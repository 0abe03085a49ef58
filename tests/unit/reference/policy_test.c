/* SPDX-License-Identifier: BSD-2-Clause */
/* Every policy is a seam: it is called, and what it says is what happens. */
#include "bench_host.h"

#define SELF_SERVER "[2001:db8::5]:5683"
#define SELF_CLIENT "[2001:db8::c]:40000"
#define PEER        "[2001:db8::c]:61000"
#define GROUP       "[ff35::1]:5683"

/* ---- Server: each policy replaced by one that says something else. ---- */

static const struct ref_server_policy *const fine = &ref_server_policy_default;

static bool any_version(const struct ref_env *env, uint8_t version) {
  (void)env;
  (void)version;
  return true;
}
static uint8_t reject_reset(const struct ref_env *env, const struct ref_request *r,
                            enum ref_fault fault) {
  (void)env;
  (void)r;
  (void)fault;
  return REF_REACT_RESET;
}
static void key_mid_only(const struct ref_env *env, const struct ref_request *r,
                         struct chorus_endpoint *source, uint16_t *mid) {
  fine->dedup_key(env, r, source, mid);
  memset(source, 0, sizeof *source);
}
static bool never_duplicate(const struct ref_env *env, const struct ref_request *r, chorus_time age,
                            bool enabled) {
  (void)env;
  (void)r;
  (void)age;
  (void)enabled;
  return false;
}
static chorus_time execute_later(const struct ref_env *env, const struct ref_request *r) {
  (void)r;
  return env->now + 2 * CHORUS_SECOND;
}
static bool accept_all(const struct ref_env *env, const struct ref_request *r) {
  (void)env;
  (void)r;
  return true;
}
static bool suppress_all(const struct ref_env *env, const struct ref_request *r,
                         const struct ref_outcome *o) {
  (void)env;
  (void)r;
  (void)o;
  return true;
}
static int ignore_no_response(const struct ref_env *env, const struct ref_request *r) {
  (void)env;
  (void)r;
  return -1;
}
static bool combine_shifted(const struct ref_env *env, const struct ref_request *r, bool base,
                            int bitmap, uint8_t code, bool widen) {
  return fine->combine(env, r, base, bitmap < 0 ? bitmap : bitmap << 2, code, widen);
}
static struct ref_leisure_plan at_once(const struct ref_env *env, const struct ref_request *r,
                                       chorus_time leisure, const struct ref_period *last) {
  (void)r;
  (void)leisure;
  return (struct ref_leisure_plan){.due = env->now, .period = *last};
}
static bool permit_all(const struct ref_env *env, const struct ref_request *r, bool within) {
  (void)env;
  (void)r;
  (void)within;
  return true;
}
static unsigned twice(const struct ref_env *env, const struct ref_request *r) {
  (void)env;
  (void)r;
  return 2;
}
static uint8_t confirmable(const struct ref_env *env, const struct ref_request *r) {
  (void)env;
  (void)r;
  return REF_CON;
}
static void to_5683(const struct ref_env *env, const struct ref_request *r,
                    struct chorus_endpoint *destination, struct chorus_endpoint *source) {
  fine->response_route(env, r, destination, source);
  destination->port = 5683;
}
static uint8_t half_token(const struct ref_env *env, const struct ref_request *r,
                          uint8_t token[8]) {
  return fine->response_token(env, r, token) / 2;
}
static uint16_t echo_mid(const struct ref_env *env, const struct ref_request *r, uint16_t fresh) {
  (void)env;
  (void)fresh;
  return r->message->mid;
}
static void finish_teapot(const struct ref_env *env, const struct ref_request *r,
                          struct ref_outcome *o) {
  (void)env;
  (void)r;
  o->code = REF_CODE(4, 18);
}
static bool no_ack(const struct ref_env *env, const struct ref_request *r) {
  (void)env;
  (void)r;
  return false;
}
static bool any_source(const struct ref_env *env, const struct chorus_endpoint *a,
                       const struct chorus_endpoint *b) {
  (void)env;
  (void)a;
  (void)b;
  return true;
}
static chorus_time constant_interval(const struct ref_env *env, unsigned attempt,
                                     chorus_time previous) {
  (void)env;
  (void)attempt;
  (void)previous;
  return 2 * CHORUS_SECOND;
}
static enum ref_filter whole_list(const struct ref_env *env, const struct ref_request *r,
                                  bool supported, size_t matches) {
  (void)env;
  (void)r;
  (void)supported;
  (void)matches;
  return REF_FILTER_WHOLE;
}
static int blocks_of_16(const struct ref_env *env, const struct ref_request *r, size_t whole,
                        size_t message, int asked) {
  (void)env;
  (void)r;
  (void)whole;
  (void)message;
  (void)asked;
  return 0;
}
static bool join_nothing(const struct ref_env *env, const struct chorus_endpoint *g,
                         bool discovery) {
  (void)env;
  (void)g;
  (void)discovery;
  return false;
}

static const char *const texts[] = {"off", "a text of more than sixteen octets"};

/*
 * One run of everything: what the server sent and did comes back as a number that depends on all of
 * it (the times, octets and endpoints of datagrams, the events).
 */
static uint64_t mix(uint64_t h, const void *octets, size_t length) {
  const uint8_t *at = octets;
  for (size_t i = 0; i < length; i++) h = (h ^ at[i]) * UINT64_C(1099511628211);
  return h;
}

static uint64_t digest(const struct bench *b) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < b->sent_count; i++) {
    h = mix(h, &b->sent[i].at, sizeof b->sent[i].at);
    h = mix(h, &b->sent[i].datagram.destination, sizeof b->sent[i].datagram.destination);
    h = mix(h, &b->sent[i].datagram.source.port, 2);
    h = mix(h, b->sent[i].octets, b->sent[i].datagram.length);
  }
  for (size_t i = 0; i < b->said_count; i++) {
    h = mix(h, &b->said[i].at, sizeof b->said[i].at);
    h = mix(h, &b->said[i].event.type, sizeof b->said[i].event.type);
    h = mix(h, &b->said[i].event.peer, sizeof b->said[i].event.peer);
    h = mix(h, b->said[i].detail, strlen(b->said[i].detail));
  }
  return h;
}

static void pass(struct bench *b, chorus_time time) {
  bench_run(b, b->now + time);
}

static void exercise_server(struct bench *b) {
  struct crafted c;
  uint16_t mid = 0;
  craft(&c, REF_NON, 1, mid++, "token");
  deliver(b, option(&c, 11, "light"), PEER, GROUP);
  deliver(b, &c, PEER, GROUP);
  deliver(b, &c, "[2001:db8::d]:61000", GROUP);
  pass(b, 12 * CHORUS_SECOND);
  c.octets[0] |= 0x80; /* version 3 */
  c.octets[3] = (uint8_t)mid++;
  deliver(b, &c, PEER, GROUP);
  for (uint32_t nr = 0; nr <= 26; nr += 2) {
    craft(&c, REF_NON, 1, mid++, "nr");
    deliver(b, option_uint(option(&c, 11, "quiet"), 258, nr), PEER, GROUP);
    pass(b, 12 * CHORUS_SECOND);
  }
  deliver(b, option(craft(&c, REF_NON, 3, mid++, "t"), 11, "alone"), PEER, GROUP);
  deliver(b, option(craft(&c, REF_NON, 1, mid++, "t"), 65001, "x"), PEER, GROUP);
  option(option(craft(&c, REF_NON, 1, mid++, "t"), 11, ".well-known"), 11, "core");
  deliver(b, option(&c, 15, "rt=nothing"), PEER, GROUP);
  pass(b, 12 * CHORUS_SECOND);
  for (int i = 0; i < 30; i++)
    deliver(b, option(craft(&c, REF_NON, 1, mid++, "f"), 11, "light"), PEER, SELF_SERVER);
  deliver(b, option(craft(&c, REF_CON, 1, mid++, "c"), 11, "slow"), PEER, SELF_SERVER);
  pass(b, 3 * CHORUS_SECOND);
  uint16_t last = sent_message(b, b->sent_count - 1).mid;
  deliver(b, craft(&c, REF_ACK, 0, last, ""), "[2001:db8::bad]:1", SELF_SERVER);
  pass(b, 300 * CHORUS_SECOND);
}

static uint64_t server_digest(const struct ref_server_policy *policy) {
  struct ref_resource r[] = {
      {.path = "/light", .payload = (const uint8_t *)texts[1], .payload_length = 34},
      {.path = "/quiet",
       .payload = (const uint8_t *)texts[0],
       .payload_length = 3,
       .suppress = REF_SUPPRESS_2XX,
       .no_response = true},
      {.path = "/alone", .unicast_only = true},
      {.path = "/slow", .processing = CHORUS_SECOND},
  };
  struct ref_server_config cfg = {.resources = r, .resource_count = 4, .policy = policy};
  struct bench b;
  struct chorus_node node = ref_server_new(&cfg, NULL);
  bench_start(&b, node, SELF_SERVER);
  exercise_server(&b);
  uint64_t d = digest(&b);
  bench_stop(&b);
  ref_server_free(node);
  return d;
}

#define SERVER_SEAM(member, function)                                                    \
  do {                                                                                   \
    struct ref_server_policy p = ref_server_policy_default;                              \
    p.member = function;                                                                 \
    ck_assert_msg(server_digest(&p) != normal, "replacing " #member " changes nothing"); \
  } while (0)

START_TEST(server_seams) {
  struct ref_server_policy same = ref_server_policy_default;
  uint64_t normal = server_digest(NULL);
  ck_assert(server_digest(&same) == normal); /* the control: a copy changes nothing */
  SERVER_SEAM(version, any_version);
  SERVER_SEAM(reject, reject_reset);
  SERVER_SEAM(dedup_key, key_mid_only);
  SERVER_SEAM(duplicate, never_duplicate);
  SERVER_SEAM(execute_at, execute_later);
  SERVER_SEAM(accept_group, accept_all);
  SERVER_SEAM(suppress, suppress_all);
  SERVER_SEAM(no_response, ignore_no_response);
  SERVER_SEAM(combine, combine_shifted);
  SERVER_SEAM(leisure, at_once);
  SERVER_SEAM(permit, permit_all);
  SERVER_SEAM(response_count, twice);
  SERVER_SEAM(response_type, confirmable);
  SERVER_SEAM(response_route, to_5683);
  SERVER_SEAM(response_token, half_token);
  SERVER_SEAM(response_mid, echo_mid);
  SERVER_SEAM(finish, finish_teapot);
  SERVER_SEAM(acknowledge, no_ack);
  SERVER_SEAM(match_ack, any_source);
  SERVER_SEAM(retransmit, constant_interval);
  SERVER_SEAM(filter, whole_list);
  SERVER_SEAM(block, blocks_of_16);
  SERVER_SEAM(join, join_nothing);
}
END_TEST

/* ---- Client ---- */

static const struct ref_client_policy *const fine_client = &ref_client_policy_default;

static int check_nothing(const struct ref_env *env, const struct chorus_endpoint *d, bool secure,
                         const char **why) {
  (void)env;
  (void)d;
  (void)secure;
  (void)why;
  return CHORUS_OK;
}
static int always_con(const struct ref_env *env, bool group, int asked) {
  (void)env;
  (void)group;
  (void)asked;
  return REF_CON;
}
static void add_etag(const struct ref_env *env, const struct ref_exchange *x,
                     struct ref_option_list *list) {
  (void)env;
  (void)x;
  ref_option_add(list, 4, "tag", 3);
}
static bool counting_token(const struct ref_env *env, const struct ref_token_view *view,
                           uint8_t length, uint8_t *token) {
  (void)env;
  memset(token, 0, length);
  token[0] = (uint8_t)view->serial;
  return true;
}
static chorus_time short_retention(const struct ref_env *env, const struct ref_exchange *x,
                                   chorus_time msrd) {
  (void)env;
  (void)x;
  (void)msrd;
  return CHORUS_SECOND;
}
static uint16_t eight_bits(const struct ref_env *env, bool group, uint16_t fresh) {
  (void)env;
  (void)group;
  return fresh & 0xff;
}
static int repeat_any(const struct ref_env *env, const struct ref_exchange *x, enum ref_repeat how,
                      chorus_time age, const char **why) {
  (void)env;
  (void)x;
  (void)how;
  (void)age;
  (void)why;
  return CHORUS_OK;
}
static chorus_time impatient(const struct ref_env *env, const struct ref_exchange *x) {
  (void)x;
  return env->now + 2 * CHORUS_SECOND;
}
static bool match_any(const struct ref_env *env, const struct ref_exchange *x,
                      const struct ref_reply *r) {
  (void)env;
  (void)x;
  (void)r;
  return true;
}
static bool accept_any(const struct ref_env *env, const struct ref_exchange *x,
                       const struct ref_reply *r, bool answered) {
  (void)env;
  (void)x;
  (void)r;
  (void)answered;
  return true;
}
static struct chorus_endpoint origin_group(const struct ref_env *env, const struct ref_exchange *x,
                                           const struct ref_reply *r) {
  (void)env;
  (void)r;
  return x->destination;
}
static int ack_all(const struct ref_env *env, const struct ref_message *m, bool expected) {
  (void)env;
  (void)m;
  (void)expected;
  return REF_ACK;
}
static const char *success(const struct ref_env *env, const struct ref_exchange *x,
                           enum ref_end end) {
  (void)env;
  (void)x;
  (void)end;
  return "success";
}

static void respond(struct bench *b, size_t i, uint8_t type, uint16_t mid, const char *from,
                    bool critical) {
  struct crafted c;
  struct ref_message m = sent_message(b, i);
  ref_writer_begin(&c.w, c.octets, sizeof c.octets, type, REF_CODE(2, 5), mid, m.token,
                   m.token_length);
  if (critical) option(&c, 65001, "x");
  deliver(b, &c, from, SELF_CLIENT);
}

static void exercise_client(struct bench *b) {
  struct crafted c;
  ask(b, "request", "id", "a", "uri", "coap://[ff35::1]/x", "timeout", "3min");
  respond(b, 0, REF_NON, 1, "[2001:db8::1]:5683", false);
  respond(b, 0, REF_NON, 2, "[2001:db8::1]:5683", false);
  respond(b, 0, REF_NON, 3, "[2001:db8::2]:5683", true);
  respond(b, 0, REF_CON, 4, "[2001:db8::3]:5683", false);
  deliver(b, craft(&c, REF_CON, REF_CODE(2, 5), 5, "none"), "[2001:db8::4]:5683", SELF_CLIENT);
  deliver(b, craft(&c, REF_NON, REF_CODE(2, 5), 6, "none"), "[2001:db8::4]:5683", SELF_CLIENT);
  ref_writer_begin(&c.w, c.octets, sizeof c.octets, REF_NON, REF_CODE(2, 5), 7,
                   sent_message(b, 0).token, 8);
  c.octets[0] |= 0x80;
  deliver(b, &c, "[2001:db8::5]:5683", SELF_CLIENT);
  pass(b, 50 * CHORUS_SECOND);
  ask(b, "repeat", "of", "a", "mid", "same");
  ask(b, "request", "id", "b", "uri", "coap://[ff35::1]:5684/x");
  size_t at = b->sent_count;
  ask(b, "request", "id", "c", "uri", "coap://[2001:db8::7]/x");
  respond(b, at, REF_NON, 8, "[2001:db8::bad]:5683", false);
  pass(b, 100 * CHORUS_SECOND);
  pass(b, 900 * CHORUS_SECOND);
}

static uint64_t client_digest(const struct ref_client_policy *policy) {
  struct ref_client_config cfg = {.policy = policy};
  struct bench b;
  struct chorus_node node = ref_client_new(&cfg, NULL);
  bench_start(&b, node, SELF_CLIENT);
  exercise_client(&b);
  uint64_t d = digest(&b);
  bench_stop(&b);
  ref_client_free(node);
  return d;
}

#define CLIENT_SEAM(member, function)                                                    \
  do {                                                                                   \
    struct ref_client_policy p = *fine_client;                                           \
    p.member = function;                                                                 \
    ck_assert_msg(client_digest(&p) != normal, "replacing " #member " changes nothing"); \
  } while (0)

START_TEST(client_seams) {
  struct ref_client_policy same = ref_client_policy_default;
  uint64_t normal = client_digest(NULL);
  ck_assert(client_digest(&same) == normal);
  CLIENT_SEAM(version, any_version);
  CLIENT_SEAM(check_uri, check_nothing);
  CLIENT_SEAM(request_type, always_con);
  CLIENT_SEAM(options, add_etag);
  CLIENT_SEAM(token, counting_token);
  CLIENT_SEAM(token_retention, short_retention);
  CLIENT_SEAM(message_id, eight_bits);
  CLIENT_SEAM(repeat, repeat_any);
  CLIENT_SEAM(listen_until, impatient);
  CLIENT_SEAM(match, match_any);
  CLIENT_SEAM(valid, match_any);
  CLIENT_SEAM(accept, accept_any);
  CLIENT_SEAM(origin, origin_group);
  CLIENT_SEAM(completes, match_any);
  CLIENT_SEAM(acknowledge, ack_all);
  CLIENT_SEAM(retransmit, constant_interval);
  CLIENT_SEAM(done, success);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {server_seams, client_seams};
  return RUN_TESTS("policy", tests);
}
