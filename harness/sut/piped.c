/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rung b: a program on pipes that is called like a function. Each call is a line; the program's
 * lines are obeyed until it says `done`. Nothing here depends on real time but the watchdog.
 */
#include <signal.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "sut/node.h"

enum { MAX_MESSAGES = 100000 }; /* of one call: beyond, the program is babbling */

/* One call while it lasts. */
struct call {
  struct sut_node *node;
  chorus_time now;
  const char *verb; /* "start", "datagram", ... for messages */
  bool ready, replied, done;
  bool told_refused;   /* by an event of its own */
  const char *refused; /* in the node's arena */
  struct sut_reply reply;
};

/* ---- failing ---- */

/* The program is in an unknown state: it is ended, and is silent from now on. */
static void give_up(struct call *c) {
  c->node->broken = true;
  sut_process_end(&c->node->process);
}

static bool wrong(struct call *c, const char *line, const char *why) {
  sut_trouble_add(c->node, SUT_PROTOCOL, c->now, "%s, in the call %s: %s: %.200s",
                  c->node->config.node->name, c->verb, why, line);
  give_up(c);
  return false;
}

static bool gone(struct call *c) {
  struct sut_node *n = c->node;
  char text[100];
  bool ended = sut_process_wait(&n->process, CHORUS_SECOND);
  sut_trouble_add(
      n, SUT_CRASH, c->now, "%s %s in the call %s", n->config.node->name,
      ended ? sut_status_text(n->process.status, text, sizeof text) : "closed its standard output",
      c->verb);
  sut_check_alarm(n, c->now);
  give_up(c);
  return false;
}

static bool hangs(struct call *c) {
  sut_trouble_add(c->node, SUT_HANG, c->now, "%s does not finish the call %s: silent for %llu ms",
                  c->node->config.node->name, c->verb,
                  (unsigned long long)(c->node->config.watchdog / CHORUS_MILLISECOND));
  give_up(c);
  return false;
}

/* ---- what the program says ---- */

static void emit(struct call *c, const struct chorus_event *event) {
  const struct chorus_host *host = c->node->host;
  if (host->ops->event) host->ops->event(host->context, event);
}

static void release(struct call *c) {
  struct chorus_event held;
  while (sut_tracker_release(&c->node->tracker, &held)) emit(c, &held);
}

static const char *obey_send(struct call *c, json_t *value) {
  const struct chorus_host *host = c->node->host;
  struct sut_tracker *tracker = &c->node->tracker;
  struct chorus_datagram datagram;
  uint8_t *payload = malloc(SUT_DATAGRAM_MAX);
  if (!payload) return "no memory";
  const char *why = sut_send_read(value, payload, &datagram);
  if (!why) {
    sut_count_sent(c->node, c->now);
    sut_tracker_sent(tracker, &datagram.destination, datagram.payload, datagram.length);
    host->ops->send(host->context, &datagram);
    release(c);
  }
  free(payload);
  return why;
}

static const char *obey_port(struct call *c, json_t *value, bool open) {
  const struct chorus_host *host = c->node->host;
  json_int_t port = json_integer_value(value);
  if (!json_is_integer(value) || port < 1 || port > UINT16_MAX) return "a port is 1 to 65535";
  if (!open)
    host->ops->close(host->context, (uint16_t)port);
  else if (host->ops->open(host->context, (uint16_t)port) != CHORUS_OK)
    return "the host does not open this port";
  return NULL;
}

static const char *obey_open(struct call *c, json_t *value) {
  return obey_port(c, value, true);
}

static const char *obey_close(struct call *c, json_t *value) {
  return obey_port(c, value, false);
}

static const char *read_group(json_t *value, struct chorus_endpoint *group) {
  const char *text = json_string_value(value);
  if (!text || !chorus_endpoint_parse(text, CHORUS_COAP_PORT, group) || !chorus_is_group(group))
    return "a group is an endpoint such as [ff35::1]:5683";
  return NULL;
}

/* A host without that address family says no; that is the program's to find out by its addresses.
 */
static const char *obey_join(struct call *c, json_t *value) {
  const struct chorus_host *host = c->node->host;
  struct chorus_endpoint group;
  const char *why = read_group(value, &group);
  if (!why) host->ops->join(host->context, &group);
  return why;
}

static const char *obey_leave(struct call *c, json_t *value) {
  const struct chorus_host *host = c->node->host;
  struct chorus_endpoint group;
  const char *why = read_group(value, &group);
  if (!why) host->ops->leave(host->context, &group);
  return why;
}

static const char *obey_event(struct call *c, json_t *value) {
  struct sut_event event;
  const char *why = sut_event_read(value, &event);
  if (!why && event.event.type == CHORUS_EVENT_REFUSED) c->told_refused = true;
  bool said = !why && sut_tracker_complete(&c->node->tracker, &event.event);
  release(c);
  if (said) emit(c, &event.event);
  sut_event_free(&event);
  return why;
}

static const char *obey_ready(struct call *c, json_t *value) {
  c->ready = true;
  return sut_ready_read(c->node, value);
}

static const char *obey_refused(struct call *c, json_t *value) {
  if (!json_is_string(value)) return "refused tells why, as text";
  c->refused = scn_print(c->node->arena, "%s", json_string_value(value));
  return NULL;
}

static const char *obey_done(struct call *c, json_t *value) {
  const struct chorus_host *host = c->node->host;
  json_t *deadline = json_object_get(value, "deadline");
  if (!json_is_object(value)) return "done is an object";
  c->done = true;
  if (deadline && (!json_is_integer(deadline) || json_integer_value(deadline) < 0))
    return "deadline is a time in nanoseconds";
  if (c->node->stopping) return NULL;
  chorus_time at = deadline ? (chorus_time)json_integer_value(deadline) : CHORUS_NEVER;
  host->ops->deadline(host->context, at < c->now ? c->now : at);
  return NULL;
}

static const struct {
  const char *name;
  const char *(*obey)(struct call *c, json_t *value);
} messages[] = {{"send", obey_send},   {"event", obey_event}, {"done", obey_done},
                {"join", obey_join},   {"leave", obey_leave}, {"open", obey_open},
                {"close", obey_close}, {"ready", obey_ready}, {"refused", obey_refused}};

static const char *obey_reply(struct call *c, json_t *line) {
  const char *why = sut_reply_read(line, &c->reply);
  if (why) return why;
  if (strcmp(c->verb, "command") != 0 || c->reply.id != c->node->commands)
    return "a reply to nothing that was asked";
  if (c->replied) return "a second reply";
  c->replied = true;
  snprintf(c->node->why, sizeof c->node->why, "%s", c->reply.why);
  c->reply.why = c->node->why;
  return NULL;
}

static const char *obey(struct call *c, json_t *line) {
  if (!json_is_object(line)) return "not a JSON object";
  if (json_object_get(line, "reply")) return obey_reply(c, line);
  for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
    json_t *value = json_object_get(line, messages[i].name);
    if (value) return messages[i].obey(c, value);
  }
  return "no message of the protocol";
}

static bool take_line(struct call *c, const char *text, size_t length) {
  json_error_t error;
  json_t *line = json_loadb(text, length, 0, &error);
  const char *why = line ? obey(c, line) : "not a JSON object";
  json_decref(line);
  if (!why) return true;
  return wrong(c, scn_print(c->node->arena, "%.*s", (int)(length < 200 ? length : 200), text), why);
}

/* ---- a call ---- */

static bool listen_to(struct call *c) {
  const char *line;
  size_t length;
  for (unsigned i = 0; !c->done; i++) {
    if (i == MAX_MESSAGES) return wrong(c, "100000 messages", "it does not stop talking");
    switch (sut_process_line(&c->node->process, c->node->config.watchdog, &line, &length)) {
      case SUT_SILENT: return hangs(c);
      case SUT_CLOSED: return gone(c);
      case SUT_LONG_LINE: return wrong(c, "", "a line longer than 256 KiB");
      default: break;
    }
    if (!take_line(c, line, length)) return false;
  }
  return true;
}

/* Calls, and obeys until it is done. False: the node is broken. */
static bool call(struct call *c, const char *text, size_t length) {
  struct sut_process *p = &c->node->process;
  const char *line = "";
  size_t line_length = 0;
  if (sut_process_waiting(p)) {
    sut_process_line(p, 0, &line, &line_length);
    return wrong(
        c, scn_print(c->node->arena, "%.*s", (int)(line_length < 200 ? line_length : 200), line),
        "something said outside of a call");
  }
  if (!sut_process_write(p, text, length, c->node->config.watchdog))
    return p->out >= 0 && kill(p->pid, 0) == 0 && !sut_process_wait(p, 0) ? hangs(c) : gone(c);
  return listen_to(c);
}

static bool call_text(struct call *c, struct txt_buffer *text) {
  bool ok = !text->no_memory && call(c, text->data, text->length);
  txt_free(text);
  return ok;
}

/* ---- the functions of a node ---- */

static bool launch(struct sut_node *n, chorus_time now) {
  char why[300];
  struct sut_process *p = &n->process;
  const char *const *argv = sut_node_argv(n);
  p->tail = &n->tail;
  snprintf(p->mark, sizeof p->mark, "CHORUS_SUT=%lx.%lx", (unsigned long)getpid(),
           (unsigned long)(uintptr_t)n);
  const char *const *environment =
      sut_process_environment(n->arena, sut_node_variables(n), n->part->environment_count, p->mark);
  if (argv && environment &&
      sut_process_start(p, argv, environment, n->config.manifest->folder, why, sizeof why))
    return true;
  sut_trouble_add(n, SUT_NO_START, now, "%s", argv && environment ? why : "no memory");
  n->broken = true;
  return false;
}

static int piped_start(struct sut_node *n, chorus_time now) {
  struct call c = {.node = n, .now = now, .verb = "start"};
  struct txt_buffer text = {0};
  if (!launch(n, now)) return CHORUS_REFUSED;
  txt_print(&text, "{\"start\":");
  txt_add(&text, n->start, strlen(n->start));
  txt_print(&text, "}\n");
  if (!call_text(&c, &text)) return CHORUS_REFUSED;
  if (c.ready) return CHORUS_OK;
  if (c.refused)
    sut_trouble_add(n, SUT_NO_START, now, "%s refuses to start: %s", n->config.node->name,
                    c.refused);
  else
    wrong(&c, "done", "it is done with its start and never said ready");
  give_up(&c);
  return CHORUS_REFUSED;
}

static void piped_datagram(struct sut_node *n, chorus_time now,
                           const struct chorus_datagram *datagram) {
  struct call c = {.node = n, .now = now, .verb = "datagram"};
  struct txt_buffer text = {0};
  sut_tracker_arrived(&n->tracker, &datagram->source, datagram->payload, datagram->length);
  sut_write_datagram(&text, now, datagram);
  call_text(&c, &text);
}

static void piped_wake(struct sut_node *n, chorus_time now) {
  struct call c = {.node = n, .now = now, .verb = "wake"};
  struct txt_buffer text = {0};
  txt_print(&text, "{\"wake\":true,\"now\":%llu}\n", (unsigned long long)now);
  call_text(&c, &text);
}

static void piped_unreachable(struct sut_node *n, chorus_time now,
                              const struct chorus_endpoint *destination) {
  struct call c = {.node = n, .now = now, .verb = "unreachable"};
  struct txt_buffer text = {0};
  char endpoint[CHORUS_ENDPOINT_TEXT];
  txt_print(&text, "{\"unreachable\":\"%s\",\"now\":%llu}\n",
            chorus_endpoint_text(destination, endpoint), (unsigned long long)now);
  call_text(&c, &text);
}

/* What is refused in a reply is an event, unless the program said so itself. */
static void note_refusal(struct call *c, const struct chorus_command *command) {
  struct chorus_event event = {.type = CHORUS_EVENT_REFUSED, .detail = c->node->why};
  if (c->reply.status != CHORUS_REFUSED || c->told_refused) return;
  event.request = chorus_argument_get(command, "id");
  if (!event.request) event.request = chorus_argument_get(command, "of");
  emit(c, &event);
}

static int piped_command(struct sut_node *n, chorus_time now, const struct chorus_command *command,
                         const char **why) {
  struct call c = {.node = n, .now = now, .verb = "command"};
  struct txt_buffer text = {0};
  sut_tracker_command(&n->tracker, command);
  sut_write_command(&text, ++n->commands, now, command);
  *why = "the program failed";
  if (!call_text(&c, &text)) return CHORUS_REFUSED;
  *why = n->why;
  if (!c.replied) {
    wrong(&c, "done", "it is done with a command and never replied");
    return CHORUS_REFUSED;
  }
  note_refusal(&c, command);
  sut_check_honesty(n, now, command, c.reply.status);
  return c.reply.status;
}

/* After `stop` and the end of its input it ends by itself, or is helped. */
static void end_process(struct sut_node *n, chorus_time now) {
  struct sut_process *p = &n->process;
  sut_process_close_input(p);
  chorus_time within = n->part->stop_within;
  bool ended = sut_process_wait(p, n->part->stop_signal ? within / 2 : within);
  if (!ended && n->part->stop_signal) {
    sut_process_signal(p, n->part->stop_signal);
    ended = sut_process_wait(p, within / 2);
  }
  if (ended)
    sut_check_exit(n, now, p->status);
  else
    sut_trouble_add(n, SUT_HANG, now, "%s does not end within %llu ms after stop",
                    n->config.node->name, (unsigned long long)(within / CHORUS_MILLISECOND));
  unsigned left = ended ? sut_process_leftover(p, n->config.thorough) : 0;
  if (left > 0)
    sut_trouble_add(n, SUT_LEFTOVER, now, "%s left %u process%s behind", n->config.node->name, left,
                    left == 1 ? "" : "es");
}

static void piped_stop(struct sut_node *n, chorus_time now) {
  struct call c = {.node = n, .now = now, .verb = "stop"};
  struct txt_buffer text = {0};
  if (n->broken) return;
  txt_print(&text, "{\"stop\":true,\"now\":%llu}\n", (unsigned long long)now);
  if (call_text(&c, &text)) end_process(n, now);
  sut_process_end(&n->process);
}

static void piped_free(struct sut_node *n) {
  sut_process_end(&n->process);
}

const struct sut_rung_ops sut_piped_ops = {.start = piped_start,
                                           .datagram = piped_datagram,
                                           .wake = piped_wake,
                                           .command = piped_command,
                                           .unreachable = piped_unreachable,
                                           .stop = piped_stop,
                                           .free = piped_free};
