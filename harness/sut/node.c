/* SPDX-License-Identifier: BSD-2-Clause */
/* A node that is somebody else's program: what all rungs have in common. */
#include "sut/node.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { DEFAULT_FLOOD = 1000 };
#define DEFAULT_WATCHDOG (10 * CHORUS_SECOND)

/* ---- troubles ---- */

const char *sut_trouble_name(enum sut_trouble_kind kind) {
  static const char *const names[] = {
      [SUT_NO_START] = "no-start", [SUT_CRASH] = "crash",       [SUT_HANG] = "hang",
      [SUT_PROTOCOL] = "protocol", [SUT_LIE] = "lie",           [SUT_SANITIZER] = "sanitizer",
      [SUT_FLOOD] = "flood",       [SUT_BAD_EXIT] = "bad-exit", [SUT_LEFTOVER] = "leftover"};
  return names[kind];
}

static const char *last_as_text(struct sut_node *n) {
  struct txt_buffer text = {0};
  if (!n->last.any) return NULL;
  txt_hex(&text, n->last.octets, n->last.length);
  const char *copy = scn_print(n->arena, "%s", text.data ? text.data : "");
  txt_free(&text);
  return copy;
}

void sut_trouble_add(struct sut_node *n, enum sut_trouble_kind kind, chorus_time now,
                     const char *format, ...) {
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  struct sut_trouble *t = scn_append(n->arena, &n->troubles, &n->trouble_count, sizeof *t);
  if (!t) return;
  *t = (struct sut_trouble){.kind = kind,
                            .at = now,
                            .text = scn_print(n->arena, "%s", text),
                            .last = last_as_text(n),
                            .last_at = n->last.at,
                            .tail = scn_print(n->arena, "%s", n->tail.text)};
}

void sut_check_alarm(struct sut_node *n, chorus_time now) {
  for (size_t i = 0; i < n->trouble_count; i++)
    if (n->troubles[i].kind == SUT_SANITIZER) return;
  if (n->tail.alarm[0])
    sut_trouble_add(n, SUT_SANITIZER, now, "%s reports on standard error: %s", n->config.node->name,
                    n->tail.alarm);
}

/* Ended by the signal that its manifest names, or with the status that shells give that. */
static bool is_own_signal(const struct sut_node *n, int status) {
  int signal_number = n->part->stop_signal;
  if (!signal_number) return false;
  if (WIFSIGNALED(status)) return WTERMSIG(status) == signal_number;
  return WEXITSTATUS(status) == 128 + signal_number;
}

void sut_check_exit(struct sut_node *n, chorus_time now, int status) {
  char text[100];
  if (status == 0 || is_own_signal(n, status)) return;
  sut_trouble_add(n, WIFSIGNALED(status) ? SUT_CRASH : SUT_BAD_EXIT, now, "%s %s after stop",
                  n->config.node->name, sut_status_text(status, text, sizeof text));
}

void sut_count_sent(struct sut_node *n, chorus_time now) {
  uint64_t second = now / CHORUS_SECOND;
  if (second != n->flood.second) n->flood.count = 0;
  n->flood.second = second;
  if (++n->flood.count <= n->config.flood || n->flood.told) return;
  n->flood.told = true;
  sut_trouble_add(n, SUT_FLOOD, now, "%s sends more than %u datagrams in second %llu",
                  n->config.node->name, (unsigned)n->config.flood, (unsigned long long)second);
}

/* ---- honesty ---- */

bool sut_declares(const struct sut_part *part, const struct chorus_command *command) {
  const struct sut_verb *verb = sut_verb_find(part, command->verb);
  if (!verb) return false;
  for (size_t i = 0; i < command->count; i++)
    if (!sut_verb_takes(verb, command->arguments[i].name)) return false;
  return true;
}

void sut_check_honesty(struct sut_node *n, chorus_time now, const struct chorus_command *command,
                       int status) {
  if (status != CHORUS_UNSUPPORTED || !sut_declares(n->part, command)) return;
  sut_trouble_add(n, SUT_LIE, now, "%s answers unsupported to %s, which its manifest declares%s%s",
                  n->config.node->name, command->verb, n->why[0] ? ": " : "", n->why);
}

/* ---- the node's functions ---- */

static int sut_start(void *state, chorus_time now, const struct chorus_host *host) {
  struct sut_node *n = state;
  n->host = host;
  return n->ops->start(n, now);
}

void sut_remember(struct sut_node *n, chorus_time now, const uint8_t *octets, size_t length) {
  uint8_t *copy = realloc(n->last.octets, length ? length : 1);
  if (!copy) return;
  if (length) memcpy(copy, octets, length);
  n->last.octets = copy;
  n->last.length = length;
  n->last.at = now;
  n->last.any = true;
}

static void sut_datagram(void *state, chorus_time now, const struct chorus_datagram *datagram) {
  struct sut_node *n = state;
  if (n->broken) return;
  sut_remember(n, now, datagram->payload, datagram->length);
  n->ops->datagram(n, now, datagram);
}

static void sut_wake(void *state, chorus_time now) {
  struct sut_node *n = state;
  if (n->ops->wake && (!n->broken || n->config.manifest->rung == SUT_PROGRAM)) n->ops->wake(n, now);
}

static int sut_command(void *state, chorus_time now, const struct chorus_command *command,
                       const char **why) {
  struct sut_node *n = state;
  n->why[0] = '\0';
  if (n->broken) {
    *why = "the program is gone";
    return CHORUS_REFUSED;
  }
  int status = n->ops->command(n, now, command, why);
  if (n->config.manifest->rung == SUT_PROGRAM) return status;
  n->replied = n->commands;
  n->reply = status;
  return status;
}

static void sut_unreachable(void *state, chorus_time now,
                            const struct chorus_endpoint *destination) {
  struct sut_node *n = state;
  if (!n->broken && n->ops->unreachable) n->ops->unreachable(n, now, destination);
}

static void sut_stop(void *state, chorus_time now) {
  struct sut_node *n = state;
  n->stopping = true;
  n->ops->stop(n, now);
  sut_check_alarm(n, now);
}

static const struct chorus_node_ops node_ops = {.start = sut_start,
                                                .datagram = sut_datagram,
                                                .wake = sut_wake,
                                                .command = sut_command,
                                                .unreachable = sut_unreachable,
                                                .stop = sut_stop};

/* ---- making ---- */

static const struct sut_rung_ops *ops_of(enum sut_rung rung) {
  if (rung == SUT_LINKED) return &sut_linked_ops;
  return rung == SUT_PIPED ? &sut_piped_ops : &sut_program_ops;
}

static void apply_defaults(struct sut_node_config *c) {
  if (!c->watchdog) c->watchdog = DEFAULT_WATCHDOG;
  if (!c->flood) c->flood = DEFAULT_FLOOD;
}

struct sut_node *sut_node_new(const struct sut_node_config *config, char *why, size_t size) {
  const struct sut_part *part = sut_part_for(config->manifest, config->node->role);
  if (!part) {
    snprintf(why, size, "%s does not play the role of node %s", config->manifest->name,
             config->node->name);
    return NULL;
  }
  struct sut_node *n = calloc(1, sizeof *n);
  if (n) {
    n->config = *config;
    apply_defaults(&n->config);
    n->part = part;
    n->ops = ops_of(config->manifest->rung);
    n->arena = scn_arena_new();
    n->start = sut_start_text(config, part);
    n->process.in = n->process.out = n->process.err = -1;
  }
  if (n && n->arena && n->start) return n;
  snprintf(why, size, "no memory");
  sut_node_free(n);
  return NULL;
}

void sut_node_free(struct sut_node *n) {
  if (!n) return;
  if (n->ops->free) n->ops->free(n);
  sut_tracker_free(&n->tracker);
  free(n->waiting);
  free(n->last.octets);
  free(n->start);
  scn_arena_free(n->arena);
  free(n);
}

struct chorus_node sut_node_node(struct sut_node *node) {
  return (struct chorus_node){&node_ops, node};
}

size_t sut_node_troubles(const struct sut_node *node, const struct sut_trouble **troubles) {
  *troubles = node->troubles;
  return node->trouble_count;
}

const char *sut_node_stack(const struct sut_node *node) {
  return node->stack;
}

const char *sut_node_stack_version(const struct sut_node *node) {
  return node->stack_version;
}
