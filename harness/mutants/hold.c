/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams that a mutated node keeps from the node within for a while. */
#include <stdlib.h>

#include "mutants/change.h"

struct mut_held {
  struct mut_held *next; /* due later, or at the same time and held later */
  chorus_time due;
  struct chorus_datagram datagram;
  uint8_t octets[];
};

static void put_in_line(struct mut_held **line, struct mut_held *held) {
  while (*line && (*line)->due <= held->due) line = &(*line)->next;
  held->next = *line;
  *line = held;
}

/* The node has one deadline, for what is held and for what the node within waits for. */
static void set_deadline(struct mut_node *n) {
  chorus_time held = n->held ? n->held->due : CHORUS_NEVER;
  chorus_time at = held < n->deadline ? held : n->deadline;
  n->host->ops->deadline(n->host->context, at);
}

bool mut_hold(struct mut_node *n, const struct chorus_datagram *d, chorus_time due) {
  struct mut_held *held = malloc(sizeof *held + d->length);
  if (!held) return false;
  *held = (struct mut_held){.due = due, .datagram = *d};
  memcpy(held->octets, d->payload, d->length);
  held->datagram.payload = held->octets;
  put_in_line(&n->held, held);
  set_deadline(n);
  return true;
}

void mut_hold_deadline(struct mut_node *n, chorus_time at) {
  n->deadline = at;
  set_deadline(n);
}

static void hand_in_due(struct mut_node *n) {
  while (n->held && n->held->due <= n->now) {
    struct mut_held *held = n->held;
    n->held = held->next;
    mut_hand_in(n, &held->datagram);
    free(held);
  }
}

void mut_hold_wake(struct mut_node *n) {
  if (n->deadline <= n->now) {
    n->deadline = CHORUS_NEVER;
    n->inner.ops->wake(n->inner.state, n->now);
  }
  hand_in_due(n);
  set_deadline(n);
}

void mut_hold_free(struct mut_node *n) {
  while (n->held) {
    struct mut_held *held = n->held;
    n->held = held->next;
    free(held);
  }
}
