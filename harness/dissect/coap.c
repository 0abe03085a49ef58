/* SPDX-License-Identifier: BSD-2-Clause */
/* The CoAP message format (RFC 7252, sections 3 and 4.1 to 4.3), and digests of messages. */
#include "dissect/coap.h"

#include <string.h>

#include "dissect/octets.h"

static const uint8_t no_octets[1];

#define OPTION(n) (UINT64_C(1) << (n))
/* Those below 64 that are in daily use. */
#define OPTIONS_KNOWN                                                                              \
  (OPTION(DIS_IF_MATCH) | OPTION(DIS_URI_HOST) | OPTION(DIS_ETAG) | OPTION(DIS_IF_NONE_MATCH) |    \
   OPTION(DIS_OBSERVE) | OPTION(DIS_URI_PORT) | OPTION(DIS_LOCATION_PATH) | OPTION(DIS_URI_PATH) | \
   OPTION(DIS_CONTENT_FORMAT) | OPTION(DIS_MAX_AGE) | OPTION(DIS_URI_QUERY) |                      \
   OPTION(DIS_HOP_LIMIT) | OPTION(DIS_ACCEPT) | OPTION(DIS_LOCATION_QUERY) | OPTION(DIS_BLOCK2) |  \
   OPTION(DIS_BLOCK1) | OPTION(DIS_SIZE2) | OPTION(DIS_PROXY_URI) | OPTION(DIS_PROXY_SCHEME) |     \
   OPTION(DIS_SIZE1))

/* What is wrong with the pair of Type and Code (sections 4.1 to 4.3, table 1). */
static uint32_t code_errors(const struct dis_coap *m) {
  uint32_t errors = 0;
  unsigned class = dis_class(m->code);
  if (class == 1 || class == 6 || class == 7) errors |= DIS_ERROR_CLASS;
  if (m->code == 0 && m->type == DIS_NON) errors |= DIS_ERROR_EMPTY_NON;
  if (m->code != 0 && m->type == DIS_RST) errors |= DIS_ERROR_RST_CODE;
  if (dis_is_request(m) && m->type == DIS_ACK) errors |= DIS_ERROR_ACK_REQUEST;
  return errors;
}

/* Reads the extended form of a delta or length (section 3.1). False: the octets are not there. */
static bool read_extended(uint32_t *value, const uint8_t **at, const uint8_t *end) {
  if (*value < 13) return true;
  size_t octets = *value - 12;
  if ((size_t)(end - *at) < octets) return false;
  *value = octets == 1 ? **at + 13u : be16(*at) + 269u;
  *at += octets;
  return true;
}

static void list_option(struct dis_coap *m, uint32_t number, uint32_t length,
                        const uint8_t *value) {
  if (m->option_count == DIS_MAX_OPTIONS) {
    m->errors |= DIS_ERROR_TOO_MANY;
    return;
  }
  uint64_t bit = number < 64 ? UINT64_C(1) << number : 0;
  m->odd_options |= (m->option_mask & bit) || !(bit & OPTIONS_KNOWN);
  m->option_mask |= bit;
  struct dis_option *option = &m->options[m->option_count++];
  option->number = (uint16_t)number;
  option->length = (uint16_t)length;
  option->value = value;
}

/* Reads one option after |*number|; returns what follows it, or NULL with |errors| set. */
static const uint8_t *read_option(struct dis_coap *m, const uint8_t *at, const uint8_t *end,
                                  uint32_t *number) {
  uint32_t delta = *at >> 4, length = *at & 0x0fu;
  at++;
  if (delta == 15 || length == 15) {
    m->errors |= DIS_ERROR_OPTION_NIBBLE;
    return NULL;
  }
  if (!read_extended(&delta, &at, end) || !read_extended(&length, &at, end) ||
      (size_t)(end - at) < length) {
    m->errors |= DIS_ERROR_OPTION_CUT;
    return NULL;
  }
  *number += delta;
  if (*number > UINT16_MAX) {
    m->errors |= DIS_ERROR_OPTION_NUMBER;
    return NULL;
  }
  list_option(m, *number, length, at);
  return at + length;
}

static void read_options(struct dis_coap *m, const uint8_t *at, const uint8_t *end) {
  uint32_t number = 0;
  while (at < end && *at != 0xff) {
    at = read_option(m, at, end, &number);
    if (!at) return;
  }
  if (at == end) return;
  at++;
  if (at == end) {
    m->errors |= DIS_ERROR_MARKER;
    return;
  }
  m->payload = at;
  m->payload_length = (size_t)(end - at);
}

/* Everything after the four octets of the header. */
static void read_body(struct dis_coap *m, unsigned token_length) {
  if (m->code == 0 && (token_length != 0 || m->length > 4)) m->errors |= DIS_ERROR_EMPTY;
  if (token_length > 8) {
    m->errors |= DIS_ERROR_TOKEN_LENGTH;
    return;
  }
  if (m->length - 4 < token_length) {
    m->errors |= DIS_ERROR_TOKEN_CUT;
    return;
  }
  m->token = m->data + 4;
  m->token_length = (uint8_t)token_length;
  if (m->code != 0) read_options(m, m->token + token_length, m->data + m->length);
}

/* The fields of the header as far as they are there. */
static void read_header(struct dis_coap *m) {
  const uint8_t *p = m->data;
  if (m->length > 0) {
    m->version = p[0] >> 6;
    m->type = (p[0] >> 4) & 3u;
  }
  if (m->length > 1) m->code = p[1];
  if (m->length > 3) m->mid = be16(p + 2);
}

bool dis_coap_parse(struct dis_coap *message, const uint8_t *data, size_t length) {
  struct dis_coap *m = message;
  /* Everything up to the options, which are many and counted. */
  memset(m, 0, offsetof(struct dis_coap, options));
  m->data = length > 0 ? data : no_octets;
  m->length = length;
  m->token = no_octets;
  read_header(m);
  if (length < 4) {
    m->errors = DIS_ERROR_SHORT;
    return false;
  }
  m->errors = code_errors(m);
  read_body(m, m->data[0] & 0x0fu);
  /* What another version means by its octets is unknown: nothing else can be said to be wrong. */
  if (m->version != 1) m->errors = DIS_ERROR_VERSION;
  return m->errors == 0;
}

/* ---- digests ---- */

#define DIGEST_SEED       UINT64_C(0xcbf29ce484222325)
#define DIGEST_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t digest, uint64_t word) {
  digest = (digest ^ word) * DIGEST_MULTIPLIER;
  return digest ^ digest >> 29;
}

/* FNV-1a, eight octets at a time (little-endian on every host), with the length mixed in. */
static uint64_t mix_octets(uint64_t digest, const uint8_t *p, size_t length) {
  digest = mix(digest, length);
  bool long_enough = length >= 8;
  for (; length >= 8; p += 8, length -= 8) digest = mix(digest, le64(p));
  if (length == 0) return digest;
  /* With octets before them, the last ones are the upper part of a word that ends where they do. */
  if (long_enough) return mix(digest, le64(p + length - 8) >> (64 - 8 * length));
  uint64_t rest = 0;
  for (size_t i = 0; i < length; i++) rest |= (uint64_t)p[i] << (8 * i);
  return mix(digest, rest);
}

/* The last step: every bit of the input gets to every bit of the digest. */
static uint64_t finish(uint64_t digest) {
  digest = (digest ^ digest >> 32) * UINT64_C(0xd6e8feb86659fd93);
  return digest ^ digest >> 32;
}

/*
 * There is one encoding only of a list of options (section 3.1: each delta and length has exactly
 * one form), so the octets behind the Token are canonical as they are.
 */
uint64_t dis_digest_request(const struct dis_coap *message) {
  size_t head = 4u + message->token_length;
  if (message->length < head) return dis_digest_datagram(message);
  uint64_t digest = mix(DIGEST_SEED, message->code);
  return finish(mix_octets(digest, message->data + head, message->length - head));
}

uint64_t dis_digest_resource(const struct dis_coap *message) {
  uint64_t digest = DIGEST_SEED;
  for (unsigned i = 0; i < message->option_count; i++) {
    const struct dis_option *option = &message->options[i];
    if (option->number > DIS_URI_QUERY) break;
    if (option->number != DIS_URI_PATH && option->number != DIS_URI_QUERY) continue;
    digest = mix_octets(mix(digest, option->number), option->value, option->length);
  }
  return finish(digest);
}

uint64_t dis_digest_datagram(const struct dis_coap *message) {
  return finish(mix_octets(DIGEST_SEED, message->data, message->length));
}
