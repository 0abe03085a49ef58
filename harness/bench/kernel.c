/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch of the kernel backend under load: one client asks a group, every member answers, all
 * on the IP stack of Linux. A stated load (20,000 deliveries a second, answers spread over 100 ms)
 * shows the latency that the network adds, a load without pause how much it carries without loss.
 * Beside it, in the same run, a plain Linux bridge and ns-3 in real time do the same.
 */
#include "chorus/kernel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/rival.h"
#include "chorus/endpoint_text.h"

#define STATED_LOAD 20000.0 /* deliveries a second */
#define SPREAD      0.1     /* seconds */
#define IN_FLIGHT   512u    /* datagrams under way without pause, at most */
#define SLICE       (20 * CHORUS_MILLISECOND)
#define PATIENCE    (20 * CHORUS_SECOND)

enum tool { BRIDGE, TAP, PACKET, NS3, TOOLS };

static const char *const tool_names[TOOLS] = {"linux-bridge", "chorus-tap", "chorus-packet",
                                              "ns-3"};

struct figures {
  struct load_result stated, most;
};

/* What the thread of the load does meanwhile. */
struct job {
  const struct bench_options *options;
  const int *spaces;
  size_t count;
  struct figures figures;
  char why[200];
  bool ok;
  atomic_bool over;
};

/* ---- the load ---- */

/* Without pause: as many requests under way as nothing gets lost with. */
static bool find_most(struct job *job, struct load *load, double seconds) {
  unsigned window = IN_FLIGHT / (unsigned)job->count;
  bool ok = true;
  for (window = window ? window : 1; ok; window /= 2) {
    const struct load_plan plan = {.window = window, .seconds = seconds};
    ok = load_run(load, &plan, &job->figures.most);
    if (job->figures.most.lost == 0 || window == 1) return ok;
  }
  return ok;
}

static void *do_job(void *argument) {
  struct job *job = argument;
  double seconds = (double)job->options->min_ns * 90 / 1e9;
  struct load *load = load_new(job->spaces, job->count, job->why, sizeof job->why);
  const struct load_plan stated = {
      .rate = STATED_LOAD / (2.0 * (double)(job->count - 1)), .spread = SPREAD, .seconds = seconds};
  if (load) {
    job->ok = load_run(load, &stated, &job->figures.stated) && find_most(job, load, seconds);
    if (!job->ok) snprintf(job->why, sizeof job->why, "nothing arrives");
  }
  load_free(load);
  atomic_store(&job->over, true);
  return NULL;
}

static bool run_job(struct job *job, struct krn_network *network) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, do_job, job) != 0) {
    snprintf(job->why, sizeof job->why, "no thread");
    return false;
  }
  while (network && !atomic_load(&job->over)) krn_run_until(network, krn_now(network) + SLICE);
  pthread_join(thread, NULL);
  return job->ok;
}

/* ---- the switch ---- */

static bool add_host(struct krn_network *network, size_t i) {
  static const struct chorus_node_ops nothing = {.start = NULL};
  char name[32];
  uint32_t octets = load_address(i);
  struct chorus_endpoint address = {.address = {[10] = 0xff, 0xff}};
  memcpy(address.address + 12, &octets, 4);
  snprintf(name, sizeof name, "h%zu", i);
  const struct emu_node_config config = {
      .name = name, .node = {.ops = &nothing}, .addresses = &address, .address_count = 1};
  return krn_add_node(network, &config, KRN_HOST) != UINT32_MAX;
}

static bool bring_up(struct krn_network *network, int *spaces, size_t count) {
  bool ok = spaces != NULL;
  for (size_t i = 0; ok && i < count; i++) {
    ok = add_host(network, i);
    spaces[i] = krn_namespace(network, (uint32_t)i);
  }
  return ok && krn_start(network, NULL, NULL, PATIENCE) == CHORUS_OK;
}

static bool measure_switch(struct job *job, enum krn_attachment attachment) {
  const struct krn_config config = {.network = {.seed = 1}, .attachment = attachment};
  struct krn_network *network = krn_network_new(&config, job->why, sizeof job->why);
  if (!network) return false;
  int *spaces = calloc(job->count, sizeof *spaces);
  bool ok = bring_up(network, spaces, job->count);
  if (!ok) snprintf(job->why, sizeof job->why, "%s", krn_error(network));
  job->spaces = spaces;
  ok = ok && run_job(job, network);
  krn_network_free(network);
  free(spaces);
  return ok;
}

/* ---- the others ---- */

static bool measure_rival(struct job *job, const struct bench_peer *ns3) {
  struct rival rival;
  bool ok = ns3 ? rival_ns3(&rival, ns3, job->count, job->why, sizeof job->why)
                : rival_bridge(&rival, job->count, job->why, sizeof job->why);
  job->spaces = rival.spaces;
  ok = ok && run_job(job, NULL);
  rival_free(&rival);
  return ok;
}

/* ---- the lines ---- */

static double rate_of(const struct load_result *r) {
  return r->seconds > 0 ? r->work / r->seconds : 0;
}

static void print_line(const struct bench_options *o, enum tool tool, size_t members,
                       const char *load, const struct load_result *r,
                       const struct load_result *bridge) {
  fprintf(o->out,
          "{\"bench\": \"kernel\", \"tool\": \"%s\", \"members\": %zu, \"load\": \"%s\", \"work\": "
          "%.0f, \"seconds\": %.3f, \"deliveries_per_s\": %.0f, \"lost\": %llu, "
          "\"latency_us_p50\": %.0f, \"latency_us_p99\": %.0f",
          tool_names[tool], members, load, r->work, r->seconds, rate_of(r),
          (unsigned long long)r->lost, r->p50, r->p99);
  if (bridge && rate_of(bridge) > 0)
    fprintf(o->out, ", \"ratio\": %.2f", rate_of(r) / rate_of(bridge));
  fprintf(o->out, "}\n");
  fflush(o->out);
}

static bool measure(struct job *job, enum tool tool, const struct bench_peer *ns3) {
  switch (tool) {
    case TAP: return measure_switch(job, KRN_TAP);
    case PACKET: return measure_switch(job, KRN_PACKET);
    case BRIDGE: return measure_rival(job, NULL);
    case NS3: return measure_rival(job, ns3);
    case TOOLS: break;
  }
  return false;
}

static bool is_ours(enum tool tool) {
  return tool == TAP || tool == PACKET;
}

/* All tools with one size of the group. Returns how often our switch was measured. */
static unsigned measure_size(const struct bench_options *o, size_t members,
                             const struct bench_peer *ns3) {
  struct figures bridge = {.stated = {.work = 0}};
  unsigned done = 0;
  for (int t = BRIDGE; t < TOOLS && !o->interrupted(o->context); t++) {
    enum tool tool = (enum tool)t;
    if ((tool == BRIDGE && !o->peers) || (tool == NS3 && !ns3)) continue;
    struct job job = {.options = o, .count = members + 1};
    if (!measure(&job, tool, ns3)) {
      fprintf(o->notes, "chorus bench: kernel: %s with %zu members: %s\n", tool_names[tool],
              members, job.why);
      continue;
    }
    if (tool == BRIDGE) bridge = job.figures;
    done += is_ours(tool);
    print_line(o, tool, members, "stated", &job.figures.stated,
               is_ours(tool) ? &bridge.stated : NULL);
    print_line(o, tool, members, "maximum", &job.figures.most, is_ours(tool) ? &bridge.most : NULL);
  }
  return done;
}

bool bench_kernel(const struct bench_options *o) {
  static const size_t sizes[] = {10, 50, 200};
  char why[200] = "";
  unsigned done = 0;
  struct bench_peer *ns3 = o->peers ? bench_ns3_real_time(why, sizeof why) : NULL;
  if (*why) fprintf(o->notes, "chorus bench: ns-3 is not compared: %s\n", why);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) done += measure_size(o, sizes[i], ns3);
  bench_ns3_free(ns3);
  return done > 0;
}
