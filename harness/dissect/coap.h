/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judge's own strict CoAP dissector (RFC 7252, section 3). It shares no parser with what it
 * judges, allocates nothing, and never reads outside the octets that it is given.
 *
 * A message that breaks the format is still described as far as it can be read: |errors| says how.
 */
#ifndef CHORUS_DISSECT_COAP_H
#define CHORUS_DISSECT_COAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dis_type { DIS_CON = 0, DIS_NON = 1, DIS_ACK = 2, DIS_RST = 3 };

/* Option numbers that the rules name (RFC 7252 5.10, RFC 7641, RFC 7959, RFC 7967, RFC 8613, RFC
 * 9175). */
enum dis_option_number {
  DIS_IF_MATCH = 1,
  DIS_URI_HOST = 3,
  DIS_ETAG = 4,
  DIS_IF_NONE_MATCH = 5,
  DIS_OBSERVE = 6,
  DIS_URI_PORT = 7,
  DIS_LOCATION_PATH = 8,
  DIS_OSCORE = 9,
  DIS_URI_PATH = 11,
  DIS_CONTENT_FORMAT = 12,
  DIS_MAX_AGE = 14,
  DIS_URI_QUERY = 15,
  DIS_HOP_LIMIT = 16,
  DIS_ACCEPT = 17,
  DIS_LOCATION_QUERY = 20,
  DIS_BLOCK2 = 23,
  DIS_BLOCK1 = 27,
  DIS_SIZE2 = 28,
  DIS_PROXY_URI = 35,
  DIS_PROXY_SCHEME = 39,
  DIS_SIZE1 = 60,
  DIS_ECHO = 252,
  DIS_NO_RESPONSE = 258,
  DIS_REQUEST_TAG = 292,
};

/* What is wrong with the format, as a set. */
enum dis_error {
  DIS_ERROR_SHORT = 1u << 0,         /* fewer than 4 octets */
  DIS_ERROR_VERSION = 1u << 1,       /* version is not 1 (section 3: to be ignored) */
  DIS_ERROR_TOKEN_LENGTH = 1u << 2,  /* TKL 9 to 15 */
  DIS_ERROR_TOKEN_CUT = 1u << 3,     /* Token longer than the datagram */
  DIS_ERROR_OPTION_NIBBLE = 1u << 4, /* delta or length nibble 15 outside the payload marker */
  DIS_ERROR_OPTION_CUT = 1u << 5,    /* option runs out of the datagram */
  DIS_ERROR_OPTION_NUMBER = 1u << 6, /* option number above 65535 */
  DIS_ERROR_MARKER = 1u << 7,        /* payload marker without payload */
  DIS_ERROR_EMPTY = 1u << 8,         /* code 0.00 with Token or octets after the Message ID */
  DIS_ERROR_CLASS = 1u << 9,         /* reserved code class 1, 6 or 7 */
  DIS_ERROR_EMPTY_NON = 1u << 10,    /* NON with code 0.00 (section 4.3) */
  DIS_ERROR_RST_CODE = 1u << 11,     /* RST that is not Empty (section 4.2, 4.3) */
  DIS_ERROR_ACK_REQUEST = 1u << 12,  /* ACK that carries a request (section 4.2) */
  DIS_ERROR_TOO_MANY = 1u << 13,     /* more than DIS_MAX_OPTIONS options: the rest not listed */
};
/* The errors that make a message one that cannot be parsed (section 3, 4.1 to 4.3: "message format
 * error"). */
#define DIS_FORMAT_ERRORS                                                                     \
  (DIS_ERROR_SHORT | DIS_ERROR_TOKEN_LENGTH | DIS_ERROR_TOKEN_CUT | DIS_ERROR_OPTION_NIBBLE | \
   DIS_ERROR_OPTION_CUT | DIS_ERROR_OPTION_NUMBER | DIS_ERROR_MARKER | DIS_ERROR_EMPTY)

#define DIS_MAX_OPTIONS 48

struct dis_option {
  uint16_t number;
  uint16_t length;
  const uint8_t *value; /* into the datagram */
};

struct dis_coap {
  const uint8_t *data; /* the whole datagram */
  size_t length;
  uint32_t errors; /* enum dis_error */
  uint8_t version;
  uint8_t type; /* enum dis_type */
  uint8_t code; /* class << 5 | detail */
  uint8_t token_length;
  uint16_t mid;
  uint16_t option_count;
  bool odd_options;       /* one occurs twice, or is not in daily use (as OSCORE) */
  uint64_t option_mask;   /* bit n: option number n (below 64) is there; for quick absence */
  const uint8_t *token;   /* never NULL; |token_length| is 0 where it cannot be read */
  const uint8_t *payload; /* NULL: none */
  size_t payload_length;
  struct dis_option options[DIS_MAX_OPTIONS];
};

/* Three-valued access: what a rule may conclude from a field. */
enum dis_presence { DIS_ABSENT = 0, DIS_PRESENT, DIS_MALFORMED };

/* Reads |length| octets. Always fills |message|; returns whether |errors| is 0. */
bool dis_coap_parse(struct dis_coap *message, const uint8_t *data, size_t length);

static inline unsigned dis_class(uint8_t code) {
  return code >> 5;
}
static inline unsigned dis_detail(uint8_t code) {
  return code & 0x1fu;
}
/* Request: class 0, not 0.00. Response: class 2, 4 or 5. */
static inline bool dis_is_request(const struct dis_coap *m) {
  return dis_class(m->code) == 0 && m->code != 0;
}
static inline bool dis_is_response(const struct dis_coap *m) {
  unsigned c = dis_class(m->code);
  return c == 2 || c == 4 || c == 5;
}
static inline bool dis_is_empty(const struct dis_coap *m) {
  return m->code == 0;
}

/* How often option |number| occurs; the first occurrence goes to |first| unless that is NULL. */
unsigned dis_option_count(const struct dis_coap *message, uint16_t number,
                          const struct dis_option **first);
/*
 * Value of a uint option (RFC 7252, section 3.2) that may have at most |max_length| octets (0 to
 * 4). MALFORMED: longer, or occurring more than once. |value| is set when PRESENT only.
 */
enum dis_presence dis_option_uint(const struct dis_coap *message, uint16_t number,
                                  unsigned max_length, uint32_t *value);
/* Whether the option is critical (RFC 7252, section 5.4.1), known to RFC 7252 and its extensions,
 * repeatable. */
bool dis_option_critical(uint16_t number);
bool dis_option_known(uint16_t number);
bool dis_option_repeatable(uint16_t number);
/* A critical option that every server understands: a 4.02 cannot be about it. */
bool dis_option_universal(uint16_t number);
/* An elective option that no document defines is there, and nothing critical out of the ordinary.
 */
bool dis_options_unknown_elective(const struct dis_coap *message);
/*
 * Whether a receiver that knows the options of RFC 7252 has to reject the message for its options:
 * an unknown critical option, a surplus occurrence of a critical one, or a critical one of a length
 * out of range (sections 5.4.1, 5.4.3 of requests only, 5.4.5). |culprit| gets the option number.
 */
bool dis_options_reject(const struct dis_coap *message, uint16_t *culprit);

/* 64-bit digests, stable over platforms: of all options and payload; of Uri-Path and Uri-Query
 * alone. */
uint64_t dis_digest_request(
    const struct dis_coap *message); /* code, options, payload: "same request" */
uint64_t dis_digest_resource(const struct dis_coap *message);
uint64_t dis_digest_datagram(const struct dis_coap *message); /* every octet: "byte-identical" */

/* Text: "2.05", "GET" for a code; "CON"..; the Uri-Path as "/a/b?x=1" (percent-encoded), cut at
 * |size|. */
const char *dis_code_text(uint8_t code, char text[16]);
const char *dis_type_text(uint8_t type);
const char *dis_path_text(const struct dis_coap *message, char *text, size_t size);
const char *dis_option_name(uint16_t number, char text[24]);
/* One line: "NON GET /light mid=0x1234 token=a1b2 No-Response=26", for findings and diagrams. */
const char *dis_message_text(const struct dis_coap *message, char *text, size_t size);
/* The first of |errors| in words: "Token length 9 (RFC 7252, section 3)". */
const char *dis_error_text(uint32_t errors);

#endif
