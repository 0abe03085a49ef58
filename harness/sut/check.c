/* SPDX-License-Identifier: BSD-2-Clause */
/* `chorus sut check`: which networks are made, and in which order things are asked. */
#include "sut/check.h"

#include <stdlib.h>

#include "sut/check_session.h"

/* ---- networks ---- */

static const char *group_text(unsigned ip, size_t i) {
  static const char *const v4[] = {"239.255.0.1", "239.255.0.2", "239.255.0.3", "239.255.0.4"};
  static const char *const v6[] = {"[ff35::1]", "[ff35::2]", "[ff35::3]", "[ff35::4]"};
  return ip == 4 ? v4[i] : v6[i];
}

static const char *groups_of(struct scn_arena *arena, const struct sut_part *p, unsigned ip) {
  const char *list = "";
  size_t count = p->groups < 3 ? p->groups : 3;
  for (size_t i = 0; i < count; i++)
    list = scn_print(arena, "%s%s\"%s\"", list, i ? ", " : "", group_text(ip, i));
  return list;
}

/* What controls are asked of: docs/manifest.md lists them. */
static const char *resources_of(struct scn_arena *arena, const struct sut_part *p) {
  const char *list = "";
  bool state = p->kinds & 1u << REF_RESOURCE_STATE, put = p->methods & REF_PUT;
  if (!p->any_resource) return list;
  if (state)
    list = scn_print(arena,
                     "/state: {payload: \"one\", rt: chorus-check, methods: [GET%s]}, "
                     "/read: {payload: \"one\", methods: [GET]}, ",
                     put ? ", PUT" : "");
  if (p->kinds & 1u << REF_RESOURCE_COUNTER)
    list = scn_print(arena, "%s/counter: {kind: counter, payload: \"0\"}, ", list);
  if (p->kinds & 1u << REF_RESOURCE_FIXED)
    list = scn_print(arena, "%s/fixed: {kind: fixed, code: 4.09, payload: \"no\"}, ", list);
  if (!state) return list;
  if (p->features & SUT_SUPPRESS)
    list = scn_print(arena, "%s/quiet: {payload: \"one\", suppress: [2xx]}, ", list);
  if (p->features & SUT_NO_RESPONSE_OFF)
    list = scn_print(arena, "%s/loud: {payload: \"one\", no-response: false}, ", list);
  if (p->features & SUT_SEPARATE)
    list = scn_print(arena, "%s/slow: {payload: \"one\", processing: 4s}, ", list);
  if (p->features & SUT_MULTICAST)
    list = scn_print(arena, "%s/single: {payload: \"one\", multicast: false}, ", list);
  return list;
}

static const char *server_network(struct sut_session *s, const char *groups, const char *more) {
  struct scn_arena *arena = s->report->arena;
  const struct sut_part *p = s->part;
  return scn_print(arena,
                   "id: sut-check\ntitle: controls of a server\ncovers: [GC-1-01]\n"
                   "network: {ip: %u}\nnodes:\n"
                   "  client: {role: client, msrd: 30s}\n"
                   "  sut: {role: server, leisure: %s, groups: [%s], resources: {%s}%s}\n"
                   "steps: []\nend: 1s\n",
                   s->ip, p->features & SUT_LEISURE ? "2s" : "5s", groups, resources_of(arena, p),
                   more);
}

/* /slow answers so late that there is time to lose interest, /quiet not at all. */
static const char *client_network(struct sut_session *s, const char *more) {
  const char *group = group_text(s->ip, 0);
  return scn_print(
      s->report->arena,
      "id: sut-check\ntitle: controls of a client\ncovers: [GC-1-01]\n"
      "network: {ip: %u}\nnodes:\n"
      "  s: {role: server, count: 2, leisure: 1s, groups: [\"%s\"], resources: {/state: {payload: "
      "\"one\", methods: [GET, PUT, FETCH]}, /counter: {kind: counter, payload: \"0\"}, "
      "/slow: {payload: \"one\", processing: 2s}, /quiet: {payload: \"one\", suppress: [2xx]}}}\n"
      "  sut: {role: client, msrd: 30s%s}\n"
      "steps: []\nend: 1s\n",
      s->ip, group, more);
}

/* ---- honesty ---- */

static void probe(struct sut_session *s, const char *verb, const char *const *arguments,
                  const char *name) {
  int status = sut_session_command(s, s->stack, verb, arguments);
  sut_judge(s, status == CHORUS_UNSUPPORTED, name, "answered unsupported",
            "it did not answer unsupported to what does not exist: what it says of itself proves "
            "nothing");
}

void sut_check_probe(struct sut_session *s) {
  static const char *const no_arguments[] = {"of", "nothing", NULL};
  static const char *const odd_argument[] = {"chorus-probe", "1", NULL};
  if (!s->part->adapter) {
    sut_say(s, SUT_CHECK_SKIPPED, "honesty", "an unmodified program is asked nothing");
    return;
  }
  probe(s, "chorus-probe", no_arguments, "honesty: a verb");
  if (s->part->verb_count > 0)
    probe(s, s->part->verbs[0].name, odd_argument, "honesty: an argument");
}

/* By this verb --dilate learns whether the program's clock follows. */
static void check_wait(struct sut_session *s) {
  static const char *const second[] = {"for", "1s", NULL};
  if (!sut_verb_find(s->part, "wait")) return;
  chorus_time begin = sut_session_now(s);
  int status = sut_session_command(s, s->stack, "wait", second);
  chorus_time taken = sut_session_now(s) - begin;
  bool right =
      taken >= CHORUS_SECOND - 10 * CHORUS_MILLISECOND && taken <= CHORUS_SECOND + SUT_SLACK;
  sut_judge(s, status == CHORUS_OK && right, "verb wait", "replies when 1 s is over",
            status == CHORUS_OK
                ? scn_print(s->report->arena, "replied after %llu ms instead of 1 s",
                            (unsigned long long)(taken / CHORUS_MILLISECOND))
                : "the command was turned down, or not replied to within 3 s");
}

/* ---- the networks of a manifest ---- */

static const char *server_yaml(struct sut_session *s, const char *port, const char *more) {
  const char *group = scn_print(s->report->arena, "\"%s%s\"", group_text(s->ip, 0), port);
  bool plain = !*port && !*more;
  return server_network(s, plain ? groups_of(s->report->arena, s->part, s->ip) : group, more);
}

static void check_ready(struct sut_session *s) {
  const char *stack = sut_node_stack(s->node), *version = sut_node_stack_version(s->node);
  if (s->part->adapter && s->manifest->rung != SUT_LINKED)
    sut_say(s, *stack ? SUT_CHECK_OK : SUT_CHECK_FAILED, "handshake", "%s%s%s",
            *stack ? stack : "ready does not name the stack", *version ? " " : "", version);
  sut_say(s, SUT_CHECK_OK, "ready", "started");
}

/* One network each, as some controls need another configuration and all of them need time. */
static const struct errand {
  enum sut_role role;
  uint32_t feature; /* without it nothing is done; 0: always */
  bool grouped;     /* for stacks that can be in a group */
  const char *port, *more;
  void (*control)(struct sut_session *s);
} errands[] = {
    {SUT_CLIENT, 0, false, "", "", sut_check_client},
    {SUT_CLIENT, SUT_TOKEN_LENGTH, false, "", ", token-length: 3", sut_check_token_length},
    {SUT_CLIENT, SUT_HOP_LIMIT, false, "", ", group-hop-limit: 9", sut_check_hop_limit},
    {SUT_CLIENT, SUT_MSRD, false, "", "", sut_check_msrd},
    {SUT_SERVER, 0, false, "", "", sut_check_server},
    {SUT_SERVER, 0, true, "", "", sut_check_groups},
    {SUT_SERVER, SUT_LEISURE | SUT_DEDUP, true, "", "", sut_check_times},
    {SUT_SERVER, SUT_SUPPRESS | SUT_NO_RESPONSE | SUT_NO_RESPONSE_OFF | SUT_MULTICAST, true, "", "",
     sut_check_silence},
    {SUT_SERVER, SUT_PORTS, true, ":61616", "", sut_check_ports},
    {SUT_SERVER, SUT_ONE_PORT, true, ":61616", ", port: 61616", sut_check_ports},
    {SUT_SERVER, SUT_RELAXATION, true, "", ", authorised-relaxation-only: true",
     sut_check_relaxation},
    {SUT_SERVER, SUT_AWARE, true, "", ", multicast-aware: false", sut_check_unaware},
    {SUT_SERVER, SUT_RATE, true, "", ", response-rate: 2", sut_check_rate},
};
enum { ERRANDS = sizeof errands / sizeof *errands };

static bool is_needed(const struct errand *e, const struct sut_part *part) {
  if (e->role != part->role || (e->grouped && part->groups == 0)) return false;
  return !e->feature || part->features & e->feature;
}

static bool is_first(const struct errand *e) {
  return e->control == sut_check_server || e->control == sut_check_client;
}

static void run_errand(struct sut_session *s, const struct errand *e) {
  const char *yaml =
      e->role == SUT_CLIENT ? client_network(s, e->more) : server_yaml(s, e->port, e->more);
  s->variant = !is_first(e);
  if (yaml && sut_session_begin(s, yaml)) {
    if (!s->variant) check_ready(s);
    if (!s->variant) sut_check_probe(s);
    if (!s->variant) check_wait(s);
    e->control(s);
  }
  sut_session_end(s);
}

/* ---- all of them, side by side ---- */

enum { SIDE_BY_SIDE = 12 }; /* networks in real time: they wait more than they work */

struct job {
  struct sut_session session;
  const struct errand *errand;
  struct sut_report report;
  bool done;
};

struct crew {
  pthread_mutex_t lock, starting;
  struct job *jobs;
  size_t count, next, told;
  struct sut_report *report;
  const struct sut_check_config *config;
  struct sut_check_config quiet; /* of the sessions: their lines are told in order, by us */
};

static void copy_trouble(struct sut_report *report, struct sut_check_line *line) {
  struct sut_trouble *copy = scn_alloc(report->arena, sizeof *copy);
  if (copy) {
    *copy = *line->at;
    copy->text = line->text;
    copy->tail = scn_print(report->arena, "%s", line->at->tail);
    if (copy->last) copy->last = scn_print(report->arena, "%s", line->at->last);
  }
  line->at = copy;
}

/* What one network showed, in the order of the networks. */
static void tell(struct crew *crew, const struct job *job) {
  struct sut_report *r = crew->report;
  for (size_t i = 0; i < job->report.count; i++) {
    struct sut_check_line *line = scn_append(r->arena, &r->lines, &r->count, sizeof *line);
    if (!line) return;
    *line = job->report.lines[i];
    line->name = scn_print(r->arena, "%s", line->name);
    line->text = scn_print(r->arena, "%s", line->text);
    if (line->at) copy_trouble(r, line);
    if (crew->config->line) crew->config->line(crew->config->line_context, line);
  }
  r->failed += job->report.failed;
  r->skipped += job->report.skipped;
}

static void finish(struct crew *crew, struct job *job) {
  pthread_mutex_lock(&crew->lock);
  job->done = true;
  while (crew->told < crew->count && crew->jobs[crew->told].done) {
    struct job *next = &crew->jobs[crew->told++];
    tell(crew, next);
    scn_arena_free(next->report.arena);
  }
  pthread_mutex_unlock(&crew->lock);
}

static struct job *next_job(struct crew *crew) {
  pthread_mutex_lock(&crew->lock);
  struct job *job = crew->next < crew->count ? &crew->jobs[crew->next++] : NULL;
  pthread_mutex_unlock(&crew->lock);
  return job;
}

static void *work(void *argument) {
  struct crew *crew = argument;
  for (struct job *job; (job = next_job(crew));) {
    job->report.arena = scn_arena_new();
    job->session.report = &job->report;
    job->session.config = &crew->quiet;
    job->session.starting = &crew->starting;
    if (job->report.arena) run_errand(&job->session, job->errand);
    finish(crew, job);
  }
  return NULL;
}

static void do_all(struct crew *crew, unsigned workers) {
  pthread_t threads[SIDE_BY_SIDE];
  unsigned started = 0;
  while (started + 1 < workers && started + 1 < crew->count &&
         pthread_create(&threads[started], NULL, work, crew) == 0)
    started++;
  work(crew);
  for (unsigned i = 0; i < started; i++) pthread_join(threads[i], NULL);
}

static void add_jobs(struct crew *crew, const struct sut_session *model,
                     const struct sut_part *part) {
  for (unsigned ip = 4; ip <= 6; ip += 2) {
    if (!(ip == 4 ? part->ip4 : part->ip6)) continue;
    for (const struct errand *e = errands; e < errands + ERRANDS; e++) {
      if (!is_needed(e, part)) continue;
      struct job *job = &crew->jobs[crew->count++];
      *job = (struct job){.session = *model, .errand = e};
      job->session.part = part;
      job->session.ip = ip;
    }
  }
}

static void check_version(struct sut_session *s) {
  char why[400];
  bool ok =
      sut_version(s->manifest, s->report->version, sizeof s->report->version, why, sizeof why);
  sut_say(s, ok ? SUT_CHECK_OK : SUT_CHECK_FAILED, "version", "%s", ok ? s->report->version : why);
}

/* Rungs a and b have virtual time: side by side they would gain nothing. */
static bool check_parts(const struct sut_session *model, unsigned roles) {
  struct crew crew = {.lock = PTHREAD_MUTEX_INITIALIZER,
                      .starting = PTHREAD_MUTEX_INITIALIZER,
                      .report = model->report,
                      .config = model->config,
                      .quiet = *model->config};
  bool real_time = model->manifest->rung == SUT_PROGRAM;
  crew.quiet.line = NULL;
  crew.jobs = calloc((size_t)SUT_ROLES * 2 * ERRANDS, sizeof *crew.jobs);
  if (!crew.jobs) return false;
  for (int role = 0; role < SUT_ROLES; role++)
    if (model->manifest->parts[role] && roles & 1u << role)
      add_jobs(&crew, model, model->manifest->parts[role]);
  do_all(&crew, real_time ? SIDE_BY_SIDE : 1);
  free(crew.jobs);
  return true;
}

bool sut_check(const struct sut_manifest *manifest, const struct sut_check_config *config,
               struct sut_report *report) {
  *report = (struct sut_report){.arena = scn_arena_new()};
  struct sut_session s = {.manifest = manifest, .config = config, .report = report};
  unsigned roles = config->roles ? config->roles : (1u << SUT_ROLES) - 1;
  for (int role = 0; role < SUT_ROLES && !s.part; role++)
    if (roles & 1u << role) s.part = manifest->parts[role];
  if (!report->arena || !s.part) return report->arena != NULL;
  check_version(&s);
  if (!check_parts(&s, roles)) return false;
  if (!manifest->parts[SUT_PROXY] || !(roles & 1u << SUT_PROXY)) return true;
  s.part = manifest->parts[SUT_PROXY];
  sut_say(&s, SUT_CHECK_SKIPPED, "proxy", "controls of proxies are part of chorus interop");
  return true;
}

void sut_report_free(struct sut_report *report) {
  scn_arena_free(report->arena);
}
