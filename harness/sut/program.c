/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rung d: a program in the network namespace of its node, in real time. Commands are written and
 * forgotten; replies and events are taken as they come.
 */
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "chorus/endpoint_text.h"
#include "sut/node.h"

/* ---- what it says ---- */

static void emit(struct sut_node *n, const struct chorus_event *event) {
  if (n->host && n->host->ops->event) n->host->ops->event(n->host->context, event);
}

static void release(struct sut_node *n) {
  struct chorus_event event;
  while (sut_tracker_release(&n->tracker, &event)) emit(n, &event);
}

static const char *take_event(struct sut_node *n, json_t *value) {
  struct sut_event event;
  const char *why = sut_event_read(value, &event);
  bool said = !why && sut_tracker_complete(&n->tracker, &event.event);
  release(n);
  if (said) emit(n, &event.event);
  sut_event_free(&event);
  return why;
}

static const char *name_of(const struct chorus_command *c) {
  const char *id = chorus_argument_get(c, "id");
  return id ? id : chorus_argument_get(c, "of");
}

static void command_text(const struct chorus_command *c, char *text, size_t size) {
  const char *name = name_of(c);
  snprintf(text, size, "%s%s%s", c->verb, name ? " " : "", name ? name : "");
}

static void refused(struct sut_node *n, const struct sut_command_sent *sent, const char *why) {
  struct chorus_event event = {.type = CHORUS_EVENT_REFUSED,
                               .detail = why,
                               .request = sent->request[0] ? sent->request : NULL};
  emit(n, &event);
}

/* Whether the scenario lets the node turn this down (`optional: true`). */
static bool is_optional(const struct sut_node *n, const struct sut_command_sent *sent) {
  const struct scn_scenario *s = n->config.scenario;
  for (size_t i = 0; s && i < s->step_count; i++) {
    const struct scn_step *step = &s->steps[i];
    if (step->kind != SCN_COMMAND || !step->optional) continue;
    char text[sizeof sent->text];
    command_text(&step->command, text, sizeof text);
    if (&s->nodes[step->node] == n->config.node && strcmp(text, sent->text) == 0) return true;
  }
  return false;
}

static const char *take_reply(struct sut_node *n, chorus_time now, json_t *line) {
  struct sut_reply reply;
  const char *why = sut_reply_read(line, &reply);
  size_t i = 0;
  while (!why && i < n->waiting_count && n->waiting[i].id != reply.id) i++;
  if (why) return why;
  if (i == n->waiting_count) return "a reply to nothing that was asked";
  struct sut_command_sent sent = n->waiting[i];
  memmove(&n->waiting[i], &n->waiting[i + 1], (--n->waiting_count - i) * sizeof *n->waiting);
  if (reply.status == CHORUS_REFUSED) refused(n, &sent, reply.why);
  n->replied = reply.id;
  n->reply = reply.status;
  if (n->probe.id && reply.id == n->probe.id) n->probe.replied = krn_clock(n->network);
  if (reply.status == CHORUS_UNSUPPORTED && sent.declared)
    sut_trouble_add(n, SUT_LIE, now,
                    "%s answers unsupported to %s, which its manifest declares%s%s",
                    n->config.node->name, sent.text, reply.why[0] ? ": " : "", reply.why);
  bool undone = reply.status == CHORUS_BAD_ARGUMENT || reply.status == CHORUS_TOO_LARGE;
  if (undone && sent.declared && !is_optional(n, &sent))
    sut_trouble_add(n, SUT_LIE, now, "%s does not do %s%s%s", n->config.node->name, sent.text,
                    reply.why[0] ? ": " : "", reply.why);
  return NULL;
}

static const char *take_refusal(struct sut_node *n, chorus_time now, json_t *value) {
  if (!json_is_string(value)) return "refused tells why, as text";
  sut_trouble_add(n, SUT_NO_START, now, "%s refuses to start: %s", n->config.node->name,
                  json_string_value(value));
  n->broken = true;
  return NULL;
}

static const char *take(struct sut_node *n, chorus_time now, json_t *line) {
  json_t *value;
  if (!json_is_object(line)) return "not a JSON object";
  if (json_object_get(line, "reply")) return take_reply(n, now, line);
  if ((value = json_object_get(line, "event"))) return take_event(n, value);
  if ((value = json_object_get(line, "refused"))) return take_refusal(n, now, value);
  if (!(value = json_object_get(line, "ready"))) return "no message of the protocol";
  n->ready = true;
  return sut_ready_read(n, value);
}

static void adapter_line(struct sut_node *n, chorus_time now, const char *text, size_t length) {
  json_error_t error;
  json_t *line = json_loadb(text, length, 0, &error);
  const char *why = line ? take(n, now, line) : "not a JSON object";
  json_decref(line);
  if (!why) return;
  sut_trouble_add(n, SUT_PROTOCOL, now, "%s: %s: %.*s", n->config.node->name, why,
                  (int)(length < 200 ? length : 200), text);
  n->broken = true;
}

/* A line of an unmodified program may be the sign that it is ready. */
static void plain_line(struct sut_node *n, const char *text, size_t length) {
  regex_t pattern;
  char *copy = n->part->ready == SUT_READY_OUTPUT && !n->ready ? strndup(text, length) : NULL;
  if (!copy) return;
  if (regcomp(&pattern, n->part->pattern, REG_EXTENDED | REG_NOSUB) == 0) {
    n->ready = regexec(&pattern, copy, 0, NULL, 0) == 0;
    regfree(&pattern);
  }
  free(copy);
}

static void on_line(void *context, chorus_time now, bool is_error, const char *line,
                    size_t length) {
  struct sut_node *n = context;
  if (is_error) {
    sut_tail_line(&n->tail, line, length);
    sut_check_alarm(n, now);
  }
  if (!n->part->adapter)
    plain_line(n, line, length);
  else if (!is_error && !n->broken)
    adapter_line(n, now, line, length);
}

static void ended_in_time(struct sut_node *n, chorus_time now, int status) {
  unsigned left = krn_leftover(n->network, n->program);
  if (!n->broken) sut_check_exit(n, now, status);
  if (left > 0)
    sut_trouble_add(n, SUT_LEFTOVER, now, "%s left %u process%s behind", n->config.node->name, left,
                    left == 1 ? "" : "es");
}

static void on_end(void *context, chorus_time now, int status) {
  struct sut_node *n = context;
  char text[100];
  n->ended = true;
  sut_check_alarm(n, now);
  if (n->stopping) ended_in_time(n, now, status);
  if (n->stopping || n->broken) return;
  sut_trouble_add(n, SUT_CRASH, now, "%s %s, and nobody told it to", n->config.node->name,
                  sut_status_text(status, text, sizeof text));
  n->broken = true;
}

/* ---- the functions of a node ---- */

static bool write_text(struct sut_node *n, chorus_time now, struct txt_buffer *text) {
  bool ok = !text->no_memory && krn_write(n->network, n->program, text->data, text->length);
  txt_free(text);
  if (!ok && !n->ended && !n->broken) {
    sut_trouble_add(n, SUT_HANG, now, "%s does not read its standard input", n->config.node->name);
    n->broken = true;
  }
  return ok;
}

static bool tell_start(struct sut_node *n, chorus_time now) {
  struct txt_buffer text = {0};
  if (!n->part->adapter) return true;
  txt_print(&text, "{\"start\":");
  txt_add(&text, n->start, strlen(n->start));
  txt_print(&text, "}\n");
  return write_text(n, now, &text);
}

static void join_one(struct sut_node *n, chorus_time now, const struct chorus_endpoint *group) {
  struct chorus_event event = {.type = CHORUS_EVENT_JOIN, .peer = *group, .group = true};
  if (krn_join(n->network, n->number, group) == CHORUS_OK)
    emit(n, &event);
  else
    sut_trouble_add(n, SUT_NO_START, now, "joining a group for %s failed: %s", n->config.node->name,
                    krn_error(n->network));
}

static void join_for_it(struct sut_node *n, chorus_time now) {
  const struct ref_server_config *c = &n->config.node->server;
  struct chorus_endpoint everyone[SUT_ALL_COAP_NODES];
  if (!n->part->join_helper) return;
  for (size_t i = 0; i < c->group_count; i++) join_one(n, now, &c->groups[i]);
  size_t count = sut_all_coap_nodes(&n->config, n->part, everyone);
  for (size_t i = 0; i < count; i++) join_one(n, now, &everyone[i]);
}

static int no_start(struct sut_node *n, chorus_time now, const char *why) {
  sut_trouble_add(n, SUT_NO_START, now, "%s: %s", n->config.node->name, why);
  n->broken = true;
  return CHORUS_REFUSED;
}

static int program_start(struct sut_node *n, chorus_time now) {
  struct krn_program program = {.arguments = sut_node_argv(n),
                                .environment = sut_node_variables(n),
                                .directory = n->config.manifest->folder,
                                .watch = {.context = n, .line = on_line, .ended = on_end}};
  if (!n->network) return no_start(n, now, "rung d needs the kernel backend");
  n->tracker.patient = true; /* lines and packets come by different ways */
  bool dilated = krn_dilation(n->network) > 1;
  const char *why = dilated ? sut_dilation_refused(n) : NULL;
  if (why) return no_start(n, now, why);
  if (dilated) program.environment = sut_dilation_variables(n, program.environment);
  program.own_memory = dilated; /* libfaketime keeps files there, by process numbers */
  if (!program.arguments || !program.environment) return CHORUS_NO_MEMORY;
  n->program = krn_spawn(n->network, n->number, &program);
  if (!n->program) return no_start(n, now, krn_error(n->network));
  join_for_it(n, now);
  return tell_start(n, now) ? CHORUS_OK : no_start(n, now, "it ended at once");
}

static bool expect_reply(struct sut_node *n, const struct chorus_command *command) {
  struct sut_command_sent *grown = realloc(n->waiting, (n->waiting_count + 1) * sizeof *n->waiting);
  const char *name = name_of(command);
  if (!grown) return false;
  n->waiting = grown;
  struct sut_command_sent *sent = &grown[n->waiting_count++];
  sent->id = ++n->commands;
  sent->declared = sut_declares(n->part, command);
  snprintf(sent->request, sizeof sent->request, "%s", name ? name : "");
  command_text(command, sent->text, sizeof sent->text);
  return true;
}

/* A program that Chorus joins for needs no verbs for that. */
static int join_or_leave(struct sut_node *n, const struct chorus_command *command,
                         const char **why) {
  struct chorus_endpoint group;
  const char *text = chorus_argument_get(command, "group");
  bool join = strcmp(command->verb, "join") == 0;
  if (!text || !chorus_endpoint_parse(text, CHORUS_COAP_PORT, &group)) {
    *why = "group is a group address and port";
    return CHORUS_BAD_ARGUMENT;
  }
  struct chorus_event event = {
      .type = join ? CHORUS_EVENT_JOIN : CHORUS_EVENT_LEAVE, .peer = group, .group = true};
  if (!join) krn_leave(n->network, n->number, &group);
  int status = join ? krn_join(n->network, n->number, &group) : CHORUS_OK;
  if (status == CHORUS_OK) emit(n, &event);
  return status;
}

bool sut_program_ask(struct sut_node *n, const struct chorus_command *command) {
  struct txt_buffer text = {0};
  if (!expect_reply(n, command)) return false;
  sut_write_command(&text, n->commands, CHORUS_NEVER, command);
  return write_text(n, krn_now(n->network), &text);
}

static int program_command(struct sut_node *n, chorus_time now,
                           const struct chorus_command *command, const char **why) {
  struct txt_buffer text = {0};
  bool membership = strcmp(command->verb, "join") == 0 || strcmp(command->verb, "leave") == 0;
  *why = "";
  if (n->part->join_helper && membership) return join_or_leave(n, command, why);
  if (!n->part->adapter) {
    *why = "an unmodified program is driven by nothing";
    return CHORUS_UNSUPPORTED;
  }
  if (!expect_reply(n, command)) return CHORUS_NO_MEMORY;
  sut_tracker_command(&n->tracker, command);
  sut_write_command(&text, n->commands, CHORUS_NEVER, command);
  return write_text(n, now, &text) ? CHORUS_OK : CHORUS_REFUSED;
}

static void no_datagram(struct sut_node *n, chorus_time now,
                        const struct chorus_datagram *datagram) {
  (void)n;
  (void)now;
  (void)datagram;
}

static void program_stop(struct sut_node *n, chorus_time now) {
  struct txt_buffer text = {0};
  for (size_t i = 0; i < n->waiting_count && !n->broken; i++)
    sut_trouble_add(n, SUT_HANG, now, "%s never replied to %s", n->config.node->name,
                    n->waiting[i].text);
  if (!n->program || n->ended) return;
  if (n->part->adapter && !n->broken) {
    txt_print(&text, "{\"stop\":true}\n");
    write_text(n, now, &text);
  }
  krn_close_input(n->network, n->program);
  if (!n->part->adapter) krn_signal(n->network, n->program, n->part->stop_signal);
}

const struct sut_rung_ops sut_program_ops = {.start = program_start,
                                             .datagram = no_datagram,
                                             .command = program_command,
                                             .stop = program_stop};

/* ---- the end ---- */

static bool is_running(const struct sut_node *n) {
  return n && n->program && !n->ended;
}

/* Half of its time an adapter has for itself; then the signal that its manifest names. */
static void hasten(struct sut_node *n, chorus_time waited) {
  bool late = n->part->adapter && n->part->stop_signal && !n->signalled;
  if (!late || 2 * waited < n->part->stop_within) return;
  n->signalled = true;
  krn_signal(n->network, n->program, n->part->stop_signal);
}

static void end_late(struct sut_node *n, chorus_time now) {
  if (!n->broken)
    sut_trouble_add(n, SUT_HANG, now, "%s does not end within %llu ms after stop",
                    n->config.node->name,
                    (unsigned long long)(n->part->stop_within / CHORUS_MILLISECOND));
  n->broken = true;
  krn_signal(n->network, n->program, SIGKILL);
}

void sut_settle(struct sut_node *const *nodes, size_t count, struct krn_network *network,
                uint32_t dilation) {
  const chorus_time step = 20 * CHORUS_MILLISECOND;
  bool some = true;
  if (dilation == 0) dilation = 1;
  for (chorus_time waited = 0; network && some; waited += step) {
    some = false;
    for (size_t i = 0; i < count; i++) {
      if (!is_running(nodes[i])) continue;
      if (waited >= nodes[i]->part->stop_within) end_late(nodes[i], krn_now(network));
      hasten(nodes[i], waited);
      some = true;
    }
    if (some) krn_run_until(network, krn_now(network) + step * dilation);
    if (waited > 60 * CHORUS_SECOND) return; /* not even SIGKILL: freeing the network ends it */
  }
}

/* ---- what the runner tells and asks ---- */

void sut_node_attach(struct sut_node *node, struct krn_network *network, uint32_t number) {
  node->network = network;
  node->number = number;
}

bool sut_node_ready(struct sut_node *node) {
  if (node->config.manifest->rung != SUT_PROGRAM || node->broken) return true;
  if (node->ready) return !node->part->adapter || sut_dilation_probed(node);
  bool asks_nothing = node->part->ready == SUT_READY_RUNNING ||
                      node->part->ready == SUT_READY_COAP; /* the runner's */
  return asks_nothing && krn_running(node->network, node->program);
}

bool sut_node_replied(const struct sut_node *node, int *status) {
  *status = node->reply;
  return node->replied == node->commands;
}

void sut_node_sent(struct sut_node *node, chorus_time now,
                   const struct chorus_endpoint *destination, const uint8_t *payload,
                   size_t length) {
  if (node->config.manifest->rung != SUT_PROGRAM) return;
  sut_count_sent(node, now);
  sut_tracker_sent(&node->tracker, destination, payload, length);
  release(node);
}

void sut_node_arrived(struct sut_node *node, chorus_time now, const struct chorus_endpoint *source,
                      const uint8_t *payload, size_t length) {
  if (node->config.manifest->rung != SUT_PROGRAM) return;
  sut_remember(node, now, payload, length);
  sut_tracker_arrived(&node->tracker, source, payload, length);
}
