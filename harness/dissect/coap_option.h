/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside the dissector: how the options that it knows are defined. */
#ifndef CHORUS_DISSECT_COAP_OPTION_H
#define CHORUS_DISSECT_COAP_OPTION_H

#include "dissect/coap.h"

enum option_format { OPTION_EMPTY, OPTION_OPAQUE, OPTION_UINT, OPTION_STRING, OPTION_BLOCK };

struct option_definition {
  uint16_t number;
  uint16_t min_length, max_length; /* octets */
  bool repeatable;
  enum option_format format;
  const char *name;
};

/* NULL: not known. */
const struct option_definition *option_definition_find(uint16_t number);

/* The number in an option of at most 4 octets; of a longer one, its last 4. */
uint32_t option_uint(const struct dis_option *option);

#endif
