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

#define SIZES_MOST 4

/* Blocks of one size, one behind the other. */
struct pool {
  size_t size;
  uint8_t *rest; /* of its last region */
  size_t rest_size;
};

/*
 * Where the servers live: blocks of equal size side by side in huge pages, so that 100,000 need few
 * page lookups.
 */
struct arena {
  void **regions;
  size_t count;
  struct pool pools[SIZES_MOST];
};

static struct pool *pool_of(struct arena *a, size_t size) {
  for (size_t i = 0; i < SIZES_MOST; i++) {
    struct pool *p = &a->pools[i];
    if (p->size == 0) p->size = size;
    if (p->size == size) return p;
  }
  return NULL;
}

static bool add_region(struct arena *a, struct pool *p) {
  void **regions = realloc(a->regions, (a->count + 1) * sizeof *regions);
  if (!regions) return false;
  a->regions = regions;
  p->rest = aligned_alloc(REGION, REGION);
  p->rest_size = p->rest ? REGION : 0;
  if (!p->rest) return false;
  madvise(p->rest, REGION, MADV_HUGEPAGE); /* a hint; without it all works the same */
  regions[a->count++] = p->rest;
  return true;
}

static void *arena_allocate(void *context, size_t size) {
  struct arena *a = context;
  struct pool *p = pool_of(a, size);
  if (!p || (p->rest_size < size && (size > REGION || !add_region(a, p)))) return NULL;
  void *memory = p->rest;
  p->rest += size;
  p->rest_size -= size;
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

/* "q" and 16 hexadecimal digits: snprintf would be a hundredth of what is measured at 10 members.
 */
static void name_request(char id[18], uint64_t number) {
  id[0] = 'q';
  for (int i = 0; i < 16; i++) id[1 + i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
  id[17] = '\0';
}

static bool ask(struct world *w, uint64_t number) {
  char id[18];
  name_request(id, number);
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

/* Responses between two looks at the clock, at least: looking costs some 30 ns. */
#define BETWEEN_LOOKS 100

/* Requests every 10 s of virtual time until the wall clock says enough. */
static bool measure(struct world *w, const struct bench_options *o, uint64_t *number,
                    struct sample *sample) {
  uint64_t before = emu_counters(w->network).datagrams_delivered, start = bench_now(), now;
  do {
    for (uint64_t asked = 0; asked == 0 || asked * w->members < BETWEEN_LOOKS; asked++)
      if (!ask(w, (*number)++)) return false;
    now = bench_now();
  } while (now - start < o->min_ns);
  uint64_t delivered = emu_counters(w->network).datagrams_delivered - before;
  *sample = (struct sample){(double)(now - start) / 1e9, (double)delivered};
  return delivered > 0;
}

#define SAMPLES_MOST 250
/* Requests that come before the first sample: after them Tokens and Message IDs get free as fast as
 * they are taken (500 s and 145 s; seed 2.3.1, RFC 7252, section 4.8.2), and nothing grows any
 * more. */
#define WARM_UP 60

/* One group size with its samples. */
struct size {
  uint64_t members, number; /* requests so far */
  struct world world;
  struct sample total;
  double rates[SAMPLES_MOST];
  unsigned done;
};

static bool prepare(struct size *size) {
  bool ok = make(&size->world, size->members);
  for (unsigned i = 0; ok && i < WARM_UP; i++) ok = ask(&size->world, size->number++);
  return ok;
}

/* The first request of a turn finds the caches full of another size: it is not counted. */
static bool take_sample(const struct bench_options *o, struct size *size) {
  struct sample sample;
  if (o->interrupted(o->context) || !ask(&size->world, size->number++)) return false;
  if (!measure(&size->world, o, &size->number, &sample)) return false;
  size->rates[size->done++] = sample.deliveries / sample.seconds;
  size->total.seconds += sample.seconds;
  size->total.deliveries += sample.deliveries;
  return true;
}

/* The sizes take turns, so that what else goes on on the machine meets all of them alike. */
static bool measure_all(const struct bench_options *o, struct size *sizes, size_t count) {
  bool ok = true;
  for (size_t i = 0; ok && i < count; i++) ok = prepare(&sizes[i]);
  for (unsigned n = 0; ok && n < o->samples && n < SAMPLES_MOST; n++)
    for (size_t i = 0; ok && i < count; i++) ok = take_sample(o, &sizes[i]);
  for (size_t i = 0; i < count; i++) destroy(&sizes[i].world);
  return ok;
}

static void print_line(FILE *out, const char *tool, uint64_t members, const struct sample *total,
                       double rate, double median, double ratio) {
  fprintf(out,
          "{\"bench\": \"sim\", \"tool\": \"%s\", \"members\": %llu, \"work\": %.0f, \"seconds\": "
          "%.3f, \"deliveries_per_s\": %.0f, \"median_deliveries_per_s\": %.0f, "
          "\"ns_per_delivery\": %.1f",
          tool, (unsigned long long)members, total->deliveries, total->seconds, rate, median,
          1e9 / rate);
  if (ratio > 0) fprintf(out, ", \"ratio\": %.1f", ratio);
  fprintf(out, "}\n");
  fflush(out);
}

static void report(const struct bench_options *o, struct bench_peer *peer, struct size *size) {
  struct sample theirs = {0, 0};
  double best = bench_best(size->rates, size->done), peer_rate = 0;
  double median = bench_median(size->rates, size->done);
  if (peer && size->members <= 100) /* with 1000, ns-3 takes a quarter of a minute to begin */
    peer_rate = bench_ns3_run(peer, size->members, &theirs.seconds, &theirs.deliveries);
  print_line(o->out, "chorus", size->members, &size->total, best, median,
             peer_rate > 0 ? median / peer_rate : 0);
  if (peer_rate > 0) print_line(o->out, "ns-3", size->members, &theirs, peer_rate, peer_rate, 0);
}

bool bench_sim(const struct bench_options *o) {
  struct size sizes[] = {{.members = 10},
                         {.members = 100},
                         {.members = 1000},
                         {.members = 10000},
                         {.members = 100000}};
  size_t count = sizeof sizes / sizeof *sizes;
  if (!measure_all(o, sizes, count)) {
    fprintf(o->notes, "chorus bench: sim: no result\n");
    return false;
  }
  char why[200] = "";
  struct bench_peer *peer = o->peers ? bench_ns3_new(why, sizeof why) : NULL;
  if (*why) fprintf(o->notes, "chorus bench: ns-3 is not compared: %s\n", why);
  for (size_t i = 0; i < count; i++) report(o, peer, &sizes[i]);
  bench_ns3_free(peer);
  return true;
}
