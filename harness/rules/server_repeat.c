/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies and repeats of group requests at servers: de-duplication is optional, but has its rules.
 */
#include "rules/checks.h"
#include "rules/server.h"

static bool deduplicates(const struct jdg_host *host) {
  return host->ics.dedup == JDG_YES;
}

/* The server kept its memory since it got the message, and the Message ID is still in use. */
static bool remembered(const struct jdg_look *look, const struct jdg_reception *r) {
  if (r->server->restarted_at && r->server->restarted_at >= r->time) return false;
  return r->group && r->certain && r->bad == JDG_GOOD && !r->duplicate_of_known &&
         look->now < r->time + JDG_NON_LIFETIME;
}

/* A response was withheld: the message was processed, even if no handler ran (4.04, 4.05). */
static void note_suppressed(struct jdg_look *look) {
  if (look->event->type == CHORUS_EVENT_SUPPRESS) jdg_once(look, &look->reception->marks);
}

/* JDG_ON_WINDOW, once: something shows that the server made something of the message. */
static bool processed(struct jdg_look *look) {
  struct jdg_reception *r = look->reception;
  return r->executed || rule_answered(look) || !jdg_once(look, &r->marks);
}

static void executed_again(struct jdg_look *look, const struct jdg_reception *r) {
  jdg_break(look, r->frame, "request executed once, for the server de-duplicates",
            "request %s mid=0x%04x executed %u times", r->request ? r->request->path : "", r->mid,
            r->executed);
}

/*
 * GC-2.3.1-03: messages are told apart by source endpoint and Message ID together. A request that
 * has only its Message ID in common with another one is no copy of it.
 */
#define SAME_MID_MEMORY 32u

struct same_mid {
  struct chorus_endpoint source;
  uint64_t digest; /* of the request */
  chorus_time time;
  uint16_t mid;
  bool executed;
};

struct mid_state {
  struct same_mid entries[SAME_MID_MEMORY];
  unsigned next;
};

static struct same_mid *own_entry(struct mid_state *state, const struct jdg_reception *r) {
  for (unsigned i = 0; i < SAME_MID_MEMORY; i++) {
    struct same_mid *e = &state->entries[i];
    if (e->source.port && e->mid == r->mid && chorus_same_endpoint(&e->source, &r->source))
      return e;
  }
  return NULL;
}

/* The same request with the same Message ID of another endpoint, executed, and before this one. */
static bool executed_for_another(const struct mid_state *state, const struct jdg_reception *r) {
  for (unsigned i = 0; i < SAME_MID_MEMORY; i++) {
    const struct same_mid *e = &state->entries[i];
    if (!e->executed || e->mid != r->mid || chorus_same_endpoint(&e->source, &r->source)) continue;
    if (e->digest == r->request->digest && e->time <= r->time &&
        r->time - e->time < JDG_NON_LIFETIME)
      return true;
  }
  return false;
}

static void note_mid(struct jdg_look *look, struct mid_state *state) {
  const struct jdg_reception *r = look->reception;
  if (look->copy || !r->request || !r->group || !r->certain || r->bad != JDG_GOOD) return;
  struct same_mid *e = own_entry(state, r);
  if (!e) e = &state->entries[state->next++ % SAME_MID_MEMORY];
  *e = (struct same_mid){r->source, r->request->digest, r->time, r->mid, false};
}

static void executed_by_mid(struct jdg_look *look, struct mid_state *state) {
  const struct jdg_reception *r = look->reception;
  if (!r || !r->request) return;
  note_suppressed(look);
  if (look->event->type != CHORUS_EVENT_EXECUTE) return;
  struct same_mid *e = own_entry(state, r);
  if (e) e->executed = true;
  if (deduplicates(look->host) && remembered(look, r) && r->executed > 1) executed_again(look, r);
}

/* Another client's request with the same Message ID was executed; this one has to be, too. */
static void foreign_mid(struct jdg_look *look, const struct mid_state *state) {
  const struct jdg_reception *r = look->reception;
  if (!r->request || !look->host->has_events || !remembered(look, r)) return;
  if (!executed_for_another(state, r)) return;
  if (jdg_member(look, look->host, &r->destination) == JDG_NO) return;
  if (processed(look))
    jdg_pass(look);
  else
    jdg_break(look, r->frame, "request processed, although another client used its Message ID",
              "request %s mid=0x%04x not processed", r->request->path, r->mid);
}

static void copy_dropped(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!deduplicates(look->host) || !look->host->has_events || !remembered(look, r)) return;
  if (r->executed == 1) jdg_pass(look);
}

void rule_gc_2_3_1_03(struct jdg_look *look) {
  struct mid_state *state = jdg_state(look, sizeof *state);
  if (!state) return;
  switch (look->hook) {
    case JDG_ON_REQUEST_RECEIVED:
      note_mid(look, state);
      if (look->copy) copy_dropped(look);
      return;
    case JDG_ON_EVENT: executed_by_mid(look, state); return;
    default: foreign_mid(look, state); return;
  }
}

/*
 * GC-2.3.1-13: a server that de-duplicates does not answer an unchanged repeat with a message of
 * its own. The very same response again is not held against it (RFC 7252, section 4.5).
 */
static void second_response(struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (!jdg_answers_group(look) || look->copy || leg->request->observe != DIS_ABSENT) return;
  /* Answered in the instant of the copy: a restart of that instant is told of only later. */
  if (look->reception && look->reception->last_time == look->now) return;
  char message[96];
  if (leg->responses > leg->receptions)
    jdg_break(look, look->frame, "no second response to an unchanged repeat",
              "response number %u to %u request messages: %s", leg->responses, leg->receptions,
              rule_message(look, message));
}

/* A capture made elsewhere: more answers than the client ever sent messages, some of them twice. */
static void second_response_seen(struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (!jdg_answers_group(look) || look->copy || !deduplicates(look->host)) return;
  const struct jdg_request *q = leg->request;
  if (!q->copies || q->observe != DIS_ABSENT || q->type != DIS_NON) return;
  if (look->now - q->first_time >= JDG_NON_LIFETIME || leg->responses <= 1 + q->repeats) return;
  char message[96];
  jdg_break(look, look->frame, "no second response to an unchanged repeat",
            "response number %u to %u request messages: %s", leg->responses, 1 + q->repeats,
            rule_message(look, message));
}

void rule_gc_2_3_1_13(struct jdg_look *look) {
  if (look->hook == JDG_ON_RESPONSE_SENT && !look->certain) {
    second_response_seen(look);
    return;
  }
  const struct jdg_reception *r = look->reception;
  if (!deduplicates(look->host) || !r || !r->leg || !r->copies || !remembered(look, r)) return;
  switch (look->hook) {
    case JDG_ON_REQUEST_RECEIVED:
      if (look->copy && r->executed <= 1) jdg_pass(look);
      return;
    case JDG_ON_EVENT:
      if (look->event->type == CHORUS_EVENT_EXECUTE && r->executed > 1) executed_again(look, r);
      return;
    default: second_response(look); return;
  }
}

/* GC-2.3.1-15: a repeat with a new Message ID is a message of its own and processed once more. */
static bool is_repeat(const struct jdg_reception *r) {
  return r->leg && r->leg->receptions > 1 && r->leg->received < r->time && r->request->repeats > 0;
}

static void repeat_executed(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (processed(look))
    jdg_pass(look);
  else if (jdg_member(look, look->host, &r->destination) != JDG_NO)
    jdg_break(look, r->frame, "repeat with a new Message ID processed again",
              "repeat of %s mid=0x%04x not processed", r->request->path, r->mid);
}

void rule_gc_2_3_1_15(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r || !r->request) return;
  if (look->hook == JDG_ON_EVENT) {
    note_suppressed(look);
    return;
  }
  if (!is_repeat(r) || !remembered(look, r)) return;
  if (look->host->has_events && r->leg->executed) {
    repeat_executed(look);
    return;
  }
  if (!rule_answer_promised(look)) return;
  struct rule_tries *tries = jdg_state(look, sizeof *tries);
  if (rule_answered(look))
    rule_came(look, tries);
  else
    rule_did_not_come(look, tries, "a response to the repeat with a new Message ID");
}
