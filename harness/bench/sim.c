/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulator's core workload: one client asks a group, every member parses, waits for its random
 * time within Leisure and answers, the client matches every answer. Reference nodes, no capture.
 * A delivery is a datagram handed to a node.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/bench.h"
#include "chorus/emulator.h"
#include "chorus/endpoint_text.h"
#include "chorus/reference.h"

#define REGION ((size_t)2 << 20) /* octets of a huge page */

/* Where the servers live, one behind the other, so that 100,000 need few page lookups. */
struct arena {
  void **regions;
  size_t count;
  uint8_t *rest; /* of the last region */
  size_t rest_size;
};

static bool add_region(struct arena *a) {
  void **regions = realloc(a->regions, (a->count + 1) * sizeof *regions);
  if (!regions) return false;
  a->regions = regions;
  a->rest = aligned_alloc(REGION, REGION);
  a->rest_size = a->rest ? REGION : 0;
  if (!a->rest) return false;
  madvise(a->rest, REGION, MADV_HUGEPAGE); /* a hint; without it all works the same */
  regions[a->count++] = a->rest;
  return true;
}

static void *arena_allocate(void *context, size_t size) {
  struct arena *a = context;
  if (a->rest_size < size && (size > REGION || !add_region(a))) return NULL;
  void *memory = a->rest;
  a->rest += size;
  a->rest_size -= size;
  return memory;
}

static void arena_free(struct arena *a) {
  for (size_t i = 0; i < a->count; i++) free(a->regions[i]);
  free(a->regions);
}

struct world {
  struct arena arena;
  struct emu_network *network;
  struct chorus_node *servers, client;
  uint64_t members;
};

static struct chorus_endpoint member_address(uint64_t number) {
  char text[CHORUS_ENDPOINT_TEXT];
  struct chorus_endpoint e;
  snprintf(text, sizeof text, "2001:db8::%llx:%llx", (unsigned long long)(number >> 16),
           (unsigned long long)(number & 0xffff));
  chorus_address_parse(text, 0, &e);
  return e;
}

static bool add(struct world *w, const char *name, struct chorus_node node, uint64_t number) {
  struct chorus_endpoint address = member_address(number);
  struct emu_node_config config = {
      .name = name, .node = node, .addresses = &address, .address_count = 1};
  return node.ops && emu_add_node(w->network, &config) != UINT32_MAX;
}

static bool add_servers(struct world *w) {
  static const uint8_t payload[] = "on";
  struct ref_resource light = {.path = "/light",
                               .methods = REF_GET,
                               .payload = payload,
                               .payload_length = 2,
                               .content_format = UINT16_MAX,
                               .no_response = true};
  struct chorus_endpoint group;
  chorus_address_parse("ff35::1", CHORUS_COAP_PORT, &group);
  struct ref_allocator allocator = {.allocate = arena_allocate, .context = &w->arena};
  struct ref_server_config config = {.resources = &light,
                                     .resource_count = 1,
                                     .groups = &group,
                                     .group_count = 1,
                                     .allocator = &allocator};
  for (uint64_t i = 0; i < w->members; i++) {
    char name[32];
    snprintf(name, sizeof name, "s%llu", (unsigned long long)i + 1);
    w->servers[i] = ref_server_new(&config, NULL);
    if (!add(w, name, w->servers[i], i + 2)) return false;
  }
  return true;
}

static bool make(struct world *w, uint64_t members) {
  struct emu_config config = {.seed = 1, .latency = CHORUS_MILLISECOND};
  struct ref_client_config client = {.port = 40000};
  *w = (struct world){.members = members};
  w->network = emu_network_new(&config);
  w->servers = calloc(members, sizeof *w->servers);
  if (!w->network || !w->servers) return false;
  w->client = ref_client_new(&client, NULL);
  return add(w, "c1", w->client, 1) && add_servers(w) && emu_start(w->network) == CHORUS_OK;
}

static void destroy(struct world *w) {
  if (w->network) emu_network_free(w->network);
  for (uint64_t i = 0; w->servers && i < w->members; i++)
    if (w->servers[i].ops) ref_server_free(w->servers[i]);
  if (w->client.ops) ref_client_free(w->client);
  free(w->servers);
  arena_free(&w->arena);
}

static bool ask(struct world *w, uint64_t number) {
  char id[32];
  snprintf(id, sizeof id, "q%llu", (unsigned long long)number);
  struct chorus_argument arguments[] = {
      {"id", id}, {"method", "GET"}, {"uri", "coap://[ff35::1]/light"}, {"timeout", "9s"}};
  struct chorus_command command = {.verb = "request", .arguments = arguments, .count = 4};
  const char *why = "";
  if (emu_command(w->network, 0, &command, &why) != CHORUS_OK) return false;
  emu_run_until(w->network, emu_now(w->network) + 10 * CHORUS_SECOND);
  return true;
}

struct sample {
  double seconds, deliveries;
};

/* Requests every 10 s of virtual time until the wall clock says enough. */
static bool measure(struct world *w, const struct bench_options *o, uint64_t *number,
                    struct sample *sample) {
  uint64_t before = emu_counters(w->network).datagrams_delivered, start = bench_now(), now;
  do {
    if (!ask(w, (*number)++)) return false;
    now = bench_now();
  } while (now - start < o->min_ns);
  uint64_t delivered = emu_counters(w->network).datagrams_delivered - before;
  *sample = (struct sample){(double)(now - start) / 1e9, (double)delivered};
  return delivered > 0;
}

static bool measure_all(const struct bench_options *o, uint64_t members, double *rate,
                        struct sample *total) {
  struct world w;
  struct sample sample;
  double rates[16];
  uint64_t number = 0;
  unsigned done = 0;
  *total = (struct sample){0, 0};
  bool ok = make(&w, members);
  for (unsigned i = 0; ok && i < 3; i++) ok = ask(&w, number++); /* pools grow, caches fill */
  while (ok && done < o->samples && done < 16) {
    ok = !o->interrupted(o->context) && measure(&w, o, &number, &sample);
    if (!ok) break;
    rates[done++] = sample.deliveries / sample.seconds;
    total->seconds += sample.seconds;
    total->deliveries += sample.deliveries;
  }
  destroy(&w);
  if (ok) *rate = bench_median(rates, done);
  return ok;
}

static void print_line(FILE *out, const char *tool, uint64_t members, const struct sample *total,
                       double rate, double ratio) {
  fprintf(out,
          "{\"bench\": \"sim\", \"tool\": \"%s\", \"members\": %llu, \"work\": %.0f, \"seconds\": "
          "%.3f, \"deliveries_per_s\": %.0f, \"ns_per_delivery\": %.1f",
          tool, (unsigned long long)members, total->deliveries, total->seconds, rate, 1e9 / rate);
  if (ratio > 0) fprintf(out, ", \"ratio\": %.1f", ratio);
  fprintf(out, "}\n");
  fflush(out);
}

/* The peer works on the same task right after us, so that both see the same machine. */
static bool measure_side_by_side(const struct bench_options *o, struct bench_peer *peer,
                                 uint64_t members) {
  struct sample own, theirs = {0, 0};
  double rate = 0, peer_rate = 0;
  if (!measure_all(o, members, &rate, &own)) {
    fprintf(o->notes, "chorus bench: %llu members: no result\n", (unsigned long long)members);
    return false;
  }
  if (peer && members <= 100) /* with 1000, ns-3 takes a quarter of a minute to begin */
    peer_rate = bench_ns3_run(peer, members, &theirs.seconds, &theirs.deliveries);
  print_line(o->out, "chorus", members, &own, rate, peer_rate > 0 ? rate / peer_rate : 0);
  if (peer_rate > 0) print_line(o->out, "ns-3", members, &theirs, peer_rate, 0);
  return true;
}

bool bench_sim(const struct bench_options *o) {
  static const uint64_t members[] = {10, 100, 1000, 10000, 100000};
  char why[200] = "";
  struct bench_peer *peer = o->peers ? bench_ns3_new(why, sizeof why) : NULL;
  bool ok = true;
  if (*why) fprintf(o->notes, "chorus bench: ns-3 is not compared: %s\n", why);
  for (size_t i = 0; ok && i < sizeof members / sizeof *members; i++)
    ok = measure_side_by_side(o, peer, members[i]);
  bench_ns3_free(peer);
  return ok;
}
