/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields as findings print them. */
#ifndef CHORUS_RULES_TEXT_H
#define CHORUS_RULES_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define RULE_TOKEN_TEXT 20

/* A Token of up to 8 octets in hexadecimal, "(empty)" for none; |text| is room for it. */
const char *rule_token_text(const uint8_t *token, size_t length, char *text);

#endif
