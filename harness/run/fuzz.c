/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/fuzz.h"

#include <string.h>

#include "run/set.h"

enum { MAX_REQUESTS = 64, MAX_CLIENTS = 3 };

/* Where the generator is. */
struct fuzz {
  struct txt_buffer *out;
  uint64_t seed, drawn;
  unsigned ip, servers, clients, testers, groups, resources;
  uint64_t now_ms; /* time of the step being written */
  struct {
    unsigned client;
    uint64_t at_ms;
  } requests[MAX_REQUESTS]; /* made so far; q0, q1, ... */
  unsigned request_count, follow_count;
  bool lists_links; /* the last request asks for links */
};

/*
 * ---- dice ----
 *
 * C leaves open which argument of a call is evaluated first: at most one of them may draw, or the
 * scenario depends on the compiler.
 */

static uint64_t draw(struct fuzz *f) {
  return run_digest_number(f->seed, f->drawn++);
}
static unsigned below(struct fuzz *f, unsigned n) {
  return (unsigned)(draw(f) % n);
}
static bool chance(struct fuzz *f, unsigned percent) {
  return below(f, 100) < percent;
}
static unsigned between(struct fuzz *f, unsigned low, unsigned high) {
  return low + below(f, high - low + 1);
}

#define PICK(f, list) ((list)[below((f), (unsigned)(sizeof(list) / sizeof *(list)))])

static const char *maybe(struct fuzz *f, unsigned percent, const char *text) {
  return chance(f, percent) ? text : "";
}

/* ---- the network ---- */

static void write_ratio(struct fuzz *f, const char *name) {
  static const char *const ratios[] = {"1%", "5%", "10%", "25%", "50%", "80%"};
  txt_print(f->out, ", %s: %s", name, PICK(f, ratios));
}

static void write_end(struct fuzz *f, const char *key) {
  if (chance(f, 40)) return;
  if (chance(f, 50))
    txt_print(f->out, ", %s: s%u", key, between(f, 1, f->servers));
  else
    txt_print(f->out, ", %s: c%u", key, between(f, 1, f->clients));
}

static void write_burst_loss(struct fuzz *f) {
  txt_print(f->out, ", gemodel: {p: %u%%", between(f, 1, 30));
  txt_print(f->out, ", r: %u%%", between(f, 5, 90));
  txt_print(f->out, ", 1-h: %u%%", between(f, 40, 100));
  txt_print(f->out, ", 1-k: %u%%}", below(f, 3));
}

static void write_drop_list(struct fuzz *f) {
  txt_print(f->out, ", drop: [%u", between(f, 1, 2));
  txt_print(f->out, ", %u", between(f, 4, 5));
  txt_print(f->out, "-%u]", between(f, 6, 9));
}

static void write_jitter(struct fuzz *f, const char *delay, const char *jitter) {
  static const char *const shapes[] = {"uniform", "normal", "pareto"};
  txt_print(f->out, ", delay: %s, jitter: %s, distribution: %s", delay, jitter, PICK(f, shapes));
}

static void write_effect(struct fuzz *f) {
  static const char *const delays[] = {"10ms", "300ms", "2s", "6s", "20s"};
  static const char *const gaps[] = {"1us", "5ms", "1s", "7s", "60s", "140s", "150s", "260s"};
  static const char *const rates[] = {"9600bit", "50kbit", "250kbit", "1Mbit"};
  switch (below(f, 9)) {
    case 0: write_ratio(f, "loss"); break;
    case 1: write_burst_loss(f); break;
    case 2: write_drop_list(f); break;
    case 3: txt_print(f->out, ", delay: %s", PICK(f, delays)); break;
    case 4: {
      const char *delay = PICK(f, delays);
      const char *jitter = PICK(f, delays);
      write_jitter(f, delay, jitter);
      break;
    }
    case 5:
      write_ratio(f, "duplicate");
      txt_print(f->out, ", duplicate-gap: %s", PICK(f, gaps));
      break;
    case 6:
      write_ratio(f, "reorder");
      txt_print(f->out, ", reorder-gap: %s", PICK(f, gaps));
      break;
    case 7: write_ratio(f, "corrupt"); break;
    default:
      txt_print(f->out, ", rate: %s", PICK(f, rates));
      txt_print(f->out, ", limit: %u", between(f, 1, 50));
      break;
  }
}

static void write_impairment(struct fuzz *f) {
  txt_print(f->out, "{optional: true");
  write_end(f, "from");
  write_end(f, "to");
  write_effect(f);
  if (chance(f, 15)) txt_print(f->out, ", multicast-only: true");
  if (chance(f, 15)) {
    unsigned from = below(f, 60);
    txt_print(f->out, ", during: %us..%us", from, from + between(f, 1, 60));
  }
  txt_print(f->out, "}");
}

static void write_network(struct fuzz *f) {
  static const char *const latencies[] = {"0", "10us", "1ms", "5ms", "50ms", "200ms"};
  static const unsigned mtus[] = {1280, 1500, 9000};
  txt_print(f->out, "network:\n  ip: %u\n  latency: %s\n", f->ip, PICK(f, latencies));
  txt_print(f->out, "  mtu: %u\n", f->ip == 4 && chance(f, 30) ? 576 : PICK(f, mtus));
  txt_print(f->out,
            "  groups:\n    $g1: {4: \"239.255.0.1:5683\", 6: \"[ff35::1]:5683\"}\n"
            "    $g2: {4: \"239.255.0.2:5683\", 6: \"[ff35::2]:5683\"}\n"
            "    $g3: {4: \"239.192.1.1:6000\", 6: \"[ff05::db8:3]:6000\"}\n"
            "  addresses:\n    $stranger: {4: 203.0.113.9, 6: \"2001:db8:ffff::9\"}\n");
  unsigned count = below(f, 5);
  if (count) txt_print(f->out, "  impairments:\n");
  for (unsigned i = 0; i < count; i++) {
    txt_print(f->out, "    - ");
    write_impairment(f);
    txt_print(f->out, "\n");
  }
}

/* ---- nodes ---- */

static const char *const paths[] = {"/light", "/a", "/a/b", "/count", "/big", "/fixed"};

static void write_suppress(struct fuzz *f) {
  static const char *const sets[] = {"[]",         "[2xx]",      "[4xx]",        "[5xx]",
                                     "[2xx, 4xx]", "[4xx, 5xx]", "[empty-2.05]", "[2xx, 4xx, 5xx]"};
  txt_print(f->out, ", suppress: %s", PICK(f, sets));
}

static void write_resource(struct fuzz *f, unsigned i) {
  static const char *const codes[] = {"2.05", "2.04", "4.03", "4.04", "5.00", "5.03", "2.01"};
  static const char *const payloads[] = {"\"\"", "\"on\"", "\"21.5 C\"", "\"{}\""};
  static const char *const kinds[] = {"state", "counter", "fixed"};
  const char *kind = PICK(f, kinds);
  txt_print(f->out, "      %s: {kind: %s", paths[i], kind);
  if (strcmp(kind, "fixed") == 0) txt_print(f->out, ", code: %s", PICK(f, codes));
  if (strcmp(kind, "state") == 0) {
    txt_print(f->out, ", methods: [GET, PUT%s", maybe(f, 50, ", POST"));
    txt_print(f->out, "%s", maybe(f, 30, ", DELETE"));
    txt_print(f->out, "%s]", maybe(f, 30, ", FETCH, PATCH, iPATCH"));
  }
  if (strcmp(kind, "counter") == 0)
    txt_print(f->out, ", payload: %u", below(f, 1000));
  else if (strcmp(paths[i], "/big") == 0 || chance(f, 10))
    txt_print(f->out, ", payload: \"%0*u\"", (int)between(f, 1, 900), 7u);
  else
    txt_print(f->out, ", payload: %s", PICK(f, payloads));
  if (chance(f, 60)) write_suppress(f);
  if (chance(f, 30)) txt_print(f->out, ", no-response: false");
  if (chance(f, 15)) txt_print(f->out, ", multicast: false");
  if (chance(f, 15)) txt_print(f->out, ", hidden: true");
  if (chance(f, 40)) txt_print(f->out, ", rt: \"light lamp%u\"", i);
  if (chance(f, 15)) txt_print(f->out, ", processing: %ums", between(f, 1, 4000));
  txt_print(f->out, "}\n");
}

static void write_servers(struct fuzz *f) {
  static const char *const leisures[] = {"5s", "1s", "100ms", "10s", "2.5s", "1ns"};
  static const char *const groups[] = {"[$g1]", "[$g1, $g2]", "[$g1, $g2, $g3]", "[$g1, $g3]"};
  txt_print(f->out, "  s:\n    role: server\n    count: %u\n    groups: %s\n", f->servers,
            PICK(f, groups));
  txt_print(f->out, "    leisure: %s\n", PICK(f, leisures));
  /* Never `dedup: false`: to execute a copied POST twice breaks a SHOULD (RFC 7252, section 4.5).
   */
  if (chance(f, 20)) txt_print(f->out, "    filter: false\n");
  if (chance(f, 20)) txt_print(f->out, "    discovery: false\n");
  if (chance(f, 20)) txt_print(f->out, "    authorised-relaxation-only: true\n");
  if (chance(f, 20)) txt_print(f->out, "    multicast-loopback: true\n");
  if (chance(f, 20)) txt_print(f->out, "    link-local: true\n");
  if (chance(f, 10)) txt_print(f->out, "    port: %u\n", between(f, 6000, 6003));
  txt_print(f->out, "    resources:\n");
  for (unsigned i = 0; i < f->resources; i++) write_resource(f, i);
}

static void write_clients(struct fuzz *f) {
  static const unsigned lengths[] = {8, 8, 4, 2, 1};
  txt_print(f->out, "  c:\n    role: client\n    count: %u\n", f->clients);
  txt_print(f->out, "    port: %u\n", between(f, 40000, 40003));
  if (chance(f, 7))
    txt_print(f->out, "    empty-token: true\n");
  else
    txt_print(f->out, "    token-length: %u\n", PICK(f, lengths));
  if (chance(f, 50)) txt_print(f->out, "    msrd: %us\n", between(f, 11, 60));
  if (chance(f, 30)) txt_print(f->out, "    multicast-loopback: true\n");
}

/* ---- crafted messages ---- */

static void write_hex(struct fuzz *f, unsigned length) {
  txt_print(f->out, "\"");
  for (unsigned i = 0; i < length; i++) txt_print(f->out, "%02x", below(f, 256));
  txt_print(f->out, "\"");
}

static void write_option(struct fuzz *f) {
  static const unsigned values[] = {0, 2, 8, 16, 18, 24, 26, 1, 127, 255};
  static const char *const hosts[] = {"example.org", "[2001:db8::1]", "192.0.2.1"};
  /* Registered, and not understood by everybody, or at an odd place. */
  static const unsigned numbers[] = {1, 8, 9, 14, 16, 19, 20, 21, 27, 28, 31, 60, 252, 292};
  switch (below(f, 13)) {
    case 0: txt_print(f->out, "{no-response: %u}", PICK(f, values)); break;
    case 1: txt_print(f->out, "{no-response: {hex: \"0000\"}}"); break;
    case 2: txt_print(f->out, "{accept: %u}", below(f, 100)); break;
    case 3: txt_print(f->out, "{65001: \"0a\"}"); break;
    case 4: txt_print(f->out, "{65000: \"0a0b\"}"); break;
    case 5: txt_print(f->out, "{uri-host: \"%s\"}", PICK(f, hosts)); break;
    case 6: txt_print(f->out, "{if-none-match: \"\"}"); break;
    case 7: txt_print(f->out, "{block2: %u}", below(f, 256)); break;
    case 8: txt_print(f->out, "{observe: %u}", below(f, 3)); break;
    case 9: txt_print(f->out, "{proxy-uri: \"coap://example.org/x\"}"); break;
    case 10: txt_print(f->out, "{etag: \"aabb\"}"); break;
    case 11: txt_print(f->out, "{%u: \"08\"}", PICK(f, numbers)); break;
    default: txt_print(f->out, "{uri-query: \"rt=light\"}"); break;
  }
}

static void write_options(struct fuzz *f) {
  unsigned count = below(f, 3);
  if (!count) return;
  txt_print(f->out, ", options: [");
  for (unsigned i = 0; i < count; i++) {
    if (i) txt_print(f->out, ", ");
    write_option(f);
  }
  txt_print(f->out, "]");
}

static void write_malformation(struct fuzz *f) {
  switch (below(f, 5)) {
    case 0: txt_print(f->out, ", tkl: %u", between(f, 0, 15)); break;
    case 1: txt_print(f->out, ", version: %u", below(f, 4)); break;
    case 2: txt_print(f->out, ", marker: true"); break;
    case 3:
      txt_print(f->out, ", trailing: ");
      write_hex(f, between(f, 1, 6));
      break;
    default: break;
  }
}

static void write_message(struct fuzz *f, bool answer) {
  static const char *const types[] = {"NON", "NON", "NON", "CON", "ACK", "RST"};
  static const char *const requests[] = {"GET",   "GET",   "PUT",    "POST", "DELETE",
                                         "FETCH", "PATCH", "iPATCH", "EMPTY"};
  static const char *const responses[] = {"2.05", "2.05",  "2.04", "4.04", "5.00",
                                          "2.31", "EMPTY", "1.00", "7.31", "3.01"};
  if (chance(f, 6)) {
    txt_print(f->out, "{raw: ");
    write_hex(f, below(f, 40));
    txt_print(f->out, "}");
    return;
  }
  bool response = answer ? chance(f, 95) : chance(f, 20);
  const char *code = response ? PICK(f, responses) : PICK(f, requests);
  bool empty = strcmp(code, "EMPTY") == 0 && !chance(f, 10);
  txt_print(f->out, "{type: %s, code: %s", answer && chance(f, 50) ? "auto" : PICK(f, types), code);
  if (chance(f, 30)) txt_print(f->out, ", mid: %u", between(f, 1, 4));
  bool token = answer ? chance(f, 10) : !empty;
  if (token) {
    txt_print(f->out, ", token: ");
    write_hex(f, below(f, 9));
  }
  if (!empty && !response && chance(f, 85)) txt_print(f->out, ", uri-path: %s", PICK(f, paths));
  if (!empty) write_options(f);
  if (!empty && chance(f, 40)) txt_print(f->out, ", payload: \"v%u\"", below(f, 9));
  if (chance(f, 12)) write_malformation(f);
  txt_print(f->out, "}");
}

/* Links as nobody may like them: followed they shall be, or not, and nothing else. */
static void write_links(struct fuzz *f) {
  static const char *const links[] = {"</light>;rt=light,</a>", "<a/b>;title='x,y',<?x=1>", "<//x>",
                                      "</a%zz>,<../../a>",      "<coap://[ff35::1]/a>",     "<a",
                                      "<coap://192.0.2.1/a>",   "</a>;anchor='/b',</b#c>"};
  txt_print(f->out, "{type: auto, code: 2.05, options: [{content-format: 40}], payload: \"%s\"}",
            PICK(f, links));
}

static void write_location(struct fuzz *f) {
  static const char *const segments[] = {"light", "a", "..", "x/y"};
  txt_print(f->out, "{type: auto, code: 2.01, options: [{location-path: \"%s\"}]}",
            PICK(f, segments));
}

static void write_answer(struct fuzz *f) {
  unsigned dice = below(f, 100);
  if (dice < 10)
    write_links(f);
  else if (dice < 14)
    write_location(f);
  else
    write_message(f, true);
}

static void write_answers(struct fuzz *f) {
  static const char *const gaps[] = {"0", "1us", "20ms", "1s", "4.9s", "12s", "60s"};
  unsigned count = below(f, 4);
  txt_print(f->out, "    answers:%s\n", count ? "" : " []");
  for (unsigned i = 0; i < count; i++) {
    txt_print(f->out, "      - {when: {group: %s}", chance(f, 80) ? "true" : "false");
    txt_print(f->out, ", after: %s", PICK(f, gaps));
    txt_print(f->out, ", copies: %u", between(f, 1, 3));
    txt_print(f->out, ", every: %s", PICK(f, gaps));
    if (chance(f, 10)) txt_print(f->out, ", source-port: %u", between(f, 6000, 6002));
    txt_print(f->out, ", message: ");
    write_answer(f);
    txt_print(f->out, "}\n");
  }
}

static void write_tester(struct fuzz *f) {
  if (!f->testers) return;
  txt_print(f->out, "  t:\n    role: tester\n    port: %u\n",
            chance(f, 50) ? 5683 : between(f, 61000, 61003));
  if (chance(f, 60)) txt_print(f->out, "    groups: [$g1]\n");
  write_answers(f);
}

/* ---- steps ---- */

static const char *const uri_paths[] = {"/light",
                                        "/a",
                                        "/a/b",
                                        "/count",
                                        "/big",
                                        "/fixed",
                                        "/none",
                                        "/light?x=1",
                                        "/",
                                        "/.well-known/core",
                                        "/.well-known/core?rt=light",
                                        "/.well-known/core?rt=none"};

/* Returns the path. */
static const char *write_uri(struct fuzz *f, bool group) {
  static const char *const groups[] = {"$g1", "$g1", "$g2", "$g3", "$all-coap-nodes"};
  if (group)
    txt_print(f->out, "\"coap://%s", PICK(f, groups));
  else
    txt_print(f->out, "\"coap://$s%u", between(f, 1, f->servers));
  const char *path = PICK(f, uri_paths);
  txt_print(f->out, "%s\"", path);
  return path;
}

static void step_request(struct fuzz *f) {
  static const char *const methods[] = {"GET",    "GET",   "GET",   "PUT",   "POST",
                                        "DELETE", "FETCH", "PATCH", "iPATCH"};
  static const char *const timeouts[] = {"20s", "10s", "3s", "60s", "150s"};
  static const unsigned values[] = {0, 2, 8, 16, 18, 24, 26};
  unsigned client = between(f, 1, f->clients), id = f->request_count;
  if (id == MAX_REQUESTS) return;
  bool group = chance(f, 75);
  const char *method = PICK(f, methods);
  txt_print(f->out, "node: c%u, request: {id: q%u, method: %s, uri: ", client, id, method);
  const char *path = write_uri(f, group);
  if (strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0)
    txt_print(f->out, ", payload: \"p%u\"", below(f, 100));
  if (!group && chance(f, 40)) txt_print(f->out, ", type: %s", chance(f, 50) ? "CON" : "NON");
  if (chance(f, 20)) txt_print(f->out, ", no-response: %u", PICK(f, values));
  if (chance(f, 60)) txt_print(f->out, ", timeout: %s", PICK(f, timeouts));
  if (group && chance(f, 10)) txt_print(f->out, ", hop-limit: %u", between(f, 1, 64));
  txt_print(f->out, "}");
  f->requests[id].client = client;
  f->requests[id].at_ms = f->now_ms;
  f->lists_links = strncmp(path, "/.well-known", 12) == 0 && strcmp(method, "GET") == 0;
  f->request_count++;
}

static void step_repeat(struct fuzz *f) {
  unsigned id = below(f, f->request_count);
  txt_print(f->out, "node: c%u, optional: true, repeat: {of: q%u, mid: %s", f->requests[id].client,
            id, chance(f, 50) ? "same" : "new");
  txt_print(f->out, "}");
}

static void step_follow(struct fuzz *f, unsigned id) {
  static const char *const links[] = {"", ", link: /light", ", link: /a"};
  txt_print(f->out, "node: c%u, optional: true, follow: {of: q%u, id: f%u%s}",
            f->requests[id].client, id, f->follow_count++, PICK(f, links));
}

static void step_send(struct fuzz *f) {
  static const char *const targets[] = {"$g1", "$g1", "$g2", "$g3", "$all-coap-nodes"};
  txt_print(f->out, "node: t, send: {to: ");
  if (chance(f, 60))
    txt_print(f->out, "\"%s\"", PICK(f, targets));
  else if (chance(f, 70))
    txt_print(f->out, "\"$s%u\"", between(f, 1, f->servers));
  else
    txt_print(f->out, "\"$c%u\"", between(f, 1, f->clients));
  if (chance(f, 25)) {
    unsigned who = below(f, 3);
    if (who == 0) txt_print(f->out, ", from: \"$stranger:%u\"", between(f, 1024, 1027));
    if (who == 1) txt_print(f->out, ", from: \"$c%u\"", between(f, 1, f->clients));
    if (who == 2) txt_print(f->out, ", from: \"$s%u\"", between(f, 1, f->servers));
  }
  txt_print(f->out, ", message: ");
  write_message(f, false);
  txt_print(f->out, "}");
}

static void step_server(struct fuzz *f) {
  static const char *const groups[] = {"$g1", "$g2", "$g3"};
  unsigned server = between(f, 1, f->servers);
  txt_print(f->out, "node: s%u, optional: true, ", server);
  switch (below(f, 4)) {
    case 0: txt_print(f->out, "join: {group: %s}", PICK(f, groups)); break;
    case 1: txt_print(f->out, "leave: {group: %s}", PICK(f, groups)); break;
    case 2: txt_print(f->out, "restart: {}"); break;
    default: txt_print(f->out, "set: {path: %s, payload: \"n%u\"}", paths[0], below(f, 10)); break;
  }
}

static void step_client(struct fuzz *f) {
  if (chance(f, 30)) {
    txt_print(f->out, "node: c%u, restart: {}", between(f, 1, f->clients));
    return;
  }
  unsigned id = below(f, f->request_count);
  txt_print(f->out, "node: c%u, optional: true, forget: {of: q%u}", f->requests[id].client, id);
}

static void write_step(struct fuzz *f) {
  unsigned dice = below(f, 100);
  txt_print(f->out, "  - {at: %llums, ", (unsigned long long)f->now_ms);
  if (dice < 20 && f->testers)
    step_send(f);
  else if (dice < 38 && f->request_count)
    step_repeat(f);
  else if (dice < 46)
    step_server(f);
  else if (dice < 49 && f->request_count)
    step_follow(f, below(f, f->request_count));
  else if (dice < 52 && f->request_count)
    step_client(f);
  else if (dice < 56) {
    txt_print(f->out, "network: ");
    write_impairment(f);
  } else if (f->request_count < MAX_REQUESTS)
    step_request(f);
  else
    step_server(f);
  txt_print(f->out, "}\n");
}

/* Gaps around the times that the texts name, and anything else. */
static uint64_t gap_ms(struct fuzz *f) {
  static const unsigned gaps[] = {0,    0,    1,    50,   300,  1000, 2000,
                                  4900, 5000, 5100, 7000, 9000, 12000};
  static const unsigned long_gaps[] = {44000, 46000, 93000, 144000, 146000, 247000, 250000, 300000};
  if (chance(f, 4)) return PICK(f, long_gaps);
  return chance(f, 60) ? PICK(f, gaps) : below(f, 15000);
}

static void write_steps(struct fuzz *f) {
  unsigned count = between(f, 2, 24);
  txt_print(f->out, "steps:\n");
  for (unsigned i = 0; i < count; i++) {
    f->lists_links = false;
    write_step(f);
    if (f->lists_links && chance(f, 70)) {
      txt_print(f->out, "  - {at: %llums, ", (unsigned long long)f->now_ms);
      step_follow(f, f->request_count - 1);
      txt_print(f->out, "}\n");
    }
    f->now_ms += gap_ms(f);
  }
}

void run_fuzz_scenario(uint64_t seed, struct txt_buffer *out) {
  struct fuzz f = {.out = out, .seed = seed};
  f.ip = chance(&f, 50) ? 6 : 4;
  f.servers = between(&f, 1, 8);
  f.clients = between(&f, 1, MAX_CLIENTS);
  f.testers = chance(&f, 50);
  f.resources = between(&f, 1, (unsigned)(sizeof paths / sizeof *paths));
  txt_print(out,
            "id: fuzz-%llu\ntitle: Random run %llu\nabout: Made by chorus run --fuzz; the "
            "reference must not fail, whatever happens.\n",
            (unsigned long long)seed, (unsigned long long)seed);
  write_network(&f);
  txt_print(out, "nodes:\n");
  write_servers(&f);
  write_clients(&f);
  write_tester(&f);
  write_steps(&f);
  txt_print(out, "expect:\n  - {event: leak, times: 0}\nend: %llums\n",
            (unsigned long long)(f.now_ms + 8000 + below(&f, 60000)));
}
