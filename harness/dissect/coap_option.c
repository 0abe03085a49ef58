/* SPDX-License-Identifier: BSD-2-Clause */
/* Option definitions, and what a receiver has to make of them (RFC 7252, sections 5.4 and 5.10). */
#include "dissect/coap_option.h"

#include <string.h>

#include "dissect/coap.h"
#include "dissect/octets.h"

static const struct option_definition definitions[] = {
    {1, 0, 8, true, OPTION_OPAQUE, "If-Match"},          /* RFC 7252, table 4 */
    {3, 1, 255, false, OPTION_STRING, "Uri-Host"},       /* RFC 7252, table 4 */
    {4, 1, 8, true, OPTION_OPAQUE, "ETag"},              /* RFC 7252, table 4 */
    {5, 0, 0, false, OPTION_EMPTY, "If-None-Match"},     /* RFC 7252, table 4 */
    {6, 0, 3, false, OPTION_UINT, "Observe"},            /* RFC 7641, section 2 */
    {7, 0, 2, false, OPTION_UINT, "Uri-Port"},           /* RFC 7252, table 4 */
    {8, 0, 255, true, OPTION_STRING, "Location-Path"},   /* RFC 7252, table 4 */
    {9, 0, 255, false, OPTION_OPAQUE, "OSCORE"},         /* RFC 8613, section 2 */
    {11, 0, 255, true, OPTION_STRING, "Uri-Path"},       /* RFC 7252, table 4 */
    {12, 0, 2, false, OPTION_UINT, "Content-Format"},    /* RFC 7252, table 4 */
    {14, 0, 4, false, OPTION_UINT, "Max-Age"},           /* RFC 7252, table 4 */
    {15, 0, 255, true, OPTION_STRING, "Uri-Query"},      /* RFC 7252, table 4 */
    {16, 1, 1, false, OPTION_UINT, "Hop-Limit"},         /* RFC 8768, section 3 */
    {17, 0, 2, false, OPTION_UINT, "Accept"},            /* RFC 7252, table 4 */
    {19, 0, 3, false, OPTION_BLOCK, "Q-Block1"},         /* RFC 9177, section 4.1 */
    {20, 0, 255, true, OPTION_STRING, "Location-Query"}, /* RFC 7252, table 4 */
    {21, 0, 0, false, OPTION_EMPTY, "EDHOC"},            /* RFC 9668, section 3.1 */
    {23, 0, 3, false, OPTION_BLOCK, "Block2"},           /* RFC 7959, section 2.1 */
    {27, 0, 3, false, OPTION_BLOCK, "Block1"},           /* RFC 7959, section 2.1 */
    {28, 0, 4, false, OPTION_UINT, "Size2"},             /* RFC 7959, section 4 */
    {31, 0, 3, true, OPTION_BLOCK, "Q-Block2"},          /* RFC 9177, section 4.1 */
    {35, 1, 1034, false, OPTION_STRING, "Proxy-Uri"},    /* RFC 7252, table 4 */
    {39, 1, 255, false, OPTION_STRING, "Proxy-Scheme"},  /* RFC 7252, table 4 */
    {60, 0, 4, false, OPTION_UINT, "Size1"},             /* RFC 7252, table 4 */
    {252, 1, 40, false, OPTION_OPAQUE, "Echo"},          /* RFC 9175, section 2.2.1 */
    {258, 0, 1, false, OPTION_UINT, "No-Response"},      /* RFC 7967, section 2 */
    {292, 0, 8, true, OPTION_OPAQUE, "Request-Tag"},     /* RFC 9175, section 3.2.1 */
};

/* Elective, or well-formed and known: most options of most messages. */
static bool is_plain(const struct dis_option *option) {
  if (!dis_option_critical(option->number)) return true;
  bool uri = option->number == DIS_URI_PATH || option->number == DIS_URI_QUERY;
  return uri && option->length <= 255; /* repeatable both */
}

const struct option_definition *option_definition_find(uint16_t number) {
  const size_t count = sizeof definitions / sizeof definitions[0];
  for (size_t i = 0; i < count && definitions[i].number <= number; i++)
    if (definitions[i].number == number) return &definitions[i];
  return NULL;
}

bool dis_option_critical(uint16_t number) {
  return (number & 1u) != 0;
}

bool dis_option_known(uint16_t number) {
  return option_definition_find(number) != NULL;
}

bool dis_option_repeatable(uint16_t number) {
  const struct option_definition *definition = option_definition_find(number);
  return definition && definition->repeatable;
}

bool dis_option_universal(uint16_t number) {
  return number == DIS_URI_HOST || number == DIS_URI_PORT || number == DIS_URI_PATH ||
         number == DIS_URI_QUERY;
}

bool dis_options_unknown_elective(const struct dis_coap *message) {
  bool unknown = false;
  for (unsigned i = 0; i < message->option_count; i++) {
    uint16_t number = message->options[i].number;
    if (dis_option_critical(number)) {
      if (!dis_option_universal(number)) return false;
    } else {
      unknown |= !dis_option_known(number);
    }
  }
  return unknown;
}

unsigned dis_option_count(const struct dis_coap *message, uint16_t number,
                          const struct dis_option **first) {
  unsigned i = 0, count = 0;
  if (first) *first = NULL;
  if (number < 64 && !(message->option_mask >> number & 1)) return 0;
  while (i < message->option_count && message->options[i].number < number) i++;
  /* Options are in the order of their numbers: all occurrences are neighbours. */
  for (; i < message->option_count && message->options[i].number == number; i++, count++)
    if (first && count == 0) *first = &message->options[i];
  return count;
}

uint32_t option_uint(const struct dis_option *option) {
  uint32_t value = 0;
  for (unsigned i = 0; i < option->length; i++) value = value << 8 | option->value[i];
  return value;
}

enum dis_presence dis_option_uint(const struct dis_coap *message, uint16_t number,
                                  unsigned max_length, uint32_t *value) {
  const struct dis_option *option;
  unsigned count = dis_option_count(message, number, &option);
  if (count == 0) return DIS_ABSENT;
  if (count > 1 || option->length > max_length || option->length > 4) return DIS_MALFORMED;
  *value = option_uint(option);
  return DIS_PRESENT;
}

/* Whether option |i| of |message| is one that its receiver cannot recognise. */
static bool unrecognised(const struct dis_coap *message, unsigned i) {
  const struct dis_option *option = &message->options[i];
  const struct option_definition *definition = option_definition_find(option->number);
  if (!definition) return true;
  bool again = i > 0 && message->options[i - 1].number == option->number;
  if (again && !definition->repeatable) return true;
  /* Section 5.4.3 speaks of requests only. */
  if (!dis_is_request(message)) return false;
  return option->length < definition->min_length || option->length > definition->max_length;
}

bool dis_options_reject(const struct dis_coap *message, uint16_t *culprit) {
  for (unsigned i = 0; i < message->option_count; i++) {
    uint16_t number = message->options[i].number;
    if (is_plain(&message->options[i]) || !unrecognised(message, i)) continue;
    if (culprit) *culprit = number;
    return true;
  }
  return false;
}
