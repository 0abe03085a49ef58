/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/offline.h"

#include <stdio.h>

#include "chorus/endpoint_text.h"

/* ---- statements ---- */

static void add_statement(struct judge *judge, const struct stm_statement *s) {
  jdg_expect_ics(judge, s->name[0] ? s->name : NULL, s->has_address ? &s->address : NULL, &s->ics);
}

static bool is_about(const struct stm_statement *s, const struct cap_interface *interface) {
  if (s->name[0] && strcmp(s->name, interface->name) == 0) return true;
  for (size_t i = 0; s->has_address && i < interface->address_count; i++)
    if (chorus_same_address(&s->address, &interface->addresses[i])) return true;
  return false;
}

static bool is_stated(const struct stm_statements *statements,
                      const struct cap_interface *interface) {
  for (size_t i = 0; statements && i < statements->count; i++)
    if (is_about(&statements->list[i], interface)) return true;
  return false;
}

/* Takes the statement of the capture's node, where it is to be had and nobody else states it. */
static void state_node(struct judge *judge, const struct run_companions *companions,
                       const struct cap_interface *interface, uint32_t node) {
  struct stm_statements found;
  char place[100];
  if (!interface->comment || !interface->name[0] || !interface->address_count) return;
  if (!stm_recognise(interface->comment, interface->comment_length)) return;
  if (is_stated(companions->statements, interface)) return;
  snprintf(place, sizeof place, "statement of interface %s", interface->name);
  if (!stm_parse(&found, place, interface->comment, interface->comment_length, companions->errors))
    return;
  for (size_t i = 0; i < found.count; i++)
    if (is_about(&found.list[i], interface)) jdg_set_ics(judge, node, &found.list[i].ics);
  stm_free(&found);
}

/* ---- packets and events ---- */

static uint32_t node_called(const struct judge *judge, const char *name) {
  for (uint32_t i = 0; i < jdg_node_count(judge); i++)
    if (strcmp(jdg_node_name(judge, i), name) == 0) return i;
  return UINT32_MAX;
}

static size_t add_interfaces(struct judge *judge, const struct cap_reader *reader, size_t known,
                             const struct run_companions *companions) {
  size_t now = jdg_add_interfaces(judge, reader, known);
  for (; known < now; known++) {
    const struct cap_interface *interface = cap_interface_get(reader, (uint32_t)known);
    uint32_t node = node_called(judge, interface->name);
    if (node != UINT32_MAX) state_node(judge, companions, interface, node);
  }
  return now;
}

static size_t feed_events(struct judge *judge, const struct evt_log *log, size_t next,
                          chorus_time before) {
  for (; log && next < log->count && log->list[next].time < before; next++) {
    uint32_t node = node_called(judge, log->list[next].node);
    if (node != UINT32_MAX) jdg_event(judge, node, log->list[next].time, &log->list[next].event);
  }
  return next;
}

static enum cap_status feed(struct judge *judge, struct cap_reader *reader,
                            const struct run_companions *companions, chorus_time *last) {
  const struct evt_log *log = companions->log;
  const struct cap_packet *packet;
  enum cap_status status;
  size_t known = 0, next = 0;
  while ((status = cap_next_in_order(reader, &packet)) == CAP_OK) {
    known = add_interfaces(judge, reader, known, companions);
    next = feed_events(judge, log, next, packet->time);
    jdg_packet(judge, packet);
    if (packet->time > *last) *last = packet->time;
  }
  add_interfaces(judge, reader, known, companions);
  feed_events(judge, log, next, CHORUS_NEVER);
  if (log && log->count && log->list[log->count - 1].time > *last)
    *last = log->list[log->count - 1].time;
  return status;
}

static void add_statements(struct judge *judge, const struct stm_statements *statements) {
  for (size_t i = 0; statements && i < statements->count; i++)
    add_statement(judge, &statements->list[i]);
}

enum cap_status run_judge_reader(struct judge *judge, struct cap_reader *reader,
                                 const struct run_companions *companions) {
  chorus_time last = 0;
  add_statements(judge, companions->statements);
  enum cap_status status = feed(judge, reader, companions, &last);
  jdg_finish(judge, cap_end(reader) > last ? cap_end(reader) : last);
  return status;
}

enum cap_status run_judge_capture(struct judge *judge, const char *path,
                                  const struct run_companions *companions, char *message,
                                  size_t size) {
  enum cap_status status;
  struct cap_reader *reader = cap_open(path, &status, message, size);
  if (!reader) return status;
  status = run_judge_reader(judge, reader, companions);
  if (status != CAP_END) snprintf(message, size, "%s", cap_message(reader));
  cap_close(reader);
  return status;
}
