/* SPDX-License-Identifier: BSD-2-Clause */
/* `chorus sut check`: which networks are made, and in which order things are asked. */
#include "sut/check.h"

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

static const char *client_network(struct sut_session *s) {
  const char *group = group_text(s->ip, 0);
  return scn_print(
      s->report->arena,
      "id: sut-check\ntitle: controls of a client\ncovers: [GC-1-01]\n"
      "network: {ip: %u}\nnodes:\n"
      "  s: {role: server, count: 2, leisure: 1s, groups: [\"%s\"], resources: {/state: {payload: "
      "\"one\", methods: [GET, PUT, FETCH]}, /counter: {kind: counter, payload: \"0\"}}}\n"
      "  sut: {role: client, msrd: 30s}\n"
      "steps: []\nend: 1s\n",
      s->ip, group);
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

/* ---- one role on one IP version ---- */

static void check_ready(struct sut_session *s) {
  const char *stack = sut_node_stack(s->node), *version = sut_node_stack_version(s->node);
  if (s->part->adapter && s->manifest->rung != SUT_LINKED)
    sut_say(s, *stack ? SUT_CHECK_OK : SUT_CHECK_FAILED, "handshake", "%s%s%s",
            *stack ? stack : "ready does not name the stack", *version ? " " : "", version);
  sut_say(s, SUT_CHECK_OK, "ready", "started");
}

static void check_server(struct sut_session *s) {
  const char *yaml = server_network(s, groups_of(s->report->arena, s->part, s->ip), "");
  if (yaml && sut_session_begin(s, yaml)) {
    check_ready(s);
    sut_check_probe(s);
    sut_check_server(s);
  }
  sut_session_end(s);
}

static void check_client(struct sut_session *s) {
  const char *yaml = client_network(s);
  if (yaml && sut_session_begin(s, yaml)) {
    check_ready(s);
    sut_check_probe(s);
    sut_check_client(s);
  }
  sut_session_end(s);
}

/* Features that need a node configured in another way. */
static void check_variant(struct sut_session *s, uint32_t feature, const char *port,
                          const char *more, void (*control)(struct sut_session *s)) {
  struct scn_arena *arena = s->report->arena;
  if (!(s->part->features & feature) || s->part->groups == 0) return;
  const char *group = scn_print(arena, "\"%s%s\"", group_text(s->ip, 0), port);
  const char *yaml = server_network(s, group, more);
  s->variant = true;
  if (yaml && sut_session_begin(s, yaml)) control(s);
  sut_session_end(s);
}

static void check_variants(const struct sut_session *model) {
  static const struct {
    uint32_t feature;
    const char *port, *more;
    void (*control)(struct sut_session *s);
  } variants[] = {
      {SUT_PORTS, ":61616", "", sut_check_ports},
      {SUT_RELAXATION, "", ", authorised-relaxation-only: true", sut_check_relaxation},
      {SUT_AWARE, "", ", multicast-aware: false", sut_check_unaware},
      {SUT_RATE, "", ", response-rate: 2", sut_check_rate},
  };
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
    struct sut_session s = *model;
    check_variant(&s, variants[i].feature, variants[i].port, variants[i].more, variants[i].control);
  }
}

static void check_role(const struct sut_session *model, const struct sut_part *part) {
  for (unsigned ip = 4; ip <= 6; ip += 2) {
    struct sut_session s = *model;
    if (!(ip == 4 ? part->ip4 : part->ip6)) continue;
    s.part = part;
    s.ip = ip;
    struct sut_session first = s;
    if (part->role == SUT_SERVER) {
      check_server(&first);
      check_variants(&s);
    } else {
      check_client(&first);
    }
  }
}

static void check_version(struct sut_session *s) {
  char why[400];
  bool ok =
      sut_version(s->manifest, s->report->version, sizeof s->report->version, why, sizeof why);
  sut_say(s, ok ? SUT_CHECK_OK : SUT_CHECK_FAILED, "version", "%s", ok ? s->report->version : why);
}

bool sut_check(const struct sut_manifest *manifest, const struct sut_check_config *config,
               struct sut_report *report) {
  *report = (struct sut_report){.arena = scn_arena_new()};
  struct sut_session s = {.manifest = manifest, .config = config, .report = report};
  bool versioned = false;
  for (int role = 0; report->arena && role < SUT_ROLES; role++) {
    const struct sut_part *part = manifest->parts[role];
    if (!part || (config->roles && !(config->roles & 1u << role))) continue;
    s.part = part;
    if (!versioned) check_version(&s);
    versioned = true;
    if (role == SUT_PROXY)
      sut_say(&s, SUT_CHECK_SKIPPED, "proxy", "controls of proxies are part of chorus interop");
    else
      check_role(&s, part);
  }
  return report->arena != NULL;
}

void sut_report_free(struct sut_report *report) {
  scn_arena_free(report->arena);
}
