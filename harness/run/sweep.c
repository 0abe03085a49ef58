/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The closing sweep: every message of a node under test has to be explained by something that
 * happened before, and no node may keep state that should be gone.
 *
 * A request is explained by the application that made it (same Token), a response by a request that
 * arrived from where it goes (same Token), an Empty message by a message that arrived from there
 * (same Message ID).
 */
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "run/internal.h"

static uint64_t token_key(uint32_t node, const uint8_t *token, size_t length) {
  return run_digest(run_digest_number(1, node), token, length);
}

static uint64_t peer_key(uint32_t node, const struct chorus_endpoint *peer) {
  return run_digest_number(run_digest(run_digest_number(2, node), peer->address, 16), peer->port);
}

static uint64_t asked_key(uint32_t node, const struct chorus_endpoint *peer,
                          const struct dis_coap *m) {
  return run_digest(peer_key(node, peer), m->token, m->token_length);
}

static uint64_t mid_key(uint32_t node, const struct chorus_endpoint *peer, uint16_t mid) {
  return run_digest_number(peer_key(node, peer), mid);
}

static bool judged(const struct run_sweep *s, uint32_t node) {
  return node < s->scenario->node_count && s->scenario->nodes[node].role != SCN_TESTER;
}

static void unexpected(struct run_sweep *s, uint32_t node, uint64_t frame, const char *text) {
  if (s->unexpected++) return;
  s->first_frame = frame;
  snprintf(s->first_text, sizeof s->first_text, "%s sent %s", s->scenario->nodes[node].name, text);
}

void run_sweep_begin(struct run_sweep *s, const struct scn_scenario *scenario) {
  s->scenario = scenario;
  run_set_clear(&s->issued);
  run_set_clear(&s->asked);
  run_set_clear(&s->received);
  s->pending_count = 0;
  s->unexpected = s->leaks = 0;
}

void run_sweep_event(struct run_sweep *s, uint32_t node, const struct chorus_event *event) {
  if (event->type == CHORUS_EVENT_REQUEST || event->type == CHORUS_EVENT_REPEAT)
    run_set_put(&s->issued, token_key(node, event->token, event->token_length), 1);
  if (event->type != CHORUS_EVENT_LEAK || s->leaks++) return;
  snprintf(s->first_leak, sizeof s->first_leak, "%s: %s", s->scenario->nodes[node].name,
           event->detail ? event->detail : "leaked state");
}

/* The event that explains a request may come after it. */
static void wait_for_event(struct run_sweep *s, const struct run_sent *sent, uint64_t key) {
  if (s->pending_count == s->pending_capacity) {
    size_t capacity = s->pending_capacity ? 2 * s->pending_capacity : 64;
    struct run_pending *grown = realloc(s->pending, capacity * sizeof *grown);
    if (!grown) return;
    s->pending = grown;
    s->pending_capacity = capacity;
  }
  struct run_pending *p = &s->pending[s->pending_count++];
  *p = (struct run_pending){.key = key, .frame = sent->frame, .node = sent->node};
  dis_message_text(sent->message, p->text, sizeof p->text);
}

void run_sweep_sent(struct run_sweep *s, const struct run_sent *sent) {
  const struct dis_coap *m = sent->message;
  const struct chorus_endpoint *to = &sent->packet->destination;
  char text[160];
  bool explained = false;
  if (!judged(s, sent->node) || s->scenario->allow_unexpected) return;
  if (!(m->errors & DIS_FORMAT_ERRORS)) {
    uint64_t key = token_key(sent->node, m->token, m->token_length);
    if (dis_is_request(m)) {
      explained = true;
      if (!run_set_get(&s->issued, key)) wait_for_event(s, sent, key);
    } else if (dis_is_response(m)) {
      explained = run_set_get(&s->asked, asked_key(sent->node, to, m)) != 0;
    } else {
      explained = run_set_get(&s->received, mid_key(sent->node, to, m->mid)) != 0;
    }
  }
  if (!explained) unexpected(s, sent->node, sent->frame, dis_message_text(m, text, sizeof text));
}

void run_sweep_arrived(struct run_sweep *s, uint32_t node, const struct dis_frame *packet,
                       const struct dis_coap *m) {
  if (!judged(s, node) || s->scenario->allow_unexpected || m->length < 4) return;
  run_set_put(&s->received, mid_key(node, &packet->source, m->mid), 1);
  if (dis_is_request(m) && m->token_length <= 8)
    run_set_put(&s->asked, asked_key(node, &packet->source, m), 1);
}

void run_sweep_end(struct run_sweep *s, struct run_items *items) {
  for (size_t i = 0; i < s->pending_count; i++) {
    const struct run_pending *p = &s->pending[i];
    if (!run_set_get(&s->issued, p->key)) unexpected(s, p->node, p->frame, p->text);
  }
  struct run_item packets = {
      .kind = RUN_SWEEP, .verdict = JDG_PASS, .text = "no packet that nothing explains"};
  if (s->unexpected) {
    packets.verdict = JDG_FAIL;
    packets.frame = s->first_frame;
    packets.expected = "none";
    packets.actual = scn_print(items->arena, "%llu; the first: %s",
                               (unsigned long long)s->unexpected, s->first_text);
  }
  struct run_item leaks = {.kind = RUN_SWEEP, .verdict = JDG_PASS, .text = "no state left behind"};
  if (s->leaks) {
    leaks.verdict = JDG_FAIL;
    leaks.expected = "none";
    leaks.actual =
        scn_print(items->arena, "%llu; the first: %s", (unsigned long long)s->leaks, s->first_leak);
  }
  if (!s->scenario->allow_unexpected) run_item_add(items, &packets);
  run_item_add(items, &leaks);
}

void run_sweep_free(struct run_sweep *s) {
  run_set_free(&s->issued);
  run_set_free(&s->asked);
  run_set_free(&s->received);
  free(s->pending);
}
