/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rules are called for a look at the conversation, and what they may ask of it. */
#include <stdio.h>
#include <stdlib.h>

#include "judge/internal.h"

/* ---- what a look has ---- */

#define BLOCK_OPTIONS (UINT64_C(1) << DIS_BLOCK2 | UINT64_C(1) << DIS_BLOCK1)
#define CONTENT       0x45u /* 2.05 */
#define AMPLE_SIZE    152u  /* nobody minds an answer of so many (RFC 9175, section 2.4) */
#define ASSUMED_SIZE  1152u /* octets that fit where nothing is known (RFC 7252, section 4.6) */

static uint64_t type_conditions(const struct dis_coap *m) {
  switch (m->type) {
    case DIS_CON: return JDG_IF_CON;
    case DIS_NON: return JDG_IF_NON;
    case DIS_ACK: return JDG_IF_ACK | JDG_IF_REPLY;
    default: return JDG_IF_REPLY;
  }
}

uint64_t judge_message_conditions(const struct judge *judge) {
  const struct dis_coap *m = &judge->coap;
  const struct dis_frame *f = &judge->frame;
  uint64_t have = type_conditions(m);
  if (m->errors) have |= JDG_IF_BAD;
  if (m->option_count) have |= JDG_IF_OPTIONS;
  if (m->option_mask >> DIS_OBSERVE & 1) have |= JDG_IF_OBSERVE;
  if (m->option_mask & BLOCK_OPTIONS) have |= JDG_IF_BLOCK;
  if (m->odd_options) have |= JDG_IF_ODD;
  if (m->payload) have |= JDG_IF_PAYLOAD;
  if (dis_is_empty(m)) have |= JDG_IF_EMPTY;
  if (!m->token_length || !m->token[0]) have |= JDG_IF_FRAGILE;
  if (m->length > AMPLE_SIZE) have |= JDG_IF_AMPLE;
  if (m->length > ASSUMED_SIZE || f->fragmented) have |= JDG_IF_LARGE;
  if (dis_class(m->code) > 2 || (m->code == CONTENT && !m->payload)) have |= JDG_IF_MEANINGLESS;
  if (judge->to_group || is_group(&f->source)) have |= JDG_IF_ASTRAY;
  if (chorus_is_ipv4(&f->destination)) have |= JDG_IF_IPV4;
  return have;
}

static uint64_t reception_conditions(const struct jdg_reception *r) {
  uint64_t have = ((const struct reception *)r)->conditions;
  const struct jdg_leg *leg = r->leg;
  if (r->copies) have |= JDG_IF_AGAIN;
  if (r->member_known && !r->member) have |= JDG_IF_STRANGER;
  if (!leg || !leg->responses || leg->last_response < r->time) have |= JDG_IF_UNANSWERED;
  return have;
}

static uint64_t arrival_conditions(const struct jdg_arrival *a) {
  uint64_t have = 0;
  if (a->errors || a->culprit) have |= JDG_IF_BAD;
  if (a->type == DIS_CON) have |= JDG_IF_CON;
  if (a->observe != DIS_ABSENT) have |= JDG_IF_OBSERVE;
  if (a->copies) have |= JDG_IF_AGAIN;
  return have;
}

static uint64_t leg_conditions(const struct jdg_leg *leg) {
  uint64_t have = JDG_IF_LEG;
  if (leg->observing) have |= JDG_IF_OBSERVE;
  if (leg->responses == 1) have |= JDG_IF_FIRST;
  if (leg->request->responders > 1) have |= JDG_IF_OTHERS;
  if (leg->request->type == DIS_NON && !leg->request->followups) have |= JDG_IF_TO_NON;
  return have;
}

/* Of a response that was sent. */
static uint64_t answer_conditions(const struct jdg_look *look) {
  if (!jdg_answers_group(look)) return 0;
  const struct chorus_endpoint *group = &look->leg->request->destination;
  bool member = !look->copy && host_member((const struct host *)look->host, group) == JDG_YES;
  return member ? JDG_IF_ANSWER | JDG_IF_MEMBER : JDG_IF_ANSWER;
}

static uint64_t host_conditions(const struct jdg_host *host) {
  uint64_t have = 0;
  if (host->has_events) have |= JDG_IF_EVENTS;
  if (host->ics.declared) have |= JDG_IF_STATED;
  if (host->roles & JDG_CLIENT) have |= JDG_IF_CLIENT;
  if (host->tried) have |= JDG_IF_TRIED;
  return have;
}

/* What is the case, as rules may need it. */
static uint64_t conditions(const struct jdg_look *look) {
  uint64_t have = host_conditions(look->host);
  if (look->group) have |= JDG_IF_GROUP | JDG_IF_TO_GROUP;
  if (look->coap) have |= look->judge->message_conditions;
  if (look->request) {
    have |= ((const struct request *)look->request)->conditions;
    if (look->request->transmissions > 1) have |= JDG_IF_AGAIN;
  }
  if (look->leg) have |= leg_conditions(look->leg);
  if (look->hook == JDG_ON_RESPONSE_SENT) have |= answer_conditions(look);
  if (look->reception) have |= reception_conditions(look->reception);
  if (look->arrival) have |= arrival_conditions(look->arrival);
  if (look->copy) have |= JDG_IF_AGAIN | JDG_IF_COPY;
  if (!(have & JDG_IF_GROUP)) have |= JDG_IF_UNICAST;
  return have | JDG_UNLESS(~have & JDG_NEGATABLE);
}

/* ---- calls ---- */

/* The look has neither message nor request: what its rules need of these is not asked. */
#define BARE JDG_PASSES

static void fill_list(const struct judge *judge, unsigned index, uint64_t lacking,
                      struct call_list *list) {
  uint64_t exact = lacking & ~BARE;
  uint64_t mild = lacking & BARE ? exact & (JDG_IF_EVENTS | JDG_IF_STATED) : exact;
  const struct hook_entry *rows = judge->hook_lists[index];
  struct hook_entry *entry = list->entries;
  uint16_t *pass = list->passes;
  for (size_t i = 0, end; i < judge->hook_counts[index]; i = end) {
    bool called = false, passes = false;
    for (end = i; end < judge->hook_counts[index] && rows[end].check == rows[i].check; end++) {
      bool pass_row = rows[end].needs & JDG_PASSES;
      called |= judge->look_always || (!pass_row && !(rows[end].needs & mild));
      passes |= pass_row && !(rows[end].needs & exact);
    }
    if (called)
      *entry++ = rows[i];
    else if (passes)
      *pass++ = (uint16_t)rows[i].check;
  }
  *list = (struct call_list){lacking, true, list->entries, entry, list->passes, pass};
}

/* Rarely called, and kept out of the way of calls(). */
__attribute__((noinline, cold)) static const struct call_list *make_list(struct judge *judge,
                                                                         unsigned index,
                                                                         uint64_t lacking,
                                                                         struct call_list *list) {
  if (!list->entries) {
    size_t room = judge->check_count + 1;
    list->entries = calloc(room, sizeof *list->entries + sizeof *list->passes);
    list->passes = (uint16_t *)(void *)(list->entries + room);
  }
  if (!list->entries) {
    judge->no_memory = true;
    return NULL;
  }
  fill_list(judge, index, lacking, list);
  return list;
}

/* The rules of hook |index| whose needs are met, or NULL without memory. */
static const struct call_list *calls(struct judge *judge, unsigned index, uint64_t lacking) {
  uint64_t hash = (lacking * UINT64_C(0x9e3779b97f4a7c15)) >> 58;
  struct call_list *list = &judge->call_lists[index][hash & (CALL_LISTS - 1)];
  bool found = list->lacking == lacking && list->made;
  return found ? list : make_list(judge, index, lacking, list);
}

static bool has_passes(struct judge *judge, struct host *host) {
  if (!host->passes) host->passes = calloc(judge->check_count + 1, sizeof *host->passes);
  if (!host->passes) judge->no_memory = true;
  return host->passes;
}

/* Part of both its callers: three times a packet the call itself would count. */
__attribute__((always_inline)) static inline void call_rules(struct judge *judge,
                                                             struct jdg_look *look) {
  unsigned index = (unsigned)__builtin_ctz((unsigned)look->hook);
  uint64_t lacking = ~look->conditions & judge->hook_needs[index];
  if (!look->coap && !look->request) lacking |= BARE;
  const struct call_list *list = calls(judge, index, lacking);
  if (!list) return;
  uint32_t *passes = look->passes;
  for (const uint16_t *check = list->passes, *end = list->passes_end; check < end; check++)
    passes[*check] += passes[*check] != UINT32_MAX;
  for (const struct hook_entry *entry = list->entries, *end = list->entries_end; entry < end;
       entry++) {
    look->check = entry->check;
    entry->look(look);
  }
}

void judge_call(struct judge *judge, struct jdg_look *look, enum jdg_hook hook,
                struct jdg_host *host) {
  if (!host || !host->judged || !has_passes(judge, (struct host *)host)) return;
  look->hook = hook;
  look->host = host;
  look->passes = ((struct host *)host)->passes;
  look->states = ((struct host *)host)->states;
  look->conditions = conditions(look);
  call_rules(judge, look);
}

void judge_call_again(struct judge *judge, struct jdg_look *look, enum jdg_hook hook) {
  if (!look->conditions) {
    judge_call(judge, look, hook, look->host);
    return;
  }
  look->hook = hook;
  call_rules(judge, look);
}

/* ---- what rules ask ---- */

enum jdg_profile jdg_profile_of(const struct jdg_look *look) {
  return look->judge->config.profile;
}
bool jdg_strict_of(const struct jdg_look *look) {
  return look->judge->config.strict;
}

chorus_time jdg_delta(const struct jdg_look *look) {
  const struct jdg_config *config = &look->judge->config;
  if (config->delta) return config->delta;
  return config->real_time ? CHORUS_SECOND : 50 * CHORUS_MILLISECOND;
}

const struct jdg_ics_resource *jdg_resource(const struct jdg_host *host,
                                            const struct jdg_request *request) {
  char path[sizeof request->path];
  if (host->ics.resource_count == 0) return NULL;
  size_t length = strcspn(request->path, "?");
  memcpy(path, request->path, length);
  path[length] = '\0';
  return jdg_ics_find(&host->ics, path);
}

struct jdg_host *jdg_host_of(const struct jdg_look *look, const struct chorus_endpoint *address) {
  struct host *host = host_find(look->judge, address);
  return host ? &host->host : NULL;
}

struct jdg_request *jdg_request_of(const struct jdg_look *look,
                                   const struct chorus_endpoint *source, const uint8_t *token,
                                   size_t token_length) {
  struct request *r = request_find(look->judge, source, token, token_length);
  if (!r) r = request_find_apart(look->judge, source, token, token_length);
  return r ? &r->request : NULL;
}

struct jdg_request *jdg_request_at_other_port(const struct jdg_look *look,
                                              const struct chorus_endpoint *source,
                                              const uint8_t *token, size_t token_length) {
  const struct host *host = host_find(look->judge, source);
  struct jdg_request *latest = NULL;
  for (size_t i = 0; host && i < host->client_port_count; i++) {
    struct chorus_endpoint other = *source;
    other.port = host->client_ports[i];
    if (other.port == source->port) continue;
    struct request *r = request_find(look->judge, &other, token, token_length);
    if (r && (!latest || r->request.last_time > latest->last_time)) latest = &r->request;
  }
  return latest;
}

enum jdg_tristate jdg_member(const struct jdg_look *look, const struct jdg_host *host,
                             const struct chorus_endpoint *group) {
  (void)look;
  return host_member((const struct host *)host, group);
}

const char *jdg_time_text(chorus_time time, char text[32]) {
  snprintf(text, 32, "%llu.%03llu s", (unsigned long long)(time / CHORUS_SECOND),
           (unsigned long long)(time % CHORUS_SECOND / CHORUS_MILLISECOND));
  return text;
}
