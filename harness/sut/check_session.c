/* SPDX-License-Identifier: BSD-2-Clause */
#include "sut/check_session.h"

#include <stdarg.h>
#include <stdlib.h>

#include "capture/capture.h"
#include "chorus/endpoint_text.h"

#define STEP       (20 * CHORUS_MILLISECOND)
#define REPLY_WAIT (3 * CHORUS_SECOND)

/* ---- the report ---- */

static void add_line(struct sut_session *s, const struct sut_check_line *line) {
  struct sut_report *r = s->report;
  struct sut_check_line *slot = scn_append(r->arena, &r->lines, &r->count, sizeof *slot);
  if (!slot) return;
  *slot = *line;
  if (line->result == SUT_CHECK_FAILED) r->failed++;
  if (line->result == SUT_CHECK_SKIPPED) r->skipped++;
  if (s->config->line) s->config->line(s->config->line_context, slot);
}

void sut_say(struct sut_session *s, enum sut_check_result result, const char *name,
             const char *format, ...) {
  char text[500];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  struct sut_check_line line = {.role = s->part->role,
                                .result = result,
                                .name = scn_print(s->report->arena, "%s", name),
                                .text = scn_print(s->report->arena, "%s", text),
                                .ip = s->ip};
  add_line(s, &line);
}

void sut_judge(struct sut_session *s, bool ok, const char *name, const char *text,
               const char *wrong) {
  if (!ok && !sut_session_alive(s)) wrong = "the program failed before; see below";
  sut_say(s, ok ? SUT_CHECK_OK : SUT_CHECK_FAILED, name, "%s", ok ? text : wrong);
}

static void report_troubles(struct sut_session *s) {
  const struct sut_trouble *list;
  size_t count = sut_node_troubles(s->node, &list);
  for (size_t i = 0; i < count; i++) {
    struct sut_trouble *copy = scn_alloc(s->report->arena, sizeof *copy);
    struct sut_check_line line = {.role = s->part->role, .result = SUT_CHECK_FAILED, .ip = s->ip};
    if (!copy) return;
    *copy = list[i];
    copy->text = scn_print(s->report->arena, "%s", list[i].text);
    copy->tail = scn_print(s->report->arena, "%s", list[i].tail);
    if (list[i].last) copy->last = scn_print(s->report->arena, "%s", list[i].last);
    line.name = sut_trouble_name(copy->kind);
    line.text = copy->text;
    line.at = copy;
    add_line(s, &line);
  }
}

/* ---- observing ---- */

static void on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                           const uint8_t *packet, size_t length) {
  struct sut_session *s = context;
  struct dis_frame f;
  struct dis_coap m;
  (void)id;
  if (node != s->stack) return;
  dis_frame_read(s->fragments, 101 /* LINKTYPE_RAW */, node, now, packet, length, length, &f);
  if (f.kind != DIS_FRAME_UDP) return;
  sut_node_sent(s->node, now, &f.destination, f.payload, f.length);
  dis_coap_parse(&m, f.payload, f.length);
  struct sut_seen *seen = scn_append(s->report->arena, &s->seen, &s->seen_count, sizeof *seen);
  if (!seen) return;
  *seen = (struct sut_seen){.at = now,
                            .type = m.type,
                            .code = m.code,
                            .mid = m.mid,
                            .hop_limit = f.hop_limit,
                            .source = f.source,
                            .destination = f.destination};
  if (m.token_length <= 8) seen->token_length = m.token_length;
  memcpy(seen->token, m.token, seen->token_length);
  for (size_t i = 0; i < m.option_count && i < 12; i++) {
    seen->options[seen->option_count] = m.options[i].number;
    char *value = seen->values[seen->option_count++];
    for (size_t k = 0; k < m.options[i].length && k < 11; k++)
      snprintf(value + 2 * k, 3, "%02x", m.options[i].value[k]);
  }
}

static void on_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                       const uint8_t *packet, size_t length) {
  struct sut_session *s = context;
  struct dis_frame f;
  (void)id;
  if (node != s->stack) return;
  dis_frame_read(s->fragments, 101, node + 100, now, packet, length, length, &f);
  if (f.kind == DIS_FRAME_UDP) sut_node_arrived(s->node, now, &f.source, f.payload, f.length);
}

static void copy_text(char *to, size_t size, const char *from) {
  snprintf(to, size, "%s", from ? from : "");
}

static void on_event(void *context, chorus_time now, uint32_t node,
                     const struct chorus_event *event) {
  struct sut_session *s = context;
  struct sut_said *said = scn_append(s->report->arena, &s->said, &s->said_count, sizeof *said);
  if (!said) return;
  *said = (struct sut_said){.at = now, .node = node, .type = event->type, .code = event->code};
  copy_text(said->request, sizeof said->request, event->request);
  copy_text(said->detail, sizeof said->detail, event->detail);
  copy_text(said->path, sizeof said->path, event->path);
  said->payload_length = event->payload_length;
  size_t kept = event->payload_length < sizeof said->payload - 1 ? event->payload_length
                                                                 : sizeof said->payload - 1;
  if (kept) memcpy(said->payload, event->payload, kept);
}

/* ---- beginning ---- */

static bool load(struct sut_session *s, const char *yaml) {
  struct scn_errors errors;
  scn_errors_init(&errors);
  s->file = scn_file_parse("sut-check.yaml", yaml, strlen(yaml), &errors);
  if (s->file) s->scenario = scn_load(s->file, NULL, NULL, 0, &errors);
  if (!s->scenario)
    sut_say(s, SUT_CHECK_FAILED, "start", "the check's own scenario: %s",
            errors.count ? errors.list[0].message : "no memory");
  scn_errors_free(&errors);
  return s->scenario != NULL;
}

static bool open_network(struct sut_session *s) {
  char why[400] = "no memory";
  struct net_config config = {
      .backend = s->manifest->rung == SUT_PROGRAM ? NET_KERNEL : NET_SIM,
      .kernel = {.network = {.seed = s->config->seed, .latency = CHORUS_MILLISECOND},
                 .interrupted = s->config->interrupted,
                 .interrupted_context = s->config->interrupted_context}};
  struct emu_observer observer = {
      .context = s, .transmitted = on_transmitted, .arrived = on_arrived, .event = on_event};
  s->network = net_new(&config, why, sizeof why);
  if (s->network)
    net_observe(s->network, &observer);
  else
    sut_say(s, SUT_CHECK_FAILED, "start", "no network: %s", why);
  return s->network != NULL;
}

static struct chorus_node make_node(struct sut_session *s, uint32_t i, const char **why) {
  const struct scn_node *n = &s->scenario->nodes[i];
  struct sut_node_config config = {.manifest = s->manifest,
                                   .scenario = s->scenario,
                                   .node = n,
                                   .seed = s->config->seed,
                                   .watchdog = s->config->watchdog,
                                   .thorough = true};
  char text[300] = "";
  if (strcmp(n->name, "sut") != 0) {
    if (n->role == SCN_CLIENT) s->client = i;
    s->partners[i] =
        n->role == SCN_CLIENT ? ref_client_new(&n->client, why) : ref_server_new(&n->server, why);
    return s->partners[i];
  }
  s->stack = i;
  s->node = sut_node_new(&config, text, sizeof text);
  *why = scn_print(s->report->arena, "%s", text);
  return s->node ? sut_node_node(s->node) : (struct chorus_node){NULL, NULL};
}

static bool add_node(struct sut_session *s, uint32_t i) {
  const struct scn_node *n = &s->scenario->nodes[i];
  const char *why = "no memory";
  struct emu_node_config config = {.name = n->name,
                                   .node = make_node(s, i, &why),
                                   .addresses = n->addresses,
                                   .address_count = n->address_count};
  bool program = i == s->stack && s->manifest->rung == SUT_PROGRAM;
  if (!config.node.ops) {
    sut_say(s, SUT_CHECK_FAILED, "start", "%s: %s", n->name, why);
    return false;
  }
  if (net_add_node(s->network, &config, program ? KRN_HOST : KRN_SOCKETS) != i) {
    sut_say(s, SUT_CHECK_FAILED, "start", "%s: %s", n->name, net_error(s->network));
    return false;
  }
  if (program) sut_node_attach(s->node, net_kernel(s->network), i);
  return true;
}

static bool is_ready(void *context, uint32_t node) {
  struct sut_session *s = context;
  return node != s->stack || sut_node_ready(s->node);
}

/* A program that says nothing is ready when it answers. */
static bool is_serving(struct sut_session *s) {
  static const char *const confirmable[] = {"type", "CON", NULL};
  if (s->part->ready != SUT_READY_COAP || s->client == UINT32_MAX) return true;
  const char *uri = scn_print(s->report->arena, "coap://$ADDRESS%s", s->part->path);
  struct sut_answer a =
      sut_session_ask(s, s->client, "GET", uri, confirmable, 1, s->part->ready_timeout);
  if (a.count == 0) sut_say(s, SUT_CHECK_FAILED, "ready", "%s is not answered", s->part->path);
  return a.count > 0;
}

static bool start(struct sut_session *s) {
  if (s->starting) pthread_mutex_lock(s->starting);
  int status = net_start(s->network, is_ready, s, s->part->ready_timeout);
  if (s->starting) pthread_mutex_unlock(s->starting);
  const struct sut_trouble *troubles;
  size_t count = sut_node_troubles(s->node, &troubles);
  s->started = true;
  if (status == CHORUS_OK && count == 0) return is_serving(s);
  if (count == 0)
    sut_say(s, SUT_CHECK_FAILED, "ready", "not ready within %llu ms: %s",
            (unsigned long long)(s->part->ready_timeout / CHORUS_MILLISECOND),
            net_error(s->network));
  return false;
}

bool sut_session_begin(struct sut_session *s, const char *yaml) {
  s->client = s->stack = UINT32_MAX;
  s->fragments = dis_reassembly_new();
  if (!s->fragments || !load(s, yaml) || !open_network(s)) return false;
  for (uint32_t i = 0; i < s->scenario->node_count; i++)
    if (!add_node(s, i)) return false;
  return start(s);
}

/* ---- ending ---- */

static void free_partners(struct sut_session *s) {
  for (uint32_t i = 0; s->scenario && i < s->scenario->node_count && i < 4; i++) {
    if (!s->partners[i].ops) continue;
    if (s->scenario->nodes[i].role == SCN_CLIENT)
      ref_client_free(s->partners[i]);
    else
      ref_server_free(s->partners[i]);
  }
}

void sut_session_end(struct sut_session *s) {
  if (s->started) {
    net_stop(s->network);
    sut_settle(&s->node, 1, net_kernel(s->network), 1);
  }
  if (s->network) net_free(s->network);
  const struct sut_trouble *list;
  if (s->node) {
    if (s->started && !s->variant && sut_node_troubles(s->node, &list) == 0)
      sut_say(s, SUT_CHECK_OK, "stop", "ended in time, nothing left behind");
    report_troubles(s);
  }
  sut_node_free(s->node);
  free_partners(s);
  scn_free(s->scenario);
  scn_file_free(s->file);
  dis_reassembly_free(s->fragments);
}

/* ---- questions ---- */

bool sut_session_alive(const struct sut_session *s) {
  const struct sut_trouble *list;
  size_t count = s->node ? sut_node_troubles(s->node, &list) : 0;
  for (size_t i = 0; i < count; i++)
    if (list[i].kind != SUT_LIE && list[i].kind != SUT_SANITIZER && list[i].kind != SUT_FLOOD)
      return false;
  return true;
}

chorus_time sut_session_now(const struct sut_session *s) {
  return net_now(s->network);
}

void sut_session_run(struct sut_session *s, chorus_time duration) {
  net_run_until(s->network, net_now(s->network) + duration);
}

static bool is_interrupted(const struct sut_session *s) {
  return s->config->interrupted && s->config->interrupted(s->config->interrupted_context);
}

int sut_session_command(struct sut_session *s, uint32_t node, const char *verb,
                        const char *const *arguments) {
  struct chorus_argument list[16];
  struct chorus_command command = {.verb = verb, .arguments = list};
  const char *why = "";
  for (; arguments && *arguments && command.count < 16; arguments += 2)
    list[command.count++] = (struct chorus_argument){arguments[0], arguments[1]};
  int status = net_command(s->network, node, &command, &why);
  if (node != s->stack || status != CHORUS_OK) return status;
  for (chorus_time waited = 0; waited < REPLY_WAIT; waited += STEP) {
    if (sut_node_replied(s->node, &status) || !sut_session_alive(s)) return status;
    sut_session_run(s, STEP);
  }
  return CHORUS_REFUSED;
}

/* $ADDRESS and $GROUP filled in. */
static const char *fill_uri(struct sut_session *s, uint32_t node, const char *uri) {
  const struct scn_node *server = NULL;
  char address[CHORUS_ENDPOINT_TEXT] = "", text[400];
  for (size_t i = 0; i < s->scenario->node_count; i++)
    if (i != node && s->scenario->nodes[i].role == SCN_SERVER && !server)
      server = &s->scenario->nodes[i];
  const char *mark = strchr(uri, '$');
  if (!mark || !server) return uri;
  bool group = strncmp(mark, "$GROUP", 6) == 0;
  struct chorus_endpoint e = group ? server->server.groups[0] : server->addresses[0];
  if (!group) e.port = server->server.port;
  snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - uri), uri, chorus_endpoint_text(&e, address),
           mark + (group ? 6 : 8));
  return scn_print(s->report->arena, "%s", text);
}

unsigned sut_session_events(const struct sut_session *s, uint32_t node, enum chorus_event_type type,
                            const char *request, const struct sut_said **last) {
  unsigned count = 0;
  for (size_t i = 0; i < s->said_count; i++) {
    const struct sut_said *e = &s->said[i];
    if (e->node != node || e->type != type) continue;
    if (request && strcmp(e->request, request) != 0) continue;
    if (last) *last = e;
    count++;
  }
  return count;
}

static bool is_over(const struct sut_session *s, uint32_t node, const struct sut_answer *a,
                    unsigned wanted, const struct sut_said **last) {
  return wanted > 0 && sut_session_events(s, node, CHORUS_EVENT_DELIVER, a->id, last) >= wanted;
}

struct sut_answer sut_session_ask(struct sut_session *s, uint32_t node, const char *method,
                                  const char *uri, const char *const *more, unsigned wanted,
                                  chorus_time patience) {
  struct sut_answer a = {.payload = ""};
  const struct sut_said *last = NULL;
  const char *arguments[33] = {"id", a.id, "uri", fill_uri(s, node, uri)};
  size_t n = 4;
  snprintf(a.id, sizeof a.id, "check-%u", ++s->requests);
  if (strcmp(method, "GET") != 0) {
    arguments[n++] = "method";
    arguments[n++] = method;
  }
  while (more && *more && n < 30) arguments[n++] = *more++;
  chorus_time begin = sut_session_now(s);
  if (!sut_session_alive(s)) return a;
  if (sut_session_command(s, node, "request", arguments) != CHORUS_OK) return a;
  while (sut_session_now(s) < begin + patience && !is_over(s, node, &a, wanted, &last) &&
         sut_session_alive(s) && !is_interrupted(s))
    sut_session_run(s, STEP);
  last = NULL;
  a.count = sut_session_events(s, node, CHORUS_EVENT_DELIVER, a.id, &last);
  if (!last) return a;
  a.code = last->code;
  a.payload = last->payload;
  a.after = last->at - begin;
  return a;
}

const char *sut_seen_option(const struct sut_seen *seen, uint16_t number) {
  for (size_t i = 0; i < seen->option_count; i++)
    if (seen->options[i] == number) return seen->values[i];
  return NULL;
}
