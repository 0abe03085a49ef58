/* SPDX-License-Identifier: BSD-2-Clause */
#include "reassembly.h"

#define UNIT     8u
#define BODY_MAX 65535u

void emu_reassembly_init(struct emu_reassembly *r, struct emu_pool *pool, uint32_t limit) {
  r->pool = pool;
  r->limit = limit;
  emu_store_init(&r->partials, sizeof(struct emu_partial));
}

void emu_reassembly_free(struct emu_reassembly *r) {
  emu_store_free(&r->partials);
}

static bool same_datagram(const struct emu_ip *a, const struct emu_ip *b) {
  return a->identification == b->identification && a->protocol == b->protocol && a->v4 == b->v4 &&
         chorus_same_address(&a->source, &b->source) &&
         chorus_same_address(&a->destination, &b->destination);
}

/* The datagram that a fragment belongs to, or EMU_STORE_NONE; |*count| is set to all there are. */
static uint32_t find(const struct emu_reassembly *r, uint32_t first, const struct emu_ip *ip,
                     uint32_t *count) {
  uint32_t found = EMU_STORE_NONE;
  *count = 0;
  for (uint32_t i = first; i != EMU_STORE_NONE; i = emu_reassembly_at(r, i)->next) {
    if (same_datagram(&emu_reassembly_at(r, i)->ip, ip)) found = i;
    ++*count;
  }
  return found;
}

static void drop_buffers(struct emu_reassembly *r, struct emu_partial *p) {
  emu_buffer_unref(r->pool, p->body);
  emu_buffer_unref(r->pool, p->units);
  emu_buffer_unref(r->pool, p->parts);
  p->body = p->units = p->parts = NULL;
}

static bool new_buffers(struct emu_reassembly *r, struct emu_partial *p) {
  p->body = emu_buffer_new(r->pool, 2048);
  p->units = emu_buffer_new(r->pool, (BODY_MAX / UNIT + 8) / 8);
  p->parts = emu_buffer_new(r->pool, 0);
  if (p->body && p->units && p->parts) return true;
  drop_buffers(r, p);
  return false;
}

static uint32_t start(struct emu_reassembly *r, uint32_t *first, uint32_t receiver,
                      const struct emu_ip *ip) {
  bool fresh = r->partials.free == EMU_STORE_NONE;
  uint32_t index = emu_store_new(&r->partials);
  if (index == EMU_STORE_NONE) return index;
  struct emu_partial *p = emu_reassembly_at(r, index);
  uint32_t generation =
      fresh ? 0 : p->generation + 1; /* a timer of the one before must not match */
  *p = (struct emu_partial){
      .next = *first, .generation = generation, .receiver = receiver, .ip = *ip};
  if (!new_buffers(r, p)) {
    emu_store_delete(&r->partials, index);
    return EMU_STORE_NONE;
  }
  memset(p->units->data, 0, p->units->length);
  *first = index;
  return index;
}

/* Makes room for |length| octets in a buffer that holds |used|. */
static bool grow(struct emu_reassembly *r, struct emu_buffer **buffer, uint32_t used,
                 uint32_t length) {
  if ((*buffer)->capacity >= length) return true;
  struct emu_buffer *bigger = emu_buffer_new(r->pool, length);
  if (!bigger) return false;
  memcpy(bigger->data, (*buffer)->data, used);
  bigger->length = (*buffer)->length;
  emu_buffer_unref(r->pool, *buffer);
  *buffer = bigger;
  return true;
}

static bool note_part(struct emu_reassembly *r, struct emu_partial *p, uint64_t id) {
  uint32_t used = p->parts->length;
  if (!grow(r, &p->parts, used, used + (uint32_t)sizeof id)) return false;
  memcpy(p->parts->data + used, &id, sizeof id);
  p->parts->length = used + (uint32_t)sizeof id;
  return true;
}

static bool has_unit(const struct emu_partial *p, uint32_t unit) {
  return p->units->data[unit / 8] >> (unit % 8) & 1;
}

/* Units of the fragment that have come already. */
static uint32_t known_units(const struct emu_partial *p, const struct emu_ip *ip) {
  uint32_t known = 0;
  for (uint32_t unit = ip->offset / UNIT; unit * UNIT < ip->offset + ip->length; unit++)
    known += has_unit(p, unit);
  return known;
}

static bool is_duplicate(const struct emu_partial *p, const struct emu_ip *ip, uint32_t known) {
  if (known * UNIT < ip->length) return false;
  return memcmp(p->body->data + ip->offset, ip->body, ip->length) == 0;
}

/* Whether the fragment contradicts what is known of the datagram's end. */
static bool misfits(const struct emu_partial *p, const struct emu_ip *ip) {
  uint32_t end = ip->offset + ip->length;
  if (!ip->more && p->total != 0 && p->total != end) return true;
  if (!ip->more && p->body->length > end) return true;
  return ip->more && p->total != 0 && end > p->total;
}

static bool copy_part(struct emu_reassembly *r, struct emu_partial *p, const struct emu_ip *ip) {
  uint32_t end = ip->offset + ip->length;
  if (!grow(r, &p->body, p->body->capacity, end)) return false;
  memcpy(p->body->data + ip->offset, ip->body, ip->length);
  for (uint32_t unit = ip->offset / UNIT; unit * UNIT < end; unit++) {
    p->units->data[unit / 8] |= (uint8_t)(1u << (unit % 8));
    p->received++;
  }
  if (p->body->length < end) p->body->length = end;
  if (!ip->more) {
    p->total = end;
    p->unit_total = (end + UNIT - 1) / UNIT;
  }
  return true;
}

static bool is_malformed(const struct emu_ip *ip) {
  if (ip->length == 0 || ip->offset + ip->length > BODY_MAX) return true;
  return ip->more && ip->length % UNIT != 0;
}

/* Adds a fragment to its datagram. */
static enum emu_part_result take(struct emu_reassembly *r, struct emu_partial *p,
                                 const struct emu_ip *ip, uint64_t id) {
  if (!note_part(r, p, id)) return EMU_PART_REFUSED;
  uint32_t known = known_units(p, ip);
  if (known > 0 && is_duplicate(p, ip, known)) return EMU_PART_WAITS;
  if (known > 0 || misfits(p, ip) || !copy_part(r, p, ip)) return EMU_PART_SPOILS;
  bool whole = p->unit_total != 0 && p->received == p->unit_total;
  return whole ? EMU_PART_COMPLETES : EMU_PART_WAITS;
}

enum emu_part_result emu_reassembly_add(struct emu_reassembly *r, uint32_t *first,
                                        uint32_t receiver, const struct emu_ip *ip, uint64_t id,
                                        uint32_t *partial) {
  uint32_t count;
  if (is_malformed(ip)) return EMU_PART_REFUSED;
  *partial = find(r, *first, ip, &count);
  bool starts = *partial == EMU_STORE_NONE;
  if (starts) {
    if (count >= r->limit) return EMU_PART_REFUSED;
    *partial = start(r, first, receiver, ip);
    if (*partial == EMU_STORE_NONE) return EMU_PART_REFUSED;
    emu_reassembly_at(r, *partial)->body->length = 0;
  }
  enum emu_part_result result = take(r, emu_reassembly_at(r, *partial), ip, id);
  if (starts && result == EMU_PART_REFUSED) emu_reassembly_release(r, first, *partial);
  return starts && result == EMU_PART_WAITS ? EMU_PART_STARTS : result;
}

void emu_reassembly_release(struct emu_reassembly *r, uint32_t *first, uint32_t partial) {
  uint32_t *link = first;
  while (*link != partial) link = &emu_reassembly_at(r, *link)->next;
  struct emu_partial *p = emu_reassembly_at(r, partial);
  *link = p->next;
  drop_buffers(r, p);
  emu_store_delete(&r->partials, partial);
}
