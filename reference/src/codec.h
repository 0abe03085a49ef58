/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message codec (RFC 7252, section 3) on raw octets: the header and the Token are read and
 * written here, options through libcoap. Nothing allocates; pointers go into the caller's octets.
 */
#ifndef REF_CODEC_H
#define REF_CODEC_H

#include "chorus/policy.h"

/* Option numbers (RFC 7252, section 12.2; RFC 7641; RFC 7959; RFC 7967). */
enum ref_option_number {
  REF_OPTION_IF_MATCH = 1,
  REF_OPTION_URI_HOST = 3,
  REF_OPTION_ETAG = 4,
  REF_OPTION_IF_NONE_MATCH = 5,
  REF_OPTION_OBSERVE = 6,
  REF_OPTION_URI_PORT = 7,
  REF_OPTION_LOCATION_PATH = 8,
  REF_OPTION_URI_PATH = 11,
  REF_OPTION_CONTENT_FORMAT = 12,
  REF_OPTION_MAX_AGE = 14,
  REF_OPTION_URI_QUERY = 15,
  REF_OPTION_ACCEPT = 17,
  REF_OPTION_LOCATION_QUERY = 20,
  REF_OPTION_BLOCK2 = 23,
  REF_OPTION_BLOCK1 = 27,
  REF_OPTION_SIZE2 = 28,
  REF_OPTION_PROXY_URI = 35,
  REF_OPTION_PROXY_SCHEME = 39,
  REF_OPTION_SIZE1 = 60,
  REF_OPTION_NO_RESPONSE = 258,
};

/* The largest message that is sent: RFC 7252, section 4.6. */
#define REF_MESSAGE_MAX 1152u

/*
 * Decodes |octets|. On a fault, |m| holds what was read so far (|has_header| says whether version,
 * type, code and Message ID are there). The version is not looked at: see m->version.
 */
enum ref_fault ref_decode(const uint8_t *octets, size_t length, struct ref_message *m);

/* Walks over the options of a decoded message. */
struct ref_option_walk {
  const uint8_t *at;
  size_t left;
  uint32_t number; /* of the current option */
  const uint8_t *value;
  size_t length;
};

void ref_option_first(struct ref_option_walk *walk, const struct ref_message *m);
/* Steps to the next option; false at the end. */
bool ref_option_next(struct ref_option_walk *walk);

/* The value of a uint option (section 3.2), |length| 0 to 4. */
uint32_t ref_option_uint(const uint8_t *value, size_t length);

/* Which options somebody understands (section 5.4): length limits, and whether it may repeat. */
struct ref_option_rule {
  uint16_t number;
  uint16_t min;
  uint16_t max;
  bool repeatable;
};

/*
 * Whether the current option of |walk| is recognized by |rules| (|count| of them, ascending).
 * |previous| is the number of the option before, 0 at first: an extra occurrence of one that is not
 * repeatable counts as unrecognized (5.4.5), and so does one of the wrong length (5.4.3).
 */
bool ref_option_known(const struct ref_option_rule *rules, size_t count,
                      const struct ref_option_walk *walk, uint32_t previous);

/* Builds a message into octets of the caller. An overflow sticks: ref_writer_end() returns 0 then.
 */
struct ref_writer {
  uint8_t *octets;
  size_t capacity;
  size_t length;
  uint32_t number; /* of the last option */
  bool overflow;
};

void ref_writer_begin(struct ref_writer *w, uint8_t *octets, size_t capacity, uint8_t type,
                      uint8_t code, uint16_t mid, const uint8_t *token, uint8_t token_length);
/* Options in ascending order of number. */
void ref_writer_option(struct ref_writer *w, uint16_t number, const void *value, size_t length);
void ref_writer_uint(struct ref_writer *w, uint16_t number, uint32_t value);
void ref_writer_payload(struct ref_writer *w, const uint8_t *payload, size_t length);
/* The length of the message, or 0 if it did not fit. */
size_t ref_writer_end(const struct ref_writer *w);

/* An Empty ACK or RST (4 octets) for |mid|. */
void ref_encode_empty(uint8_t octets[4], uint8_t type, uint16_t mid);

/* Options in any order, on their way to a message. Values live in |store|. */
enum { REF_OPTION_LIST_MAX = 64, REF_OPTION_STORE = 1400 };
struct ref_option_list {
  struct {
    uint16_t number, offset, length;
  } item[REF_OPTION_LIST_MAX];
  size_t count;
  size_t used;
  uint8_t store[REF_OPTION_STORE];
};

/* Writes |list| to |w|, sorted by number, options of one number in the order in which they came. */
void ref_writer_list(struct ref_writer *w, const struct ref_option_list *list);

#endif
