/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients and servers of the reference on a bad network, with an attacker, at random: whatever
 * happens, what they send and say keeps the rules that are checked here on the way.
 */
#include "bench_host.h"
#include "chorus/emulator.h"

enum { CLIENTS = 2, SERVERS = 3, NODES = CLIENTS + SERVERS + 1, LOG_MAX = 60000 };
enum { ATTACKER = NODES - 1 };

/* A datagram as sent by, or arrived at, a node. */
struct record {
  chorus_time at;
  uint32_t node;
  bool arrival;
  struct chorus_endpoint source, destination;
  uint16_t length;
  uint8_t octets[1280];
};

struct heard {
  chorus_time at;
  uint32_t node;
  struct chorus_event event;
  uint64_t request; /* hash of the request's name */
};

struct world {
  struct emu_network *network;
  struct chorus_node nodes[NODES];
  struct record *log;
  size_t count;
  struct heard *heard;
  size_t heard_count;
  uint64_t random;
  uint64_t seed;
};

static uint64_t draw(struct world *w, uint64_t bound) {
  uint64_t z = w->random += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (z ^ (z >> 31)) % bound;
}

static void record(struct world *w, chorus_time now, uint32_t node, const uint8_t *packet,
                   size_t length, bool arrival) {
  if (length < 48 || packet[0] >> 4 != 6 || packet[6] != 17) return;
  ck_assert_uint_lt(w->count, LOG_MAX);
  struct record *r = &w->log[w->count++];
  *r = (struct record){.at = now, .node = node, .arrival = arrival};
  memcpy(r->source.address, packet + 8, 16);
  memcpy(r->destination.address, packet + 24, 16);
  r->source.port = (uint16_t)(packet[40] << 8 | packet[41]);
  r->destination.port = (uint16_t)(packet[42] << 8 | packet[43]);
  r->length = (uint16_t)(length - 48);
  memcpy(r->octets, packet + 48, r->length);
}

static void on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                           const uint8_t *packet, size_t length) {
  (void)id;
  if (node != ATTACKER) record(context, now, node, packet, length, false);
}

static void on_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                       const uint8_t *packet, size_t length) {
  (void)id;
  if (node != ATTACKER) record(context, now, node, packet, length, true);
}

static void on_event(void *context, chorus_time now, uint32_t node,
                     const struct chorus_event *event) {
  struct world *w = context;
  ck_assert_uint_lt(w->heard_count, LOG_MAX);
  struct heard *h = &w->heard[w->heard_count++];
  *h = (struct heard){.at = now, .node = node, .event = *event};
  for (const char *c = event->request; c && *c; c++) h->request = h->request * 31 + (uint8_t)*c;
}

static int idle_start(void *node, chorus_time now, const struct chorus_host *host) {
  (void)node;
  (void)now;
  return host->ops->open(host->context, 9999);
}
static void idle_stop(void *node, chorus_time now) {
  (void)node;
  (void)now;
}
static const struct chorus_node_ops idle_ops = {.start = idle_start, .stop = idle_stop};

static void make_nodes(struct world *w) {
  static const struct ref_resource resources[] = {
      {.path = "/light",
       .payload = (const uint8_t *)"off",
       .payload_length = 3,
       .no_response = true},
      {.path = "/count", .kind = REF_RESOURCE_COUNTER, .content_format = UINT16_MAX},
      {.path = "/slow", .processing = 4 * CHORUS_SECOND},
      {.path = "/quiet", .suppress = REF_SUPPRESS_2XX | REF_SUPPRESS_4XX},
  };
  static const char *const addresses[NODES] = {"[2001:db8::c1]", "[2001:db8::c2]",
                                               "[2001:db8::1]",  "[2001:db8::2]",
                                               "[2001:db8::3]",  "[2001:db8::bad]"};
  struct chorus_endpoint group = endpoint("[ff35::1]:5683");
  struct ref_server_config server = {
      .resources = resources, .resource_count = 4, .groups = &group, .group_count = 1};
  struct ref_client_config client = {.token_length = (uint8_t)(draw(w, 2) ? 0 : 1)};
  for (uint32_t i = 0; i < NODES; i++) {
    char name[8];
    struct chorus_endpoint e = endpoint(addresses[i]);
    snprintf(name, sizeof name, "n%u", i);
    if (i < CLIENTS)
      w->nodes[i] = ref_client_new(&client, NULL);
    else if (i < ATTACKER)
      w->nodes[i] = ref_server_new(&server, NULL);
    else
      w->nodes[i] = (struct chorus_node){&idle_ops, NULL};
    struct emu_node_config n = {
        .name = name, .node = w->nodes[i], .addresses = &e, .address_count = 1};
    ck_assert_uint_eq(emu_add_node(w->network, &n), i);
  }
}

static void make_network(struct world *w) {
  struct emu_config config = {.seed = w->seed, .latency = CHORUS_MILLISECOND};
  struct emu_observer observer = {
      .context = w, .transmitted = on_transmitted, .arrived = on_arrived, .event = on_event};
  w->network = emu_network_new(&config);
  make_nodes(w);
  emu_observe(w->network, &observer);
  struct emu_impairment bad = {.loss = (emu_ppm)draw(w, 400000),
                               .delay = draw(w, 2 * CHORUS_SECOND),
                               .jitter = draw(w, 2 * CHORUS_SECOND),
                               .duplicate = (emu_ppm)draw(w, 400000),
                               .duplicate_gap = draw(w, 120 * CHORUS_SECOND),
                               .reorder = (emu_ppm)draw(w, 300000),
                               .reorder_gap = draw(w, 20 * CHORUS_SECOND)};
  if (draw(w, 8)) emu_impair(w->network, EMU_ANY, EMU_ANY, &bad);
  ck_assert_int_eq(emu_start(w->network), CHORUS_OK);
}

static void request(struct world *w, uint32_t client, unsigned number) {
  static const char *const uris[] = {"coap://[ff35::1]/light",
                                     "coap://[ff35::1]/count",
                                     "coap://[ff02::fd]/.well-known/core",
                                     "coap://[ff35::1]/nowhere",
                                     "coap://[2001:db8::1]/slow",
                                     "coap://[2001:db8::1]/count",
                                     "coap://[2001:db8::2]/light",
                                     "coap://[2001:db8::99]/x",
                                     "coap://[ff35::1]/quiet"};
  static const char *const methods[] = {"GET", "GET", "POST", "PUT", "DELETE"};
  static const char *const types[] = {"auto", "auto", "auto", "NON"};
  static const char *const no_responses[] = {"0", "2", "8", "16", "24", "26"};
  char id[16];
  snprintf(id, sizeof id, "q%u", number);
  struct chorus_argument a[8] = {{"id", id},
                                 {"uri", uris[draw(w, 9)]},
                                 {"method", methods[draw(w, 5)]},
                                 {"type", types[draw(w, 4)]},
                                 {"payload", "x"}};
  struct chorus_command c = {"request", a, 5};
  if (draw(w, 3) == 0)
    a[c.count++] = (struct chorus_argument){"no-response", no_responses[draw(w, 6)]};
  if (draw(w, 3) == 0) a[c.count++] = (struct chorus_argument){"timeout", "30s"};
  const char *why;
  int status = emu_command(w->network, client, &c, &why);
  ck_assert_msg(status == CHORUS_OK || status == CHORUS_REFUSED, "%s", why);
}

static void again(struct world *w, uint32_t client, unsigned number) {
  char id[16];
  snprintf(id, sizeof id, "q%u", number);
  struct chorus_argument a[3] = {{"of", id}};
  struct chorus_command c = {"repeat", a, 1};
  uint64_t how = draw(w, 4);
  if (how == 0) a[c.count++] = (struct chorus_argument){"mid", "same"};
  if (how == 1) a[c.count++] = (struct chorus_argument){"to", "[2001:db8::1]:5683"};
  if (how == 2) c.verb = "forget";
  const char *why;
  emu_command(w->network, client, &c, &why);
}

/* The attacker replays, or sends anything, from its own address or in somebody's name. */
static void attack(struct world *w) {
  uint8_t octets[64];
  struct chorus_datagram d = {.payload = octets, .length = draw(w, 40), .hop_limit = 64};
  for (size_t i = 0; i < sizeof octets; i++) octets[i] = (uint8_t)draw(w, 256);
  octets[0] = (uint8_t)(0x40u | (octets[0] & 0x38u));
  if (draw(w, 2)) octets[1] = (uint8_t)draw(w, 8);
  d.source = endpoint("[2001:db8::bad]:9999");
  d.destination = endpoint(draw(w, 2) ? "[ff35::1]:5683" : "[2001:db8::2]:5683");
  if (draw(w, 3) == 0) d.destination = endpoint("[2001:db8::c1]:40000");
  if (draw(w, 2) && w->count) {
    const struct record *r = &w->log[draw(w, w->count)];
    d.payload = r->octets;
    d.length = r->length;
    d.destination = r->destination;
    if (draw(w, 2)) d.source = r->source;
  }
  emu_inject(w->network, ATTACKER, &d);
}

static void act(struct world *w, unsigned *number) {
  static const struct chorus_command restart = {"restart", NULL, 0};
  const char *why;
  uint32_t client = (uint32_t)draw(w, CLIENTS);
  uint64_t what = draw(w, 20);
  if (what < 10)
    request(w, client, (*number)++);
  else if (what < 15)
    again(w, client, *number - (unsigned)draw(w, 5) - 1);
  else if (what < 19)
    attack(w);
  else if (draw(w, 3) == 0)
    emu_command(w->network, (uint32_t)draw(w, ATTACKER), &restart, &why);
}

/* ---- What has to hold. ---- */

#define RULE(condition, what) \
  ck_assert_msg(condition, "seed %llu: %s", (unsigned long long)w->seed, what)

static struct ref_message decode(const struct record *r) {
  struct ref_message m;
  ref_decode(r->octets, r->length, &m);
  return m;
}

static bool restarted(const struct world *w, uint32_t node, chorus_time from, chorus_time to) {
  for (size_t i = 0; i < w->heard_count; i++)
    if (w->heard[i].node == node && w->heard[i].event.type == CHORUS_EVENT_RESTART &&
        w->heard[i].at >= from && w->heard[i].at <= to)
      return true;
  return false;
}

/* Whether |node| got a message with this Message ID from |peer| by |until| that may be answered so.
 */
static bool was_asked(const struct world *w, size_t until, const struct record *r, bool only_con) {
  uint16_t mid = (uint16_t)(r->octets[2] << 8 | r->octets[3]);
  for (size_t i = 0; i < until; i++) {
    const struct record *q = &w->log[i];
    if (!q->arrival || q->node != r->node || q->length < 4) continue;
    unsigned type = (q->octets[0] >> 4) & 3u;
    if ((uint16_t)(q->octets[2] << 8 | q->octets[3]) != mid) continue;
    if (type > REF_NON || (only_con && type != REF_CON)) continue;
    if (chorus_is_group(&q->destination)) continue;
    if (chorus_same_endpoint(&q->source, &r->destination)) return true;
  }
  return false;
}

static void check_form(const struct world *w, size_t i) {
  const struct record *r = &w->log[i];
  struct ref_message m;
  RULE(ref_decode(r->octets, r->length, &m) == REF_FAULT_NONE, "malformed");
  RULE(m.version == 1, "version");
  bool empty = m.code == 0;
  RULE(!(m.type == REF_NON && empty), "NON Empty");
  RULE(!(m.type == REF_RST && !empty), "RST with content");
  if (chorus_is_group(&r->destination)) RULE(m.type == REF_NON && m.code < 8, "group request type");
  if (r->node >= CLIENTS && m.type != REF_ACK && !empty) RULE(m.code >> 5 >= 2, "server requests");
  if (m.type == REF_ACK) RULE(was_asked(w, i, r, true), "ACK to nothing");
  if (m.type == REF_RST) RULE(was_asked(w, i, r, false), "RST to nothing");
}

/* COAP-4.4-01, COAP-8.1-05: a Message ID means one message to anybody for EXCHANGE_LIFETIME. */
static void check_mids(const struct world *w, size_t i) {
  const struct record *r = &w->log[i];
  unsigned type = (r->octets[0] >> 4) & 3u;
  for (size_t k = i; k > 0 && r->at - w->log[k - 1].at < REF_EXCHANGE_LIFETIME; k--) {
    const struct record *o = &w->log[k - 1];
    unsigned other = (o->octets[0] >> 4) & 3u;
    if (o->arrival || o->node != r->node || type > 1 || other > 1) continue;
    if (memcmp(o->octets + 2, r->octets + 2, 2) != 0 || o->source.port != r->source.port) continue;
    RULE(o->length == r->length && memcmp(o->octets, r->octets, r->length) == 0 &&
             chorus_same_endpoint(&o->destination, &r->destination),
         "Message ID used twice");
    RULE(r->at - o->at <= REF_MAX_TRANSMIT_SPAN, "copy after MAX_TRANSMIT_SPAN");
  }
}

/* COAP-4.7-01: one unacknowledged Confirmable message of a client per server. */
static void check_nstart(const struct world *w, size_t i) {
  const struct record *r = &w->log[i];
  struct ref_message m = decode(r);
  if (r->node >= CLIENTS || m.type != REF_CON) return;
  for (size_t k = 0; k < i; k++) {
    const struct record *o = &w->log[k];
    struct ref_message om = decode(o);
    if (o->arrival || o->node != r->node || om.type != REF_CON || om.mid == m.mid) continue;
    if (!chorus_same_endpoint(&o->destination, &r->destination)) continue;
    if (r->at - o->at >= REF_EXCHANGE_LIFETIME) continue;
    bool settled = false;
    bool first = true;
    for (size_t j = 0; j < k; j++) {
      struct ref_message jm = decode(&w->log[j]);
      if (!w->log[j].arrival && w->log[j].node == r->node && jm.mid == om.mid && jm.type == REF_CON)
        first = false;
    }
    if (!first) continue;
    for (size_t j = k; j < i && !settled; j++) {
      const struct record *q = &w->log[j];
      struct ref_message qm = decode(q);
      if (!q->arrival || q->node != r->node || !chorus_same_endpoint(&q->source, &o->destination))
        continue;
      bool confirms = qm.type >= REF_ACK && qm.mid == om.mid;
      bool answers = qm.code >= 64 && qm.token_length == om.token_length &&
                     memcmp(qm.token, om.token, om.token_length) == 0;
      settled = confirms || answers;
    }
    RULE(settled, "NSTART");
  }
}

/* GC-2.3.1-03: one execution per Message ID and source within NON_LIFETIME. */
static void check_execution(const struct world *w, size_t i) {
  const struct heard *h = &w->heard[i];
  for (size_t k = 0; k < i; k++) {
    const struct heard *o = &w->heard[k];
    if (o->event.type != CHORUS_EVENT_EXECUTE || o->node != h->node) continue;
    if (o->event.mid != h->event.mid || o->event.message_type != h->event.message_type) continue;
    if (!chorus_same_endpoint(&o->event.peer, &h->event.peer)) continue;
    if (h->at - o->at >= REF_NON_LIFETIME || restarted(w, h->node, o->at, h->at)) continue;
    RULE(false, "executed twice");
  }
}

/* GC-2.3.1-33, -38: a server's response is delivered once per request. */
static void check_delivery(const struct world *w, size_t i) {
  const struct heard *h = &w->heard[i];
  for (size_t k = 0; k < i; k++) {
    const struct heard *o = &w->heard[k];
    if (o->event.type != CHORUS_EVENT_DELIVER || o->node != h->node) continue;
    if (o->request != h->request || !chorus_same_address(&o->event.peer, &h->event.peer)) continue;
    RULE(false, "delivered twice");
  }
}

/* GC-2.3.1-23, -26: Tokens are reused after more than 500 s. */
static void check_token(const struct world *w, size_t i) {
  const struct heard *h = &w->heard[i];
  for (size_t k = 0; k < i; k++) {
    const struct heard *o = &w->heard[k];
    if (o->node != h->node || o->request == h->request) continue;
    bool sent = o->event.type == CHORUS_EVENT_REQUEST || o->event.type == CHORUS_EVENT_REPEAT;
    if (!sent || o->event.token_length != h->event.token_length) continue;
    if (memcmp(o->event.token, h->event.token, h->event.token_length) != 0) continue;
    RULE(h->at - o->at > 500 * CHORUS_SECOND, "Token reused");
  }
}

/* Every request ends once. */
static void check_end(const struct world *w, size_t i) {
  const struct heard *h = &w->heard[i];
  unsigned ends = 0;
  for (size_t k = 0; k < w->heard_count; k++)
    ends += w->heard[k].event.type == CHORUS_EVENT_DONE && w->heard[k].node == h->node &&
            w->heard[k].request == h->request;
  RULE(ends == 1, "a request does not end, or ends twice");
}

static void check(const struct world *w) {
  for (size_t i = 0; i < w->count; i++) {
    if (w->log[i].arrival) continue;
    check_form(w, i);
    check_mids(w, i);
    check_nstart(w, i);
  }
  for (size_t i = 0; i < w->heard_count; i++) {
    enum chorus_event_type type = w->heard[i].event.type;
    RULE(type != CHORUS_EVENT_LEAK, "leak");
    if (type == CHORUS_EVENT_EXECUTE) check_execution(w, i);
    if (type == CHORUS_EVENT_DELIVER) check_delivery(w, i);
    if (type == CHORUS_EVENT_REQUEST) check_token(w, i);
    if (type == CHORUS_EVENT_REQUEST) check_end(w, i);
  }
}

static size_t deliveries(const struct world *w) {
  size_t n = 0;
  for (size_t i = 0; i < w->heard_count; i++) n += w->heard[i].event.type == CHORUS_EVENT_DELIVER;
  return n;
}

static size_t run(uint64_t seed) {
  struct world w = {.seed = seed, .random = seed * 7919};
  unsigned number = 10;
  w.log = calloc(LOG_MAX, sizeof *w.log);
  w.heard = calloc(LOG_MAX, sizeof *w.heard);
  make_network(&w);
  unsigned steps = 40 + (unsigned)draw(&w, 60);
  chorus_time pace = CHORUS_SECOND / 10 + draw(&w, 30 * CHORUS_SECOND);
  for (unsigned i = 0; i < steps; i++) {
    act(&w, &number);
    emu_run_until(w.network, emu_now(w.network) + draw(&w, pace));
  }
  emu_run_until(w.network, emu_now(w.network) + 20000 * CHORUS_SECOND);
  emu_stop(w.network);
  check(&w);
  size_t n = deliveries(&w);
  emu_network_free(w.network);
  for (uint32_t i = 0; i < CLIENTS; i++) ref_client_free(w.nodes[i]);
  for (uint32_t i = CLIENTS; i < ATTACKER; i++) ref_server_free(w.nodes[i]);
  free(w.log);
  free(w.heard);
  return n;
}

/* CHORUS_TOGETHER_SEEDS=from-to runs others than the first 60. */
START_TEST(random_runs) {
  unsigned long from = 1, to = 60;
  const char *seeds = getenv("CHORUS_TOGETHER_SEEDS");
  if (seeds) sscanf(seeds, "%lu-%lu", &from, &to);
  size_t n = 0;
  for (unsigned long seed = from; seed <= to; seed++) n += run(seed);
  ck_assert_uint_gt(n, 5 * (to - from + 1)); /* something did happen */
}
END_TEST

int main(void) {
  const TTest *const tests[] = {random_runs};
  return RUN_TESTS("together", tests);
}
