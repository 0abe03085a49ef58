/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record of a run: what each node sees goes to the judge and into the capture as the same
 * octets, the emulator's decisions become comments, application events become lines.
 */
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "run/internal.h"
#include "scenario/path.h"

enum { LINKTYPE_RAW = 101, COMMENTS_PER_FRAME = 32 };

/* ---- packets ---- */

static uint64_t record_packet(struct run_record *r, chorus_time now, uint32_t node, uint64_t id,
                              enum dis_direction direction, const uint8_t *data, size_t length) {
  uint64_t frame = ++r->frames;
  if (r->capture) cap_writer_packet(r->capture, node, now, direction, id, data, length);
  struct cap_packet packet = {.frame = frame,
                              .interface = node,
                              .link_type = LINKTYPE_RAW,
                              .time = now,
                              .direction = direction,
                              .packet_id = id,
                              .data = data,
                              .length = length,
                              .original_length = length};
  jdg_packet(r->judge, &packet);
  return frame;
}

/* Events of an instant come after its packets, so they wait until time has moved on. */
static void flush_before(struct run_record *r, chorus_time now) {
  if (r->waiting_count && r->waiting[0].time < now) run_record_flush(r);
}

static struct run_transmission *transmission(struct run_record *r, uint64_t id) {
  if (id >= r->transmission_capacity) {
    size_t capacity = r->transmission_capacity ? r->transmission_capacity : 1024;
    while (capacity <= id) capacity *= 2;
    struct run_transmission *grown = realloc(r->transmissions, capacity * sizeof *grown);
    if (!grown) {
      r->no_memory = true;
      return NULL;
    }
    memset(grown + r->transmission_capacity, 0,
           (capacity - r->transmission_capacity) * sizeof *grown);
    r->transmissions = grown;
    r->transmission_capacity = capacity;
  }
  return &r->transmissions[id];
}

/* ---- the trace ---- */

static bool is_fragment(const uint8_t *packet, size_t length) {
  enum { FRAGMENT_HEADER = 44 };
  if (length < 20) return false;
  if (packet[0] >> 4 == 4) return ((packet[6] & 0x3fu) | packet[7]) != 0;
  return packet[6] == FRAGMENT_HEADER;
}

/* What a kernel says for itself (membership reports) is in the capture, and no message. */
static bool is_housekeeping(const struct dis_frame *f, const uint8_t *packet, size_t length) {
  return f->kind == DIS_FRAME_OTHER && !is_fragment(packet, length);
}

static void describe_packet(const struct dis_frame *f, char *text, size_t size) {
  struct dis_coap m;
  if (f->kind == DIS_FRAME_UDP) {
    dis_coap_parse(&m, f->payload, f->length);
    dis_message_text(&m, text, size);
  } else if (f->kind == DIS_FRAME_ICMP) {
    snprintf(text, size, "ICMP%s type %u code %u", f->icmp_v6 ? "v6" : "", f->icmp_type,
             f->icmp_code);
  } else {
    snprintf(text, size, "%s", f->kind == DIS_FRAME_OTHER ? "IP fragment" : "damaged packet");
  }
}

static uint32_t trace_message(struct run_record *r, chorus_time now, uint32_t node, uint64_t id,
                              uint64_t frame, const struct dis_frame *f) {
  char text[256], to[CHORUS_ENDPOINT_TEXT];
  r->trace_total++;
  if (r->trace_count == RUN_TRACE_MESSAGES) return 0;
  describe_packet(f, text, sizeof text);
  struct run_message *m = &r->trace[r->trace_count++];
  *m = (struct run_message){.frame = frame, .id = id, .time = now, .node = node};
  m->text = strdup(text);
  m->to = strdup(chorus_endpoint_text(&f->destination, to));
  m->deliveries = malloc(RUN_TRACE_DELIVERIES * sizeof *m->deliveries);
  return (uint32_t)r->trace_count;
}

static void trace_delivery(struct run_record *r, uint64_t id, const struct run_delivery *delivery) {
  struct run_transmission *t = transmission(r, id);
  if (!t || !t->message) return;
  struct run_message *m = &r->trace[t->message - 1];
  m->delivery_total++;
  if (m->deliveries && m->delivery_count < RUN_TRACE_DELIVERIES)
    m->deliveries[m->delivery_count++] = *delivery;
}

static void clear_trace(struct run_record *r) {
  for (size_t i = 0; i < r->trace_count; i++) {
    free(r->trace[i].text);
    free(r->trace[i].to);
    free(r->trace[i].deliveries);
  }
  r->trace_count = 0;
  r->trace_total = 0;
}

/* ---- the emulator's calls ---- */

/* The prober is no node of the scenario. */
static bool is_ignored(const struct run_record *r, uint32_t node) {
  return r->closed || node >= r->scenario->node_count;
}

static void on_transmitted(void *context, chorus_time now, uint32_t node, uint64_t id,
                           const uint8_t *packet, size_t length) {
  struct run_record *r = context;
  struct dis_frame f;
  struct dis_coap m;
  if (is_ignored(r, node)) return;
  flush_before(r, now);
  uint64_t frame = record_packet(r, now, node, id, DIS_OUTBOUND, packet, length);
  dis_frame_read(r->sent_fragments, LINKTYPE_RAW, node, now, packet, length, length, &f);
  if (f.kind == DIS_FRAME_UDP) {
    dis_coap_parse(&m, f.payload, f.length);
    struct run_sent sent = {now, frame, node, &f, &m};
    run_expectations_sent(r->expectations, &sent);
    run_sweep_sent(r->sweep, &sent);
    if (r->suts[node]) sut_node_sent(r->suts[node], now, &f.destination, f.payload, f.length);
  }
  if (!r->capture || is_housekeeping(&f, packet, length)) return;
  struct run_transmission *t = transmission(r, id);
  if (t)
    *t = (struct run_transmission){.frame = frame,
                                   .message = trace_message(r, now, node, id, frame, &f)};
}

static void comment_fate(struct run_record *r, uint64_t id, uint32_t receiver, enum emu_fate fate,
                         uint32_t clause) {
  char text[160], line[32] = "";
  struct run_transmission *t = transmission(r, id);
  if (!t || !t->frame || t->comments > COMMENTS_PER_FRAME) return;
  const char *name = receiver < r->scenario->node_count ? r->scenario->nodes[receiver].name : "?";
  if (clause) snprintf(line, sizeof line, "line %u: ", clause);
  if (t->comments++ == COMMENTS_PER_FRAME)
    snprintf(text, sizeof text, "and dropped towards more receivers");
  else
    snprintf(text, sizeof text, "dropped towards %s: %s%s", name, line, run_fate_text(fate));
  cap_writer_comment(r->capture, t->frame, text);
}

static void on_fate(void *context, chorus_time now, uint64_t id, uint32_t receiver,
                    enum emu_fate fate, uint32_t clause) {
  struct run_record *r = context;
  if (!r->capture || fate == EMU_DELIVERED || r->closed) return;
  comment_fate(r, id, receiver, fate, clause);
  struct run_delivery d = {
      .node = receiver, .lost = true, .fate = fate, .clause = clause, .time = now};
  trace_delivery(r, id, &d);
}

static void on_arrived(void *context, chorus_time now, uint32_t node, uint64_t id,
                       const uint8_t *packet, size_t length) {
  struct run_record *r = context;
  struct dis_frame f;
  struct dis_coap m;
  if (is_ignored(r, node)) return;
  flush_before(r, now);
  uint64_t frame = record_packet(r, now, node, id, DIS_INBOUND, packet, length);
  dis_frame_read(r->arrived_fragments, LINKTYPE_RAW, node, now, packet, length, length, &f);
  if (f.kind == DIS_FRAME_UDP) {
    dis_coap_parse(&m, f.payload, f.length);
    run_sweep_arrived(r->sweep, node, &f, &m);
    if (r->suts[node]) sut_node_arrived(r->suts[node], now, &f.source, f.payload, f.length);
  }
  if (!r->capture) return;
  struct run_delivery d = {.node = node, .frame = frame, .time = now};
  trace_delivery(r, id, &d);
}

/* ---- events ---- */

/* Offset of a copy, plus 1. */
static size_t keep(struct run_record *r, const void *data, size_t length) {
  size_t offset = r->text.length;
  if (!data) return 0;
  txt_add(&r->text, data, length);
  txt_add(&r->text, "", 1);
  return offset + 1;
}

static size_t keep_text(struct run_record *r, const char *text) {
  return keep(r, text, text ? strlen(text) : 0);
}

/* Stacks write paths as they like; links stand as they were found. */
static size_t keep_path(struct run_record *r, const struct chorus_event *event) {
  char text[3 * 512];
  const char *path = event->path;
  if (!path || path[0] != '/' || event->type == CHORUS_EVENT_FOLLOW) return keep_text(r, path);
  size_t length = scn_path_compose(path, text, sizeof text);
  return keep(r, text, length < sizeof text ? length : sizeof text - 1);
}

static void on_event(void *context, chorus_time now, uint32_t node,
                     const struct chorus_event *event) {
  struct run_record *r = context;
  if (is_ignored(r, node)) return;
  flush_before(r, now);
  if (r->waiting_count == r->waiting_capacity) {
    size_t capacity = r->waiting_capacity ? 2 * r->waiting_capacity : 64;
    struct run_event_copy *grown = realloc(r->waiting, capacity * sizeof *grown);
    if (!grown) {
      r->no_memory = true;
      return;
    }
    r->waiting = grown;
    r->waiting_capacity = capacity;
  }
  struct run_event_copy *c = &r->waiting[r->waiting_count++];
  *c = (struct run_event_copy){.time = now, .node = node, .event = *event};
  c->request = keep_text(r, event->request);
  c->path = keep_path(r, event);
  c->detail = keep_text(r, event->detail);
  c->payload = keep(r, event->payload, event->payload_length);
}

static const char *kept(const struct run_record *r, size_t offset) {
  return offset ? r->text.data + offset - 1 : NULL;
}

void run_record_flush(struct run_record *r) {
  for (size_t i = 0; i < r->waiting_count; i++) {
    struct run_event_copy *c = &r->waiting[i];
    c->event.request = kept(r, c->request);
    c->event.path = kept(r, c->path);
    c->event.detail = kept(r, c->detail);
    c->event.payload = (const uint8_t *)kept(r, c->payload);
    jdg_event(r->judge, c->node, c->time, &c->event);
    run_expectations_event(r->expectations, c->time, c->node, &c->event);
    run_sweep_event(r->sweep, c->node, &c->event);
    if (r->capture) evt_line(&r->events, c->time, r->scenario->nodes[c->node].name, &c->event);
  }
  r->waiting_count = 0;
  txt_clear(&r->text);
}

/* ---- life ---- */

bool run_record_init(struct run_record *r) {
  *r = (struct run_record){.trace = calloc(RUN_TRACE_MESSAGES, sizeof *r->trace)};
  return r->trace != NULL;
}

void run_record_free(struct run_record *r) {
  if (r->trace) clear_trace(r);
  dis_reassembly_free(r->sent_fragments);
  dis_reassembly_free(r->arrived_fragments);
  free(r->transmissions);
  free(r->waiting);
  free(r->trace);
  txt_free(&r->text);
  txt_free(&r->events);
}

void run_record_begin(struct run_record *r, const struct scn_scenario *scenario,
                      struct judge *judge, struct cap_writer *capture,
                      struct run_expectations *expectations, struct run_sweep *sweep,
                      struct sut_node *const *suts) {
  r->scenario = scenario;
  r->suts = suts;
  r->closed = false;
  r->judge = judge;
  r->capture = capture;
  r->expectations = expectations;
  r->sweep = sweep;
  r->frames = 0;
  r->waiting_count = 0;
  dis_reassembly_free(r->sent_fragments);
  dis_reassembly_free(r->arrived_fragments);
  r->sent_fragments = dis_reassembly_new();
  r->arrived_fragments = dis_reassembly_new();
  r->no_memory = !r->sent_fragments || !r->arrived_fragments;
  txt_clear(&r->text);
  txt_clear(&r->events);
  clear_trace(r);
  if (r->transmissions)
    memset(r->transmissions, 0, r->transmission_capacity * sizeof *r->transmissions);
}

struct emu_observer run_record_observer(struct run_record *r) {
  return (struct emu_observer){.context = r,
                               .transmitted = on_transmitted,
                               .fate = on_fate,
                               .arrived = on_arrived,
                               .event = on_event};
}

const char *run_fate_text(enum emu_fate fate) {
  static const char *const texts[] = {[EMU_DELIVERED] = "delivered",
                                      [EMU_DROPPED_LOSS] = "loss",
                                      [EMU_DROPPED_LIST] = "drop list",
                                      [EMU_DROPPED_QUEUE] = "queue full",
                                      [EMU_DROPPED_CORRUPT] = "corrupted",
                                      [EMU_DROPPED_NO_ROUTE] = "nobody has the address",
                                      [EMU_DROPPED_SCOPE] = "out of scope",
                                      [EMU_DROPPED_CLOSED] = "port closed",
                                      [EMU_DROPPED_REASSEMBLY] = "reassembly",
                                      [EMU_DROPPED_TOO_BIG] = "too big",
                                      [EMU_DROPPED_STOPPED] = "receiver stopped"};
  return fate < EMU_FATE_COUNT && texts[fate] ? texts[fate] : "?";
}
