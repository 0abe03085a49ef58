/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutants of applications: what is reported is not what came, or what came is not reported. */
#include <stdio.h>

#include "mutants/change.h"

static bool never_done(struct mut_node *n, struct chorus_event *event) {
  (void)n;
  return event->type != CHORUS_EVENT_DONE;
}
MUTATION(never_done, event)

/* A GET that changes something. */
static bool get_toggles(struct mut_node *n, struct chorus_event *event) {
  if (event->type != CHORUS_EVENT_EXECUTE || event->code != 1) return true;
  struct chorus_event state = {.type = CHORUS_EVENT_STATE,
                               .path = event->path,
                               .detail = "request",
                               .payload = (const uint8_t *)"toggled",
                               .payload_length = 7};
  n->host->ops->event(n->host->context, event);
  mut_report(n, &state);
  return false;
}
MUTATION(get_toggles, event)

/* All responses are credited to the request that began first. */
static bool credits_oldest(struct mut_node *n, struct chorus_event *event) {
  char *name = (char *)n->octets;
  bool mine = event->request && name[0] && strcmp(event->request, name) == 0;
  if (event->type == CHORUS_EVENT_REQUEST && event->request && !name[0])
    snprintf(name, sizeof n->octets, "%s", event->request);
  if (event->type == CHORUS_EVENT_DELIVER && name[0]) event->request = name;
  if (event->type == CHORUS_EVENT_DONE && mine) name[0] = '\0';
  return true;
}
MUTATION(credits_oldest, event)

/* ---- responses to a request that is over ---- */

static bool remember_done(struct mut_node *n, struct chorus_event *event) {
  if (event->type != CHORUS_EVENT_DONE || !event->has_message || n->count[0]) return true;
  memcpy(n->octets, event->token, 8);
  n->octets[8] = event->token_length;
  snprintf((char *)n->octets + 9, sizeof n->octets - 9, "%s", event->request ? event->request : "");
  n->count[0] = 1;
  return true;
}

static void deliver_late(struct mut_node *n, struct mut_message *m) {
  if (!mut_is_response(m) || !n->count[0]) return;
  if (n->octets[8] != m->token_length || memcmp(n->octets, m->token, m->token_length) != 0) return;
  struct chorus_event event = {.type = CHORUS_EVENT_DELIVER,
                               .request = (const char *)n->octets + 9,
                               .peer = m->source,
                               .payload = m->payload,
                               .payload_length = m->payload_length,
                               .has_message = true,
                               .group = true,
                               .token_length = m->token_length,
                               .message_type = m->type,
                               .code = m->code,
                               .mid = m->mid};
  memcpy(event.token, m->token, 8);
  mut_report(n, &event);
}

void mut_delivers_after_end(struct mut_change *change) {
  change->event = remember_done;
  change->incoming = deliver_late;
}

/* ---- a cache in front of the group ---- */

static void second_get_lost(struct mut_node *n, struct mut_message *m) {
  if (!mut_is_request(m) || !chorus_is_group(&m->destination) || m->code != 1) return;
  if (n->count[0]++) m->copies = 0;
}

static bool answered_at_once(struct mut_node *n, struct chorus_event *event) {
  if (event->type != CHORUS_EVENT_REQUEST || !event->group || n->count[1]++ == 0) return true;
  struct chorus_event delivery = *event;
  delivery.type = CHORUS_EVENT_DELIVER;
  delivery.code = REF_CODE(2, 5);
  delivery.payload = (const uint8_t *)"cached";
  delivery.payload_length = 6;
  n->host->ops->event(n->host->context, event);
  mut_report(n, &delivery);
  return false;
}

void mut_answered_from_cache(struct mut_change *change) {
  change->outgoing = second_get_lost;
  change->event = answered_at_once;
}
