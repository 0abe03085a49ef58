/* SPDX-License-Identifier: BSD-2-Clause */
/* A CoAP server of one resource: GET /hello gets "hello" (RFC 7252). Used by both C examples. */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HELLO_MAX = 64, HELLO_CON = 0, HELLO_NON = 1, HELLO_ACK = 2 };

/* Whether the options are Uri-Path "hello" and nothing else: 0xb5 is option 11 with 5 octets. */
static bool hello_is_path(const uint8_t *at, size_t length) {
  static const uint8_t path[] = {0xb5, 'h', 'e', 'l', 'l', 'o'};
  return length == sizeof path && memcmp(at, path, sizeof path) == 0;
}

/*
 * Writes the response to a request of |length| octets to |out| (HELLO_MAX octets) and returns its
 * length; 0: no response. |mid| is used by responses that are messages of their own.
 */
static size_t hello_answer(const uint8_t *request, size_t length, bool group, uint16_t mid,
                           uint8_t *out) {
  size_t token = length >= 4 ? request[0] & 15u : 0;
  unsigned type = length >= 4 ? request[0] >> 4 & 3u : 0;
  if (length < 4 || request[0] >> 6 != 1 || token > 8 || length < 4 + token) return 0;
  if (request[1] == 0 || request[1] > 31 || type > HELLO_NON) return 0;
  bool known = hello_is_path(request + 4 + token, length - 4 - token), get = request[1] == 1;
  if (group && (type == HELLO_CON || !known || !get)) return 0; /* errors are not for groups */
  bool piggybacked = type == HELLO_CON;
  out[0] = (uint8_t)(0x40u | (piggybacked ? HELLO_ACK : HELLO_NON) << 4 | token);
  out[1] = !known ? 0x84 : get ? 0x45 : 0x85; /* 4.04, 2.05, 4.05 */
  out[2] = piggybacked ? request[2] : (uint8_t)(mid >> 8);
  out[3] = piggybacked ? request[3] : (uint8_t)mid;
  memcpy(out + 4, request + 4, token);
  if (out[1] != 0x45) return 4 + token;
  memcpy(out + 4 + token, "\xffhello", 6);
  return 4 + token + 6;
}

#endif
