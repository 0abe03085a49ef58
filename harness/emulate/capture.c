/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate/capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"

enum { COMMENTS_PER_FRAME = 32 };

/* Where a packet was seen to leave. */
struct transmission {
  uint64_t frame;
  uint32_t comments;
};

struct emulate_capture {
  const struct scn_scenario *topology;
  struct cap_writer *writer;
  struct transmission *transmissions; /* by packet id */
  size_t capacity;
  uint64_t frames;
  bool no_memory;
};

static struct transmission *transmission(struct emulate_capture *c, uint64_t id) {
  if (id < c->capacity) return &c->transmissions[id];
  size_t capacity = c->capacity ? c->capacity : 1024;
  while (capacity <= id) capacity *= 2;
  struct transmission *grown = realloc(c->transmissions, capacity * sizeof *grown);
  if (!grown) {
    c->no_memory = true;
    return NULL;
  }
  memset(grown + c->capacity, 0, (capacity - c->capacity) * sizeof *grown);
  c->transmissions = grown;
  c->capacity = capacity;
  return &c->transmissions[id];
}

static uint64_t take(struct emulate_capture *c, chorus_time now, uint32_t node, uint64_t id,
                     enum dis_direction direction, const uint8_t *packet, size_t length) {
  uint64_t frame = cap_writer_packet(c->writer, node, now, direction, id, packet, length);
  if (frame == 0) c->no_memory = true;
  c->frames++;
  return frame;
}

static void on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                           const uint8_t *packet, size_t length) {
  struct emulate_capture *c = context;
  uint64_t frame = take(c, now, node, id, DIS_OUTBOUND, packet, length);
  struct transmission *t = transmission(c, id);
  if (t) *t = (struct transmission){.frame = frame};
}

static void on_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                       const uint8_t *packet, size_t length) {
  take(context, now, node, id, DIS_INBOUND, packet, length);
}

static void on_fate(void *context, chorus_time now, uint64_t id, uint32_t receiver,
                    enum emu_fate fate, uint32_t clause) {
  struct emulate_capture *c = context;
  char text[160], line[32] = "";
  (void)now;
  if (fate == EMU_DELIVERED) return;
  struct transmission *t = transmission(c, id);
  if (!t || !t->frame || t->comments > COMMENTS_PER_FRAME) return;
  bool known = receiver < c->topology->node_count;
  if (clause) snprintf(line, sizeof line, "line %u: ", (unsigned)clause);
  if (t->comments++ == COMMENTS_PER_FRAME)
    snprintf(text, sizeof text, "and dropped towards more receivers");
  else
    snprintf(text, sizeof text, "dropped%s%s: %s%s", known ? " towards " : "",
             known ? c->topology->nodes[receiver].name : "", line, run_fate_text(fate));
  cap_writer_comment(c->writer, t->frame, text);
}

struct emu_observer emulate_capture_observer(struct emulate_capture *capture) {
  return (struct emu_observer){
      .context = capture, .transmitted = on_transmitted, .fate = on_fate, .arrived = on_arrived};
}

struct emulate_capture *emulate_capture_new(const struct scn_scenario *topology,
                                            const char *comment) {
  struct emulate_capture *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->topology = topology;
  c->writer = cap_writer_new(comment);
  for (size_t i = 0; c->writer && i < topology->node_count; i++) {
    const struct scn_node *node = &topology->nodes[i];
    struct cap_interface_info info = {
        .name = node->name, .addresses = node->addresses, .address_count = node->address_count};
    if (cap_writer_interface(c->writer, &info) == UINT32_MAX) c->no_memory = true;
  }
  if (c->writer) return c;
  free(c);
  return NULL;
}

void emulate_capture_free(struct emulate_capture *capture) {
  if (!capture) return;
  cap_writer_free(capture->writer);
  free(capture->transmissions);
  free(capture);
}

uint64_t emulate_capture_frames(const struct emulate_capture *capture) {
  return capture->frames;
}

enum cap_status emulate_capture_save(const struct emulate_capture *capture, const char *path) {
  enum cap_status status = cap_writer_save(capture->writer, path);
  return status == CAP_OK && capture->no_memory ? CAP_NO_MEMORY : status;
}
