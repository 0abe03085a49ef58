/* SPDX-License-Identifier: BSD-2-Clause */
#include "codec.h"

#include <coap3/coap.h>

enum { HEADER = 4, TKL_MAX = 8, MARKER = 0xff };

/* Most Tokens have eight octets, and a fixed length is copied much faster. */
static void copy_token(uint8_t *to, const uint8_t *from, uint8_t length) {
  if (length == TKL_MAX) {
    memcpy(to, from, TKL_MAX);
    return;
  }
  for (uint8_t i = 0; i < length; i++) to[i] = from[i];
}

/* Walks over all options from |at| on; finds the payload. */
static enum ref_fault decode_body(struct ref_message *m, const uint8_t *at, size_t left) {
  uint32_t number = 0;
  m->options = at;
  while (left > 0 && *at != MARKER) {
    coap_option_t option;
    size_t step = coap_opt_parse(at, left, &option);
    if (step == 0 || step > left) return REF_FAULT_OPTION;
    number += option.delta;
    if (number > UINT16_MAX) return REF_FAULT_OPTION;
    at += step;
    left -= step;
  }
  m->options_length = (size_t)(at - m->options);
  if (left == 0) return REF_FAULT_NONE;
  if (left == 1) return REF_FAULT_MARKER;
  m->payload = at + 1;
  m->payload_length = left - 1;
  return REF_FAULT_NONE;
}

enum ref_fault ref_decode(const uint8_t *octets, size_t length, struct ref_message *m) {
  memset(m, 0, sizeof *m);
  if (length < HEADER) return REF_FAULT_SHORT;
  m->has_header = true;
  m->version = octets[0] >> 6;
  m->type = (octets[0] >> 4) & 3u;
  m->code = octets[1];
  m->mid = (uint16_t)(octets[2] << 8 | octets[3]);
  uint8_t token_length = octets[0] & 0x0fu;
  if (m->code == 0) return length == HEADER && token_length == 0 ? REF_FAULT_NONE : REF_FAULT_EMPTY;
  if (token_length > TKL_MAX) return REF_FAULT_TOKEN_LENGTH;
  if (length < (size_t)HEADER + token_length) return REF_FAULT_SHORT;
  m->token_length = token_length;
  copy_token(m->token, octets + HEADER, token_length);
  unsigned class = m->code >> 5;
  if (class == 1 || class == 6 || class == 7) return REF_FAULT_RESERVED_CLASS;
  return decode_body(m, octets + HEADER + token_length, length - HEADER - token_length);
}

void ref_option_first(struct ref_option_walk *walk, const struct ref_message *m) {
  walk->at = m->options;
  walk->left = m->options_length;
  walk->number = 0;
  walk->value = NULL;
  walk->length = 0;
}

bool ref_option_next(struct ref_option_walk *walk) {
  if (walk->left == 0) return false;
  coap_option_t option;
  size_t step = coap_opt_parse(walk->at, walk->left, &option);
  if (step == 0) return false;
  walk->at += step;
  walk->left -= step;
  walk->number += option.delta;
  walk->value = option.value;
  walk->length = option.length;
  return true;
}

uint32_t ref_option_uint(const uint8_t *value, size_t length) {
  uint32_t n = 0;
  for (size_t i = 0; i < length && i < 4; i++) n = n << 8 | value[i];
  return n;
}

bool ref_option_known(const struct ref_option_rule *rules, size_t count,
                      const struct ref_option_walk *walk, uint32_t previous) {
  for (size_t i = 0; i < count; i++) {
    const struct ref_option_rule *rule = &rules[i];
    if (rule->number > walk->number) return false;
    if (rule->number != walk->number) continue;
    if (walk->length < rule->min || walk->length > rule->max) return false;
    return rule->repeatable || previous != walk->number;
  }
  return false;
}

void ref_writer_begin(struct ref_writer *w, uint8_t *octets, size_t capacity, uint8_t type,
                      uint8_t code, uint16_t mid, const uint8_t *token, uint8_t token_length) {
  *w = (struct ref_writer){.octets = octets, .capacity = capacity};
  if (capacity < (size_t)HEADER + token_length) {
    w->overflow = true;
    return;
  }
  octets[0] = (uint8_t)(1u << 6 | (unsigned)type << 4 | token_length);
  octets[1] = code;
  octets[2] = (uint8_t)(mid >> 8);
  octets[3] = (uint8_t)mid;
  copy_token(octets + HEADER, token, token_length);
  w->length = (size_t)HEADER + token_length;
}

void ref_writer_option(struct ref_writer *w, uint16_t number, const void *value, size_t length) {
  if (w->overflow) return;
  static const uint8_t none;
  uint16_t delta = (uint16_t)(number - w->number);
  size_t left = w->capacity - w->length;
  size_t size = coap_opt_encode_size(delta, length);
  if (size > left) {
    w->overflow = true;
    return;
  }
  const uint8_t *octets = length ? value : &none;
  size_t written = coap_opt_encode(w->octets + w->length, left, delta, octets, length);
  if (written == 0) w->overflow = true;
  w->length += written;
  w->number = number;
}

void ref_writer_uint(struct ref_writer *w, uint16_t number, uint32_t value) {
  uint8_t octets[4];
  unsigned length = coap_encode_var_safe(octets, sizeof octets, value);
  ref_writer_option(w, number, octets, length);
}

void ref_writer_payload(struct ref_writer *w, const uint8_t *payload, size_t length) {
  if (w->overflow || length == 0) return;
  if (w->capacity - w->length < length + 1) {
    w->overflow = true;
    return;
  }
  w->octets[w->length++] = MARKER;
  memcpy(w->octets + w->length, payload, length);
  w->length += length;
}

size_t ref_writer_end(const struct ref_writer *w) {
  return w->overflow ? 0 : w->length;
}

void ref_encode_empty(uint8_t octets[4], uint8_t type, uint16_t mid) {
  struct ref_writer w;
  ref_writer_begin(&w, octets, HEADER, type, 0, mid, NULL, 0);
}

bool ref_option_add(struct ref_option_list *list, uint16_t number, const void *value,
                    size_t length) {
  if (list->count == REF_OPTION_LIST_MAX || length > sizeof list->store - list->used) return false;
  list->item[list->count].number = number;
  list->item[list->count].offset = (uint16_t)list->used;
  list->item[list->count].length = (uint16_t)length;
  list->count++;
  if (length) memcpy(list->store + list->used, value, length);
  list->used += length;
  return true;
}

bool ref_option_add_uint(struct ref_option_list *list, uint16_t number, uint32_t value) {
  uint8_t octets[4];
  unsigned length = coap_encode_var_safe(octets, sizeof octets, value);
  return ref_option_add(list, number, octets, length);
}

/* Index of the first item with the lowest number that is >= |from|; count if there is none. */
static size_t lowest_from(const struct ref_option_list *list, uint32_t from) {
  size_t best = list->count;
  for (size_t i = 0; i < list->count; i++) {
    if (list->item[i].number < from) continue;
    if (best == list->count || list->item[i].number < list->item[best].number) best = i;
  }
  return best;
}

void ref_writer_list(struct ref_writer *w, const struct ref_option_list *list) {
  for (uint32_t from = 0;; from++) {
    size_t first = lowest_from(list, from);
    if (first == list->count) return;
    from = list->item[first].number;
    for (size_t i = first; i < list->count; i++)
      if (list->item[i].number == from)
        ref_writer_option(w, (uint16_t)from, list->store + list->item[i].offset,
                          list->item[i].length);
  }
}
