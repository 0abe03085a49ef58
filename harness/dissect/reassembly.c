/* SPDX-License-Identifier: BSD-2-Clause */
#include "dissect/reassembly.h"

#include <stdlib.h>

#include "dissect/octets.h"

#define FIRST_BUCKETS ((size_t)64)

/* One datagram. |octets| is followed by one bit per 8 octets: those that have arrived. */
struct entry {
  struct reassembly_key key;
  uint64_t hash;
  chorus_time started;
  struct entry *chain;           /* next in the bucket, or in the list of unused ones */
  struct entry *older, *younger; /* by arrival of the first fragment */
  uint8_t *octets;
  size_t capacity; /* octets, a power of 2 */
  size_t highest;  /* end of the farthest fragment so far */
  size_t total;    /* SIZE_MAX until the last fragment has come */
  size_t units;    /* units of 8 octets that have arrived */
  bool discarded;  /* what still arrives is dropped as well (RFC 5722, section 4) */
  uint8_t protocol, hop_limit;
};

struct dis_reassembly {
  struct entry **buckets;
  size_t bucket_count; /* a power of 2 */
  size_t count;        /* entries in use */
  struct entry *oldest, *youngest;
  struct entry *unused; /* kept with their octets */
  size_t octets;        /* held by all entries */
  uint64_t expired;
};

struct dis_reassembly *dis_reassembly_new(void) {
  struct dis_reassembly *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  r->bucket_count = FIRST_BUCKETS;
  r->buckets = calloc(r->bucket_count, sizeof *r->buckets);
  if (r->buckets) return r;
  free(r);
  return NULL;
}

static void entry_free(struct entry *e) {
  free(e->octets);
  free(e);
}

void dis_reassembly_free(struct dis_reassembly *reassembly) {
  if (!reassembly) return;
  for (struct entry *e = reassembly->oldest, *next; e; e = next) {
    next = e->younger;
    entry_free(e);
  }
  for (struct entry *e = reassembly->unused, *next; e; e = next) {
    next = e->chain;
    entry_free(e);
  }
  free(reassembly->buckets);
  free(reassembly);
}

uint64_t dis_reassembly_expired(const struct dis_reassembly *reassembly) {
  return reassembly->expired;
}

uint64_t dis_reassembly_waiting(const struct dis_reassembly *reassembly) {
  uint64_t waiting = 0;
  for (const struct entry *e = reassembly->oldest; e; e = e->younger) waiting += !e->discarded;
  return waiting;
}

static size_t bitmap_octets(size_t capacity) {
  return (capacity + 63) / 64;
}

static size_t entry_octets(const struct entry *e) {
  return e->capacity ? e->capacity + bitmap_octets(e->capacity) : 0;
}

/* ---- the table ---- */

static uint64_t key_hash(const struct reassembly_key *key) {
  uint8_t octets[sizeof *key];
  memcpy(octets, key, sizeof octets);
  uint64_t hash = 0;
  for (size_t i = 0; i < sizeof octets; i += 8)
    hash = (hash ^ le64(octets + i) ^ hash >> 31) * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ hash >> 32;
}

static struct entry **bucket_of(struct dis_reassembly *r, uint64_t hash) {
  return &r->buckets[hash & (r->bucket_count - 1)];
}

static struct entry *find(struct dis_reassembly *r, const struct reassembly_key *key,
                          uint64_t hash) {
  struct entry *e = *bucket_of(r, hash);
  while (e && (e->hash != hash || memcmp(&e->key, key, sizeof *key) != 0)) e = e->chain;
  return e;
}

/* Twice the buckets. Without memory the chains stay long, which is slower and not wrong. */
static void grow_buckets(struct dis_reassembly *r) {
  struct entry **buckets = calloc(2 * r->bucket_count, sizeof *buckets);
  if (!buckets) return;
  free(r->buckets);
  r->buckets = buckets;
  r->bucket_count *= 2;
  for (struct entry *e = r->oldest; e; e = e->younger) {
    struct entry **bucket = bucket_of(r, e->hash);
    e->chain = *bucket;
    *bucket = e;
  }
}

static void insert(struct dis_reassembly *r, struct entry *e) {
  if (r->count >= r->bucket_count) grow_buckets(r);
  struct entry **bucket = bucket_of(r, e->hash);
  e->chain = *bucket;
  *bucket = e;
  e->older = r->youngest;
  e->younger = NULL;
  *(r->youngest ? &r->youngest->younger : &r->oldest) = e;
  r->youngest = e;
  r->count++;
}

/* Takes |e| out of the table and keeps it, octets included, for the next datagram. */
static void release(struct dis_reassembly *r, struct entry *e) {
  struct entry **at = bucket_of(r, e->hash);
  while (*at != e) at = &(*at)->chain;
  *at = e->chain;
  *(e->older ? &e->older->younger : &r->oldest) = e->younger;
  *(e->younger ? &e->younger->older : &r->youngest) = e->older;
  e->chain = r->unused;
  r->unused = e;
  r->count--;
}

static void give_up(struct dis_reassembly *r, struct entry *e) {
  if (!e->discarded) r->expired++;
  release(r, e);
}

static void expire(struct dis_reassembly *r, chorus_time now) {
  while (r->oldest && now > r->oldest->started && now - r->oldest->started > REASSEMBLY_TIMEOUT)
    give_up(r, r->oldest);
}

static struct entry *start(struct dis_reassembly *r, const struct fragment *f, uint64_t hash) {
  if (r->count >= REASSEMBLY_MAX_DATAGRAMS) give_up(r, r->oldest);
  struct entry *e = r->unused;
  if (e)
    r->unused = e->chain;
  else if (!(e = calloc(1, sizeof *e)))
    return NULL;
  e->key = f->key;
  e->hash = hash;
  e->started = f->time;
  e->highest = 0;
  e->total = SIZE_MAX;
  e->units = 0;
  e->discarded = false;
  e->protocol = e->hop_limit = 0;
  if (e->octets) memset(e->octets + e->capacity, 0, bitmap_octets(e->capacity));
  insert(r, e);
  return e;
}

/* ---- octets ---- */

/* Keeps within REASSEMBLY_MAX_OCTETS, at the cost of unused entries first, then of the oldest. */
static void make_room(struct dis_reassembly *r, const struct entry *except, size_t octets) {
  while (r->octets + octets > REASSEMBLY_MAX_OCTETS) {
    if (!r->unused) {
      if (!r->oldest || r->oldest == except) return;
      give_up(r, r->oldest);
    }
    struct entry *e = r->unused;
    r->unused = e->chain;
    r->octets -= entry_octets(e);
    entry_free(e);
  }
}

/* Makes |e| hold |end| octets. */
static bool reserve(struct dis_reassembly *r, struct entry *e, size_t end) {
  if (end <= e->capacity) return true;
  size_t capacity = 512;
  while (capacity < end) capacity *= 2;
  make_room(r, e, capacity + bitmap_octets(capacity));
  uint8_t *octets = malloc(capacity + bitmap_octets(capacity));
  if (!octets) return false;
  memset(octets + capacity, 0, bitmap_octets(capacity));
  if (e->octets) {
    memcpy(octets, e->octets, e->capacity);
    memcpy(octets + capacity, e->octets + e->capacity, bitmap_octets(e->capacity));
  }
  r->octets -= entry_octets(e);
  free(e->octets);
  e->octets = octets;
  e->capacity = capacity;
  r->octets += entry_octets(e);
  return true;
}

static bool has_unit(const struct entry *e, size_t unit) {
  return (e->octets[e->capacity + unit / 8] >> (unit % 8) & 1) != 0;
}

/* Whether the fragment may be added: nothing of it contradicts what is there. */
static bool overlaps(const struct entry *e, const struct fragment *f) {
  bool known = false, added = false;
  for (size_t at = 0; at < f->length; at += 8) {
    if (!has_unit(e, (f->offset + at) / 8)) {
      added = true;
      continue;
    }
    known = true;
    size_t octets = f->length - at < 8 ? f->length - at : 8;
    if (memcmp(e->octets + f->offset + at, f->data + at, octets) != 0) return true;
  }
  /* IPv6 forbids any overlap but that of a duplicate (RFC 5722; RFC 8200, section 4.5). */
  return known && added && f->key.protocol == REASSEMBLY_IPV6;
}

static void place(struct entry *e, const struct fragment *f) {
  if (f->length > 0) memcpy(e->octets + f->offset, f->data, f->length);
  for (size_t unit = f->offset / 8; unit * 8 < f->offset + f->length; unit++) {
    if (has_unit(e, unit)) continue;
    uint8_t *map = &e->octets[e->capacity + unit / 8];
    *map = (uint8_t)(*map | 1u << (unit % 8));
    e->units++;
  }
  if (f->offset != 0) return;
  e->protocol = f->protocol;
  e->hop_limit = f->hop_limit;
}

/* Takes note of where the fragment ends. False: that contradicts the others. */
static bool agree_on_end(struct entry *e, const struct fragment *f) {
  size_t end = f->offset + f->length;
  if (end > 65535 || (f->more && f->length % 8 != 0)) return false;
  if (!f->more && e->total != SIZE_MAX && e->total != end) return false;
  if (!f->more && end < e->highest) return false;
  if (end > e->total) return false;
  if (!f->more) e->total = end;
  if (end > e->highest) e->highest = end;
  return true;
}

static enum reassembly_status discard(struct dis_reassembly *r, struct entry *e) {
  /* An IPv4 identification comes round too soon to refuse it for a minute. */
  e->discarded = true;
  if (e->key.protocol != REASSEMBLY_IPV6) release(r, e);
  return REASSEMBLY_OVERLAP;
}

enum reassembly_status reassembly_add(struct dis_reassembly *reassembly,
                                      const struct fragment *fragment, struct reassembled *whole) {
  struct dis_reassembly *r = reassembly;
  const struct fragment *f = fragment;
  expire(r, f->time);
  uint64_t hash = key_hash(&f->key);
  struct entry *e = find(r, &f->key, hash);
  if (e && e->discarded) return REASSEMBLY_OVERLAP;
  if (!e) e = start(r, f, hash);
  if (!e) return REASSEMBLY_MEMORY;
  if (!agree_on_end(e, f)) {
    if (e->units == 0) release(r, e);
    return REASSEMBLY_LENGTH;
  }
  if (!reserve(r, e, f->offset + f->length)) return REASSEMBLY_MEMORY;
  if (overlaps(e, f)) return discard(r, e);
  place(e, f);
  if (e->total == SIZE_MAX || e->units * 8 < e->total) return REASSEMBLY_KEPT;
  *whole = (struct reassembled){e->octets, e->total, e->protocol, e->hop_limit};
  release(r, e);
  return REASSEMBLY_WHOLE;
}
