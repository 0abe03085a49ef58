/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Group messages in captures without own views: nobody is seen to receive them. That a host did is
 * inferred when it reacts: with a RST or ACK of the Message ID, or with a response.
 */
#include "judge/internal.h"

struct group_sight {
  struct jdg_reception seen; /* what a reception of it would say */
  uint64_t digest;
  uint64_t hash, hash_latest;
  bool indexed, latest; /* by Message ID; the latest of its source */
};

_Static_assert(sizeof(struct group_sight) <= GROUP_SIGHT_SIZE, "pool objects are large enough");

struct sight_key {
  const struct chorus_endpoint *source;
  uint32_t mid; /* above 65535: any, the latest */
};

static bool same_sight(const void *object, const void *key) {
  const struct jdg_reception *r = &((const struct group_sight *)object)->seen;
  const struct sight_key *k = key;
  return (k->mid > UINT16_MAX || r->mid == k->mid) && chorus_same_endpoint(&r->source, k->source);
}

static uint64_t sight_hash(const struct sight_key *key) {
  return jdg_mix(jdg_mix(4, endpoint_hash(key->source)), key->mid);
}

static struct group_sight *find(const struct judge *judge, const struct chorus_endpoint *source,
                                uint32_t mid) {
  struct sight_key key = {source, mid};
  return jdg_table_find(&judge->group_sights, sight_hash(&key), same_sight, &key);
}

static void drop(struct judge *judge, uint64_t hash, struct group_sight *sight, bool *flag) {
  if (*flag) jdg_table_remove(&judge->group_sights, hash, sight);
  *flag = false;
}

void group_sights_expire(struct judge *judge) {
  for (;;) {
    struct group_sight *sight = jdg_fifo_peek(&judge->group_sight_ages);
    if (!sight || sight->seen.time + JDG_EXCHANGE_LIFETIME > judge->now) return;
    jdg_fifo_pop(&judge->group_sight_ages);
    drop(judge, sight->hash, sight, &sight->indexed);
    drop(judge, sight->hash_latest, sight, &sight->latest);
    jdg_pool_give(&judge->group_sight_pool, sight);
  }
}

static void describe(struct group_sight *sight, const struct jdg_look *look, enum jdg_bad bad) {
  const struct dis_coap *m = look->coap;
  sight->seen = (struct jdg_reception){.source = look->frame_info->source,
                                       .destination = look->frame_info->destination,
                                       .group = true,
                                       .bad = bad,
                                       .errors = m->errors,
                                       .type = m->type,
                                       .code = m->code,
                                       .mid = m->mid,
                                       .size = m->length,
                                       .frame = look->frame,
                                       .time = look->now,
                                       .last_time = look->now,
                                       .window_end = CHORUS_NEVER};
  if (bad == JDG_BAD_OPTION) dis_options_reject(m, &sight->seen.culprit);
  sight->digest = look->judge->digest;
  sight->seen.token_length = copy_token(sight->seen.token, m);
  copy_token_front(sight->seen.token, m);
}

void group_sight_note(struct judge *judge, const struct jdg_look *look, enum jdg_bad bad) {
  const struct chorus_endpoint *source = &look->frame_info->source;
  struct group_sight *old = find(judge, source, look->coap->mid);
  if (old && old->digest == judge->digest) return; /* a copy tells nothing new */
  struct group_sight *sight = jdg_pool_take(&judge->group_sight_pool);
  if (!sight) {
    judge->no_memory = true;
    return;
  }
  describe(sight, look, bad);
  if (old) drop(judge, old->hash, old, &old->indexed);
  struct group_sight *latest = find(judge, source, UINT32_MAX);
  if (latest) drop(judge, latest->hash_latest, latest, &latest->latest);
  sight->hash = sight_hash(&(struct sight_key){source, sight->seen.mid});
  sight->hash_latest = sight_hash(&(struct sight_key){source, UINT32_MAX});
  sight->indexed = jdg_table_add(&judge->group_sights, sight->hash, sight);
  sight->latest = jdg_table_add(&judge->group_sights, sight->hash_latest, sight);
  if (!sight->indexed || !sight->latest || jdg_fifo_push(&judge->group_sight_ages, sight) != 0)
    judge->no_memory = true;
}

/*
 * What a statement says of the group. Events are not asked: they tell of now, the request was sent
 * before.
 */
static void state_membership(const struct host *server, struct jdg_reception *q) {
  enum jdg_tristate member = host_member(server, &q->destination);
  q->member_known = member != JDG_UNKNOWN && !server->membership_events;
  q->member = q->member_known && member == JDG_YES;
}

static struct reception *infer(struct judge *judge, struct jdg_host *server,
                               const struct group_sight *sight) {
  struct reception *r = jdg_pool_take(&judge->reception_pool);
  if (!r) {
    judge->no_memory = true;
    return NULL;
  }
  r->reception = sight->seen;
  r->digest = sight->digest;
  struct jdg_reception *q = &r->reception;
  q->server = server;
  q->certain = true; /* who reacts has received */
  state_membership((const struct host *)server, q);
  struct request *request = request_find(judge, &q->source, q->token, q->token_length);
  struct leg *leg = request ? leg_of(judge, request, server) : NULL;
  q->request = request ? &request->request : NULL;
  q->leg = leg ? &leg->leg : NULL;
  if (leg) leg->latest = r;
  if (leg && leg->leg.receptions == 0) leg->leg.receptions = 1;
  reception_index(judge, r, &q->source);
  return r;
}

struct reception *group_sight_by_mid(struct judge *judge, struct jdg_host *server,
                                     const struct chorus_endpoint *source, uint16_t mid) {
  if (server->own_view) return NULL;
  struct group_sight *sight = find(judge, source, mid);
  return sight ? infer(judge, server, sight) : NULL;
}

struct reception *group_sight_by_request(struct judge *judge, struct jdg_host *server,
                                         const struct jdg_request *request) {
  if (!request->group || !request->mid_count) return NULL;
  uint16_t mid = request->mids[(request->mid_count - 1) % JDG_REQUEST_MIDS].mid;
  return group_sight_by_mid(judge, server, &request->source, mid);
}

const struct jdg_reception *jdg_group_message_of(const struct jdg_look *look,
                                                 const struct chorus_endpoint *source) {
  const struct group_sight *sight = find(look->judge, source, UINT32_MAX);
  return sight ? &sight->seen : NULL;
}

/* A response that no request explains: to the latest group message, if that could not be read. */
struct reception *group_sight_latest(struct judge *judge, struct jdg_host *server,
                                     const struct chorus_endpoint *source, chorus_time since) {
  if (server->own_view) return NULL;
  struct group_sight *sight = find(judge, source, UINT32_MAX);
  chorus_time wait = server->ics.leisure + server->ics.processing;
  if (!sight || sight->seen.bad == JDG_GOOD || judge->now > sight->seen.time + wait) return NULL;
  return sight->seen.time > since ? infer(judge, server, sight) : NULL;
}
