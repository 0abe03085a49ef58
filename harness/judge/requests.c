/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of a client endpoint by Token, and the uses of its Message IDs. */
#include "judge/internal.h"

struct request_key {
  const struct chorus_endpoint *source;
  uint64_t token; /* token_word() */
  size_t token_length;
};

static bool same_request(const void *object, const void *key) {
  const struct jdg_request *r = &((const struct request *)object)->request;
  const struct request_key *k = key;
  uint64_t token;
  memcpy(&token, r->token, sizeof token);
  return token == k->token && r->token_length == k->token_length &&
         r->source.port == k->source->port && chorus_same_address(&r->source, k->source);
}

static uint64_t request_hash(uint64_t source_hash, uint64_t token, size_t token_length) {
  return jdg_mix(source_hash ^ token, token_length);
}

static struct request *find_in(const struct judge *judge, const struct jdg_table *table,
                               const struct chorus_endpoint *source, const uint8_t *token,
                               size_t token_length) {
  if (token_length > 8 || !table->used) return NULL;
  struct request_key key = {source, token_word(token, token_length), token_length};
  uint64_t hash = request_hash(hash_of(judge, source), key.token, token_length);
  return jdg_table_find(table, hash, same_request, &key);
}

struct request *request_find(const struct judge *judge, const struct chorus_endpoint *source,
                             const uint8_t *token, size_t token_length) {
  return find_in(judge, &judge->requests, source, token, token_length);
}

struct request *request_find_apart(const struct judge *judge, const struct chorus_endpoint *source,
                                   const uint8_t *token, size_t token_length) {
  return find_in(judge, &judge->apart_requests, source, token, token_length);
}

static struct jdg_table *table_of(struct judge *judge, const struct request *r) {
  return r->apart ? &judge->apart_requests : &judge->requests;
}

static unsigned mids_kept(const struct jdg_request *request) {
  return request->mid_count < JDG_REQUEST_MIDS ? request->mid_count : JDG_REQUEST_MIDS;
}

bool jdg_request_has_mid(const struct jdg_request *request, uint16_t mid) {
  for (unsigned i = 0; i < mids_kept(request); i++)
    if (request->mids[i].mid == mid) return true;
  return false;
}

static const struct jdg_own_mid *own_mid(const struct jdg_request *request, uint16_t mid,
                                         bool followup) {
  for (unsigned i = 0; i < mids_kept(request); i++)
    if (request->mids[i].mid == mid && request->mids[i].followup == followup)
      return &request->mids[i];
  return NULL;
}

chorus_time jdg_request_mid_since(const struct jdg_request *request, uint16_t mid) {
  const struct jdg_own_mid *own = own_mid(request, mid, false);
  return own ? own->first : CHORUS_NEVER;
}

static void add_mid(struct jdg_request *request, uint16_t mid, chorus_time now, bool followup) {
  struct jdg_own_mid *own = (struct jdg_own_mid *)own_mid(request, mid, followup);
  if (own && now - own->first < JDG_EXCHANGE_LIFETIME) return;
  if (!own) own = &request->mids[request->mid_count++ % JDG_REQUEST_MIDS];
  *own = (struct jdg_own_mid){now, mid, followup};
}

static void describe(struct jdg_request *r, const struct dis_coap *m) {
  r->type = m->type;
  r->code = m->code;
  r->digest = dis_digest_request(m);
  r->resource = dis_digest_resource(m);
  r->size = m->length;
  dis_path_text(m, r->path, sizeof r->path);
  r->no_response = dis_option_uint(m, DIS_NO_RESPONSE, 1, &r->no_response_value);
  r->observe = dis_option_uint(m, DIS_OBSERVE, 3, &r->observe_value);
  r->has_query = dis_option_count(m, DIS_URI_QUERY, NULL) > 0;
  r->proxied =
      dis_option_count(m, DIS_PROXY_URI, NULL) || dis_option_count(m, DIS_PROXY_SCHEME, NULL);
  r->oscore = dis_option_count(m, DIS_OSCORE, NULL) > 0;
  r->blockwise = dis_option_count(m, DIS_BLOCK1, NULL) || dis_option_count(m, DIS_BLOCK2, NULL) ||
                 dis_option_count(m, 19, NULL) || dis_option_count(m, 31, NULL);
  r->accept = dis_option_uint(m, DIS_ACCEPT, 2, &r->accept_value);
  r->block2 = dis_option_uint(m, DIS_BLOCK2, 3, &r->block2_value);
  r->elective = m->odd_options && dis_options_unknown_elective(m);
  uint16_t culprit;
  r->rejectable = dis_options_reject(m, &culprit);
  const char *index = "/.well-known/core";
  size_t length = strlen(index);
  r->discovery = m->code == 1 && strncmp(r->path, index, length) == 0 &&
                 (r->path[length] == '\0' || r->path[length] == '?');
}

static uint64_t conditions(const struct jdg_request *r) {
  uint64_t have = destination_conditions(&r->destination);
  if (r->group) have |= JDG_IF_GROUP;
  if (r->no_response != DIS_ABSENT) have |= JDG_IF_NO_RESPONSE;
  if (r->observe != DIS_ABSENT) have |= JDG_IF_OBSERVE;
  if (r->blockwise) have |= JDG_IF_BLOCK;
  if (r->discovery) have |= JDG_IF_DISCOVERY;
  if (r->observe != DIS_ABSENT || r->previous) have |= JDG_IF_SUCCESSOR;
  if (r->destination.port == CHORUS_COAP_PORT) have |= JDG_IF_COAP_PORT;
  return have;
}

/* Takes the request out of the table: another one has its Token now, or it is too old. */
static void retire(struct judge *judge, struct request *r) {
  if (!r->current) return;
  jdg_table_remove(table_of(judge, r), r->hash, r);
  r->current = false;
}

/* What lay before the request's predecessor no longer matters to any rule. */
static void forget_older(struct jdg_request *q) {
  if (q->previous) ((struct request *)q->previous)->generations_after--;
  if (q->group_before) ((struct request *)q->group_before)->generations_after--;
  q->previous = q->group_before = NULL;
}

/* Makes |q| the next request under the Token of |old|. */
static void succeed(struct jdg_request *q, struct request *old) {
  q->previous = &old->request;
  q->group_before = old->request.group ? &old->request : old->request.group_before;
  old->generations_after++;
  if (q->group_before) ((struct request *)q->group_before)->generations_after++;
  forget_older(&old->request);
}

/* |apart|: forged or malformed; kept apart, it never hides the owner's request. */
static struct request *make(struct judge *judge, const struct jdg_look *look,
                            struct jdg_host *client, struct request *previous, bool apart) {
  struct request *r = jdg_pool_take(&judge->request_pool);
  if (!r) {
    judge->no_memory = true;
    return NULL;
  }
  struct jdg_request *q = &r->request;
  const struct dis_coap *m = look->coap;
  q->serial = ++judge->request_serial;
  q->client = client;
  q->source = look->frame_info->source;
  q->destination = look->frame_info->destination;
  r->apart = apart;
  q->spoofed = apart && !m->errors;
  q->group = chorus_is_group(&q->destination);
  q->token_length = copy_token(q->token, m);
  describe(q, m);
  r->last_destination = q->destination;
  q->first_time = q->last_time = look->now;
  q->first_frame = q->last_frame = look->frame;
  q->transmissions = 1;
  q->done_at = CHORUS_NEVER;
  add_mid(q, m->mid, look->now, false);
  if (previous) {
    retire(judge, previous);
    succeed(q, previous);
  }
  r->conditions = conditions(q) | (judge->message_conditions & JDG_IF_ODD);
  r->hash = request_hash(hash_of(judge, &look->frame_info->source),
                         token_word(q->token, q->token_length), q->token_length);
  r->current = true;
  r->last_seen = look->now;
  if (!jdg_table_add(table_of(judge, r), r->hash, r) || jdg_fifo_push(&judge->request_ages, r) != 0)
    judge->no_memory = true;
  return r;
}

/* After the shortest time in which a Token may be free again nobody follows up (seed 2.3.1). */
#define TOKEN_FREE (245 * CHORUS_SECOND)

static enum jdg_relation relate(const struct jdg_request *old, const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  const struct chorus_endpoint *to = &look->frame_info->destination;
  bool same_destination = chorus_same_endpoint(&old->destination, to);
  bool same_message = old->digest == dis_digest_request(m);
  bool same_octets = same_message && old->type == m->type;
  /* In time the Message ID is free again, and says no more that this is the same message. */
  chorus_time life = same_octets ? JDG_EXCHANGE_LIFETIME : JDG_NON_LIFETIME;
  chorus_time since = jdg_request_mid_since(old, m->mid);
  bool known_mid = since != CHORUS_NEVER && look->now - since < life;
  if (same_destination && known_mid) return same_octets ? JDG_COPY : JDG_ALTERED;
  if (same_destination && same_message) return JDG_REPEAT;
  bool same_resource = old->code == m->code && old->resource == dis_digest_resource(m);
  bool free_by_now = look->now - old->last_time > TOKEN_FREE;
  if (old->group && !chorus_is_group(to) && same_resource && !free_by_now) return JDG_FOLLOWUP;
  return JDG_REUSE;
}

static void count(struct jdg_request *r, enum jdg_relation relation, const struct jdg_look *look) {
  r->transmissions++;
  r->copies += relation == JDG_COPY;
  r->repeats += relation == JDG_REPEAT;
  r->followups += relation == JDG_FOLLOWUP;
  ((struct request *)r)->time_before = r->last_time;
  ((struct request *)r)->last_destination = look->frame_info->destination;
  r->last_time = look->now;
  r->last_frame = look->frame;
  add_mid(r, look->coap->mid, look->now, relation == JDG_FOLLOWUP);
}

struct request *request_sent(struct judge *judge, struct jdg_look *look, struct jdg_host *sender) {
  const struct dis_coap *m = look->coap;
  const struct chorus_endpoint *source = &look->frame_info->source;
  bool apart = !host_has(sender, source);
  const struct jdg_table *table = apart ? &judge->apart_requests : &judge->requests;
  struct request *r = find_in(judge, table, source, m->token, m->token_length);
  look->relation = r ? relate(&r->request, look) : JDG_NEW;
  look->gap = r ? look->now - r->request.last_time : 0;
  if (!r || look->relation == JDG_REUSE)
    r = make(judge, look, sender, r, apart);
  else
    count(&r->request, look->relation, look);
  if (r) r->last_seen = look->now;
  look->request = r ? &r->request : NULL;
  return r;
}

/* Whether the message is one of the request's transmissions. */
static bool belongs(const struct request *r, const struct jdg_look *look) {
  return r && (jdg_request_has_mid(&r->request, look->coap->mid) ||
               relate(&r->request, look) != JDG_REUSE);
}

/* The known request that a received message belongs to, or NULL. */
static struct request *known(struct judge *judge, const struct jdg_look *look,
                             struct request *own) {
  const struct dis_coap *m = look->coap;
  const struct chorus_endpoint *source = &look->frame_info->source;
  struct request *apart = request_find_apart(judge, source, m->token, m->token_length);
  struct request *late = own ? (struct request *)own->request.previous : NULL;
  if (belongs(own, look)) return own;
  if (belongs(apart, look)) return apart;
  return late && late->request.digest == dis_digest_request(m) ? late : NULL;
}

struct request *request_received(struct judge *judge, struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  const struct dis_frame *f = look->frame_info;
  struct request *own = request_find(judge, &f->source, m->token, m->token_length);
  struct request *r = known(judge, look, own);
  if (r) {
    r->last_seen = look->now;
    return r;
  }
  struct host *client = host_at(judge, &f->source, f->source_mac, f->mac_length, f->hop_limit);
  /* Whose own view does not show it has not sent it; and what is malformed asks for nothing. */
  bool apart = m->errors || (client && client->host.own_view);
  struct request *previous =
      apart ? request_find_apart(judge, &f->source, m->token, m->token_length) : own;
  return make(judge, look, client ? &client->host : NULL, previous, apart);
}

struct request *request_again(struct judge *judge, struct request *old, chorus_time now) {
  struct request *r = jdg_pool_take(&judge->request_pool);
  if (!r) {
    judge->no_memory = true;
    return NULL;
  }
  /* The transmission just counted for |old| was the first of the new request. */
  r->request = old->request;
  r->apart = old->apart;
  struct jdg_request *q = &r->request;
  q->serial = ++judge->request_serial;
  succeed(q, old);
  q->destination = old->last_destination;
  q->group = chorus_is_group(&q->destination);
  r->conditions = conditions(q) | (old->conditions & JDG_IF_ODD);
  r->last_destination = q->destination;
  q->first_time = q->last_time = now;
  q->first_frame = old->request.last_frame;
  q->transmissions = 1;
  q->copies = q->repeats = q->followups = q->delivered = q->responders = 0;
  q->announced = false;
  q->notified_at = 0;
  q->done_at = CHORUS_NEVER;
  memset(&q->marks, 0, sizeof q->marks);
  old->request.last_time = old->time_before;
  old->request.transmissions--;
  retire(judge, old);
  r->hash = old->hash;
  r->current = true;
  r->last_seen = now;
  if (!jdg_table_add(table_of(judge, r), r->hash, r) || jdg_fifo_push(&judge->request_ages, r) != 0)
    judge->no_memory = true;
  return r;
}

static void free_request(struct judge *judge, struct request *r) {
  retire(judge, r);
  forget_older(&r->request);
  for (struct leg *leg = r->legs, *next; leg; leg = next) {
    next = leg->next_of_request;
    jdg_table_remove(&judge->legs, leg->hash, leg);
    jdg_pool_give(&judge->leg_pool, leg);
  }
  jdg_pool_give(&judge->request_pool, r);
}

#define KEPT_AT_A_TIME 64 /* requests still in use that one round puts back */

void requests_expire(struct judge *judge) {
  for (unsigned kept = 0; kept < KEPT_AT_A_TIME;) {
    struct request *r = jdg_fifo_peek(&judge->request_ages);
    if (!r || r->request.first_time + KEEP_REQUEST > judge->now) return;
    jdg_fifo_pop(&judge->request_ages);
    bool in_use = r->last_seen + KEEP_REQUEST > judge->now || r->generations_after;
    bool waiting = r->request.announced && r->request.done_at == CHORUS_NEVER;
    if (!in_use && !waiting) {
      free_request(judge, r);
    } else {
      if (jdg_fifo_push(&judge->request_ages, r) != 0) judge->no_memory = true;
      kept++;
    }
  }
}

/* ---- Message IDs ---- */

struct mid_key {
  const struct chorus_endpoint *source, *destination; /* destination NULL: any */
  uint16_t mid;
};

static bool same_mid_use(const void *object, const void *key) {
  const struct mid_use *u = object;
  const struct mid_key *k = key;
  if (u->mid != k->mid || !chorus_same_endpoint(&u->source, k->source)) return false;
  return !k->destination || chorus_same_endpoint(&u->use.destination, k->destination);
}

static void drop_from(struct jdg_table *table, uint64_t hash, struct mid_use *use, bool *flag) {
  if (*flag) jdg_table_remove(table, hash, use);
  *flag = false;
}

void mids_expire(struct judge *judge) {
  for (;;) {
    struct mid_use *use = jdg_fifo_peek(&judge->mid_ages);
    if (!use || use->use.time + JDG_EXCHANGE_LIFETIME > judge->now) return;
    jdg_fifo_pop(&judge->mid_ages);
    drop_from(&judge->mid_pairs, use->hash_pair, use, &use->in_pair);
    drop_from(&judge->mid_sources, use->hash_source, use, &use->in_source);
    jdg_pool_give(&judge->mid_pool, use);
  }
}

/* Unicast and group uses of one Message ID by one client endpoint must not overlap (RFC 7252, 8.1).
 */
static bool crosses(const struct mid_use *old, const struct jdg_look *look) {
  if (!old->use.request || old->use.group == look->group) return false;
  chorus_time life = old->use.type == DIS_CON ? JDG_EXCHANGE_LIFETIME : JDG_NON_LIFETIME;
  return look->now - old->use.time < life;
}

void mid_note(struct judge *judge, struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  const struct dis_frame *f = look->frame_info;
  if (m->type != DIS_CON && m->type != DIS_NON) return;
  bool request = dis_is_request(m);
  struct mid_key pair = {&f->source, &f->destination, m->mid};
  uint64_t hash_source = jdg_mix(hash_of(judge, &f->source), m->mid);
  uint64_t hash_pair = jdg_mix(hash_source, hash_of(judge, &f->destination));
  uint64_t digest = look->judge->digest;
  struct mid_use *old = jdg_table_find(&judge->mid_pairs, hash_pair, same_mid_use, &pair);
  if (old && old->use.digest == digest) {
    look->copy = true;
    return;
  }
  if (old) look->mid_clash = &old->use;
  struct mid_key any = {&f->source, NULL, m->mid};
  struct mid_use *other =
      request ? jdg_table_find(&judge->mid_sources, hash_source, same_mid_use, &any) : NULL;
  if (!look->mid_clash && other && crosses(other, look)) look->mid_clash = &other->use;
  struct mid_use *use = jdg_pool_take_unset(&judge->mid_pool);
  if (!use) {
    judge->no_memory = true;
    return;
  }
  zero(use, sizeof *use);
  use->use.sender = look->host;
  use->use.time = look->now;
  use->use.frame = look->frame;
  use->use.digest = digest;
  use->use.destination = f->destination;
  use->use.group = look->group;
  use->use.request = request;
  use->use.type = m->type;
  use->source = f->source;
  use->mid = m->mid;
  use->hash_pair = hash_pair;
  use->hash_source = hash_source;
  /* The old entry leaves the index and lives on until it expires: the look may still point to it.
   */
  if (old) drop_from(&judge->mid_pairs, hash_pair, old, &old->in_pair);
  use->in_pair = jdg_table_add(&judge->mid_pairs, hash_pair, use);
  if (request) {
    if (other) drop_from(&judge->mid_sources, hash_source, other, &other->in_source);
    use->in_source = jdg_table_add(&judge->mid_sources, hash_source, use);
  }
  if (jdg_fifo_push(&judge->mid_ages, use) != 0) judge->no_memory = true;
}
