/* SPDX-License-Identifier: BSD-2-Clause */
/* Judging a capture file from its first packet to its last. */
#include <stdio.h>
#include <string.h>

#include "judge/judge.h"

/* Our captures tell the node's role; a tester is never judged. */
static void apply_role(struct judge *judge, uint32_t node, const char *role) {
  if (strcmp(role, "client") == 0) jdg_set_roles(judge, node, JDG_CLIENT);
  if (strcmp(role, "server") == 0) jdg_set_roles(judge, node, JDG_SERVER);
}

/* A named interface with addresses of its own is a node's own view; every other one is a medium. */
size_t jdg_add_interfaces(struct judge *judge, const struct cap_reader *reader, size_t known) {
  for (; known < cap_interface_count(reader); known++) {
    const struct cap_interface *i = cap_interface_get(reader, (uint32_t)known);
    if (!i->name[0] || !i->address_count) continue;
    uint32_t node = UINT32_MAX;
    for (uint32_t n = 0; n < jdg_node_count(judge); n++)
      if (strcmp(jdg_node_name(judge, n), i->name) == 0) node = n;
    if (node == UINT32_MAX)
      node = jdg_add_node(judge, i->name, i->addresses, i->address_count,
                          strcmp(i->description, "tester") != 0);
    if (node == UINT32_MAX) continue;
    apply_role(judge, node, i->description);
    jdg_bind_interface(judge, (uint32_t)known, node);
  }
  return known;
}

enum cap_status jdg_capture(struct judge *judge, const char *path, char *message, size_t size) {
  enum cap_status status;
  struct cap_reader *reader = cap_open(path, &status, message, size);
  if (!reader) return status;
  const struct cap_packet *packet;
  size_t known = 0;
  chorus_time last = 0;
  while ((status = cap_next_in_order(reader, &packet)) == CAP_OK) {
    if (known < cap_interface_count(reader)) known = jdg_add_interfaces(judge, reader, known);
    jdg_packet(judge, packet);
    if (packet->time > last) last = packet->time;
  }
  if (status != CAP_END) snprintf(message, size, "%s", cap_message(reader));
  jdg_finish(judge, cap_end(reader) > last ? cap_end(reader) : last);
  cap_close(reader);
  return status;
}
