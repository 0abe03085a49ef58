/* SPDX-License-Identifier: BSD-2-Clause */
#include "impair.h"

#include <stdlib.h>

#include "jitter.h"
#include "random.h"

#define DEFAULT_QUEUE_LIMIT 1000u
#define LONGEST_SPREAD      (UINT64_C(1) << 46) /* 19 hours: emu_jitter_draw() is exact up to it */

/* Times at which the packets in a queue leave it, oldest first, in a ring. */
struct departures {
  chorus_time *times;
  uint32_t first, count, capacity;
};

/* State of an impairment for one pair. */
struct pair {
  uint64_t key;     /* of its random streams */
  uint64_t packets; /* seen so far */
  chorus_time busy; /* the queue's line is busy until then */
  struct departures queue;
  bool bad; /* Gilbert-Elliott state */
};

struct emu_rule {
  struct emu_impairment what; /* drop points to our copy */
  uint64_t key;               /* of the random streams, before names are added */
  uint32_t sender, receiver;  /* as given */
  uint32_t next;              /* rule of the same sender and receiver, or EMU_MAP_NONE */
  bool ended;
  uint64_t used;
  struct emu_map pair_index; /* (sender, receiver) -> pairs */
  struct pair *pairs;
  uint32_t pair_count, pair_capacity;
};

void emu_impairments_init(struct emu_impairments *set, uint64_t seed) {
  *set = (struct emu_impairments){.seed = seed};
}

static void free_rule(struct emu_rule *rule) {
  for (uint32_t i = 0; i < rule->pair_count; i++) free(rule->pairs[i].queue.times);
  emu_map_free(&rule->pair_index);
  free(rule->pairs);
  free((void *)(uintptr_t)rule->what.drop);
  free(rule);
}

void emu_impairments_free(struct emu_impairments *set) {
  for (uint32_t i = 0; i < set->count; i++) free_rule(set->rules[i]);
  free(set->rules);
  emu_map_free(&set->first);
  emu_impairments_init(set, set->seed);
}

/* Adding. */

static bool is_valid(const struct emu_impairment *w) {
  const emu_ppm ratios[] = {
      w->loss,      w->gemodel_p, w->gemodel_r, w->gemodel_loss_bad, w->gemodel_loss_good,
      w->duplicate, w->reorder,   w->corrupt};
  for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
    if (ratios[i] > EMU_ALWAYS) return false;
  for (size_t i = 1; i < w->drop_count; i++)
    if (w->drop[i - 1] >= w->drop[i]) return false;
  if (w->jitter > LONGEST_SPREAD || (unsigned)w->jitter_kind > EMU_JITTER_PARETO) return false;
  return !(w->multicast_only && w->unicast_only);
}

/* Number of earlier rules for the same sender and receiver with the same clause. */
static uint64_t occurrence(const struct emu_impairments *set, uint32_t first, uint32_t clause) {
  uint64_t count = 0;
  for (uint32_t i = first; i != EMU_MAP_NONE; i = set->rules[i]->next)
    count += set->rules[i]->what.clause == clause;
  return count;
}

/*
 * Two rules that concern the same pair must not throw the same dice, yet a rule for somebody else
 * must not change ours: the key tells apart clauses, whether a side is EMU_ANY, and repetitions.
 */
static uint64_t rule_key(const struct emu_impairments *set, const struct emu_rule *rule,
                         uint32_t first) {
  uint64_t sides = (rule->sender == EMU_ANY ? 1u : 0u) | (rule->receiver == EMU_ANY ? 2u : 0u);
  uint64_t number = occurrence(set, first, rule->what.clause);
  return emu_key(emu_key(set->seed, rule->what.clause), number << 2 | sides);
}

static struct emu_rule *new_rule(uint32_t sender, uint32_t receiver,
                                 const struct emu_impairment *what) {
  struct emu_rule *rule = calloc(1, sizeof *rule);
  if (!rule) return NULL;
  rule->what = *what;
  rule->what.drop = NULL;
  rule->sender = sender;
  rule->receiver = receiver;
  rule->next = EMU_MAP_NONE;
  if (what->drop_count == 0) return rule;
  uint32_t *drop = malloc(what->drop_count * sizeof *drop);
  if (!drop) {
    free(rule);
    return NULL;
  }
  memcpy(drop, what->drop, what->drop_count * sizeof *drop);
  rule->what.drop = drop;
  return rule;
}

static bool reserve_rule(struct emu_impairments *set) {
  if (set->count < set->capacity) return true;
  uint32_t capacity = set->capacity ? set->capacity * 2 : 8;
  struct emu_rule **rules = realloc(set->rules, capacity * sizeof *rules);
  if (!rules) return false;
  set->rules = rules;
  set->capacity = capacity;
  return true;
}

/* Appends |index| to the chain of the rule's sender and receiver. */
static bool enter_chain(struct emu_impairments *set, const struct emu_rule *rule, uint32_t first,
                        uint32_t index) {
  if (first == EMU_MAP_NONE)
    return emu_map_put(&set->first, emu_map_pair(rule->sender, rule->receiver), index);
  while (set->rules[first]->next != EMU_MAP_NONE) first = set->rules[first]->next;
  set->rules[first]->next = index;
  return true;
}

uint32_t emu_impairments_add(struct emu_impairments *set, uint32_t sender, uint32_t receiver,
                             const struct emu_impairment *impairment) {
  if (!is_valid(impairment) || !reserve_rule(set)) return 0;
  struct emu_rule *rule = new_rule(sender, receiver, impairment);
  if (!rule) return 0;
  uint32_t first = emu_map_get(&set->first, emu_map_pair(sender, receiver));
  rule->key = rule_key(set, rule, first);
  if (!enter_chain(set, rule, first, set->count)) {
    free_rule(rule);
    return 0;
  }
  set->rules[set->count++] = rule;
  set->active++;
  if (sender == EMU_ANY) set->from_any++;
  return set->count;
}

static struct emu_rule *rule_of(const struct emu_impairments *set, uint32_t handle) {
  return handle >= 1 && handle <= set->count ? set->rules[handle - 1] : NULL;
}

void emu_impairments_end(struct emu_impairments *set, uint32_t handle) {
  struct emu_rule *rule = rule_of(set, handle);
  if (!rule || rule->ended) return;
  rule->ended = true;
  set->active--;
  if (rule->sender == EMU_ANY) set->from_any--;
}

uint64_t emu_impairments_used(const struct emu_impairments *set, uint32_t handle) {
  const struct emu_rule *rule = rule_of(set, handle);
  return rule ? rule->used : 0;
}

/* Finding the rules of a pair. */

#define CHAINS 4

/* The chains of rules that may concern a pair: named on both sides, on one, on none. */
struct chains {
  uint32_t next[CHAINS];
};

static struct chains chains_of(const struct emu_impairments *set, uint32_t s, uint32_t r) {
  bool own = s == r;
  return (struct chains){{
      emu_map_get(&set->first, emu_map_pair(s, r)),
      own ? EMU_MAP_NONE : emu_map_get(&set->first, emu_map_pair(s, EMU_ANY)),
      own ? EMU_MAP_NONE : emu_map_get(&set->first, emu_map_pair(EMU_ANY, r)),
      own ? EMU_MAP_NONE : emu_map_get(&set->first, emu_map_pair(EMU_ANY, EMU_ANY)),
  }};
}

/* The next rule in the order of adding that has not ended, or NULL. */
static struct emu_rule *next_rule(const struct emu_impairments *set, struct chains *chains) {
  for (;;) {
    size_t oldest = 0; /* EMU_MAP_NONE is greater than any index */
    for (size_t i = 1; i < CHAINS; i++)
      if (chains->next[i] < chains->next[oldest]) oldest = i;
    if (chains->next[oldest] == EMU_MAP_NONE) return NULL;
    struct emu_rule *rule = set->rules[chains->next[oldest]];
    chains->next[oldest] = rule->next;
    if (!rule->ended) return rule;
  }
}

bool emu_impairments_touch(const struct emu_impairments *set, uint32_t sender, uint32_t receiver) {
  if (set->active == 0) return false;
  struct chains chains = chains_of(set, sender, receiver);
  return next_rule(set, &chains) != NULL;
}

/* State of pairs. */

static struct pair *new_pair(struct emu_rule *rule, const struct emu_passage *p) {
  if (rule->pair_count == rule->pair_capacity) {
    uint32_t capacity = rule->pair_capacity ? rule->pair_capacity * 2 : 4;
    struct pair *pairs = realloc(rule->pairs, capacity * sizeof *pairs);
    if (!pairs) return NULL;
    rule->pairs = pairs;
    rule->pair_capacity = capacity;
  }
  if (!emu_map_put(&rule->pair_index, emu_map_pair(p->sender, p->receiver), rule->pair_count))
    return NULL;
  struct pair *pair = &rule->pairs[rule->pair_count++];
  uint64_t key = emu_key(emu_key(rule->key, p->sender_hash), p->receiver_hash);
  *pair = (struct pair){.key = key};
  return pair;
}

static struct pair *pair_of(struct emu_rule *rule, const struct emu_passage *p) {
  uint32_t i = emu_map_get(&rule->pair_index, emu_map_pair(p->sender, p->receiver));
  return i == EMU_MAP_NONE ? new_pair(rule, p) : &rule->pairs[i];
}

/* The number for |purpose| that belongs to the pair's present packet. */
static uint64_t draw(const struct pair *pair, enum emu_purpose purpose) {
  return emu_random(emu_key(pair->key, (uint64_t)purpose << 32), pair->packets);
}

static bool happens(const struct pair *pair, enum emu_purpose purpose, emu_ppm probability) {
  return probability > 0 && emu_chance(draw(pair, purpose), probability);
}

/* Loss. */

static bool is_listed(const struct emu_impairment *w, uint64_t packet) {
  size_t low = 0, high = w->drop_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (w->drop[middle] == packet) return true;
    if (w->drop[middle] < packet)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

/* A packet meets the state that the one before it left, and leaves a state to the next. */
static bool gemodel_loses(const struct emu_impairment *w, struct pair *pair) {
  if (w->gemodel_p == 0 && w->gemodel_loss_good == 0) return false;
  emu_ppm loss = pair->bad ? w->gemodel_loss_bad : w->gemodel_loss_good;
  emu_ppm change = pair->bad ? w->gemodel_r : w->gemodel_p;
  bool lost = happens(pair, EMU_PURPOSE_GEMODEL_LOSS, loss);
  if (happens(pair, EMU_PURPOSE_GEMODEL_STATE, change)) pair->bad = !pair->bad;
  return lost;
}

static enum emu_fate lose(const struct emu_impairment *w, struct pair *pair) {
  bool listed = is_listed(w, pair->packets);
  bool burst = gemodel_loses(w, pair); /* also for listed packets: the state goes on */
  if (listed) return EMU_DROPPED_LIST;
  if (burst || happens(pair, EMU_PURPOSE_LOSS, w->loss)) return EMU_DROPPED_LOSS;
  return EMU_DELIVERED;
}

/* Rate and queue. */

static bool push_departure(struct departures *queue, chorus_time at) {
  if (queue->count == queue->capacity) {
    uint32_t capacity = queue->capacity ? queue->capacity * 2 : 8;
    chorus_time *times = malloc(capacity * sizeof *times);
    if (!times) return false;
    for (uint32_t i = 0; i < queue->count; i++)
      times[i] = queue->times[(queue->first + i) % queue->capacity];
    free(queue->times);
    *queue = (struct departures){.times = times, .count = queue->count, .capacity = capacity};
  }
  queue->times[(queue->first + queue->count++) % queue->capacity] = at;
  return true;
}

static void forget_departed(struct departures *queue, chorus_time now) {
  while (queue->count > 0 && queue->times[queue->first] <= now) {
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
  }
}

/* Sends a packet of |length| octets, come at |at|, through the queue. False: the queue is full. */
static bool enqueue(const struct emu_impairment *w, struct pair *pair, chorus_time at,
                    uint32_t length, chorus_time *departure) {
  uint32_t limit = w->queue_limit ? w->queue_limit : DEFAULT_QUEUE_LIMIT;
  forget_departed(&pair->queue, at);
  if (pair->queue.count >= limit) return false;
  uint64_t bits = (uint64_t)length * 8;
  uint64_t time = bits * CHORUS_SECOND / w->rate + (bits * CHORUS_SECOND % w->rate != 0);
  *departure = (pair->busy > at ? pair->busy : at) + time;
  if (!push_departure(&pair->queue, *departure)) return false;
  pair->busy = *departure;
  return true;
}

/* Applying. */

static chorus_time delay_of(const struct emu_impairment *w, const struct pair *pair) {
  chorus_time delay = w->delay;
  if (w->jitter) {
    int64_t deviation = emu_jitter_draw(w->jitter_kind, w->jitter, draw(pair, EMU_PURPOSE_JITTER));
    if (deviation < 0 && (chorus_time)-deviation > delay)
      delay = 0;
    else
      delay += (chorus_time)deviation;
  }
  return happens(pair, EMU_PURPOSE_REORDER, w->reorder) ? delay + w->reorder_gap : delay;
}

static bool concerns(const struct emu_impairment *w, const struct emu_passage *p) {
  if (p->now < w->from || (w->to != 0 && p->now >= w->to)) return false;
  return p->group ? !w->unicast_only : !w->multicast_only;
}

static void drop(struct emu_copy *copy, enum emu_fate fate, uint32_t clause) {
  copy->fate = fate;
  copy->clause = clause;
}

/* One copy meets one impairment. Whether anything happened to it. */
static bool apply_to_copy(struct emu_rule *rule, struct pair *pair, const struct emu_passage *p,
                          struct emu_copy *copy) {
  const struct emu_impairment *w = &rule->what;
  pair->packets++;
  enum emu_fate fate = lose(w, pair);
  if (fate != EMU_DELIVERED) {
    drop(copy, fate, w->clause);
    return true;
  }
  chorus_time before = copy->delay;
  if (w->rate) {
    chorus_time departure;
    if (!enqueue(w, pair, p->now + copy->delay, p->length, &departure)) {
      drop(copy, EMU_DROPPED_QUEUE, w->clause);
      return true;
    }
    copy->delay = departure - p->now;
  }
  copy->delay += delay_of(w, pair);
  bool corrupt = happens(pair, EMU_PURPOSE_CORRUPT, w->corrupt);
  if (corrupt) {
    copy->corrupt = true;
    copy->clause = w->clause;
    copy->bit = draw(pair, EMU_PURPOSE_CORRUPT_BIT);
  }
  return corrupt || copy->delay != before;
}

static void apply_rule(struct emu_rule *rule, const struct emu_passage *p,
                       struct emu_outcome *outcome) {
  struct pair *pair = pair_of(rule, p);
  if (!pair) return;
  size_t count = outcome->count; /* copies made here are not counted as packets here */
  for (size_t i = 0; i < count; i++) {
    struct emu_copy *copy = &outcome->copy[i];
    if (copy->fate != EMU_DELIVERED) continue;
    bool changed = apply_to_copy(rule, pair, p, copy);
    if (copy->fate == EMU_DELIVERED && outcome->count < EMU_COPIES &&
        happens(pair, EMU_PURPOSE_DUPLICATE, rule->what.duplicate)) {
      outcome->copy[outcome->count] = *copy;
      outcome->copy[outcome->count++].delay += rule->what.duplicate_gap;
      changed = true;
    }
    rule->used += changed;
  }
}

void emu_impairments_apply(struct emu_impairments *set, const struct emu_passage *passage,
                           struct emu_outcome *outcome) {
  outcome->count = 1;
  outcome->copy[0] = (struct emu_copy){.fate = EMU_DELIVERED};
  if (set->active == 0) return;
  struct chains chains = chains_of(set, passage->sender, passage->receiver);
  for (struct emu_rule *rule; (rule = next_rule(set, &chains));)
    if (concerns(&rule->what, passage)) apply_rule(rule, passage, outcome);
}
