/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/offline.h"

#include <stdio.h>

static uint32_t node_called(const struct judge *judge, const char *name) {
  for (uint32_t i = 0; i < jdg_node_count(judge); i++)
    if (strcmp(jdg_node_name(judge, i), name) == 0) return i;
  return UINT32_MAX;
}

static size_t feed_events(struct judge *judge, const struct run_log *log, size_t next,
                          chorus_time before) {
  for (; next < log->count && log->list[next].time < before; next++) {
    uint32_t node = node_called(judge, log->list[next].node);
    if (node != UINT32_MAX) jdg_event(judge, node, log->list[next].time, &log->list[next].event);
  }
  return next;
}

static enum cap_status feed(struct judge *judge, struct cap_reader *reader,
                            const struct run_log *log, chorus_time *last) {
  struct cap_packet packet;
  enum cap_status status;
  size_t known = 0, next = 0;
  while ((status = cap_next(reader, &packet)) == CAP_OK) {
    known = jdg_add_interfaces(judge, reader, known);
    next = feed_events(judge, log, next, packet.time);
    jdg_packet(judge, &packet);
    if (packet.time > *last) *last = packet.time;
  }
  jdg_add_interfaces(judge, reader, known);
  feed_events(judge, log, next, CHORUS_NEVER);
  if (log->count && log->list[log->count - 1].time > *last) *last = log->list[log->count - 1].time;
  return status;
}

enum cap_status run_judge_capture(struct judge *judge, const char *path, const struct run_log *log,
                                  chorus_time end, char *message, size_t size) {
  enum cap_status status;
  struct cap_reader *reader = cap_open(path, &status, message, size);
  chorus_time last = 0;
  if (!reader) return status;
  status = feed(judge, reader, log, &last);
  if (status != CAP_END) snprintf(message, size, "%s", cap_message(reader));
  jdg_finish(judge, end ? end : last);
  cap_close(reader);
  return status;
}
