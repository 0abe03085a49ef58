/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/text.h"

#include <stdio.h>

const char *rule_token_text(const uint8_t *token, size_t length, char *text) {
  if (length == 0) return "(empty)";
  text[0] = '\0';
  for (size_t i = 0; i < length && i < 8; i++) snprintf(text + 2 * i, 3, "%02x", token[i]);
  return text;
}
