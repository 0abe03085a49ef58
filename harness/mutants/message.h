/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CoAP message taken apart, changed at will and put together again, also into one that no sane
 * encoder would write.
 */
#ifndef CHORUS_MUTANTS_MESSAGE_H
#define CHORUS_MUTANTS_MESSAGE_H

#include "chorus/node.h"
#include "dissect/coap.h"

enum { MUT_MAX_OPTIONS = DIS_MAX_OPTIONS + 8, MUT_MAX_DATAGRAM = 4096, MUT_STORE = 4096 };

struct mut_option {
  uint16_t number;
  uint16_t length;
  const uint8_t *value;
};

struct mut_message {
  struct chorus_endpoint source, destination;
  uint8_t hop_limit;
  unsigned copies; /* 1; 0: lost */
  uint8_t version, type, code;
  uint8_t token_length;   /* octets of |token| */
  int token_length_field; /* what TKL says; -1: |token_length| */
  uint8_t token[16];
  uint16_t mid;
  struct mut_option options[MUT_MAX_OPTIONS]; /* ascending by number */
  size_t option_count;
  const uint8_t *payload;
  size_t payload_length;
  bool marker;              /* a payload marker, also without payload */
  bool bad_option;          /* ends in an option of the reserved length 15 */
  bool trailing;            /* one more octet behind an Empty message */
  size_t used;              /* of |store| */
  uint8_t store[MUT_STORE]; /* new values */
};

/* False: the datagram cannot be taken apart without loss. Values stay in the datagram. */
bool mut_message_read(struct mut_message *m, const struct chorus_datagram *datagram);
/* Returns the length of the message in |out| of MUT_MAX_DATAGRAM octets; 0: no room. */
size_t mut_message_write(const struct mut_message *m, uint8_t *out);

static inline bool mut_is_request(const struct mut_message *m) {
  return m->code != 0 && m->code >> 5 == 0;
}
static inline bool mut_is_response(const struct mut_message *m) {
  unsigned class = m->code >> 5;
  return class == 2 || class == 4 || class == 5;
}

const struct mut_option *mut_option_find(const struct mut_message *m, uint16_t number);
/* Adds an option behind those of the same number. */
void mut_option_add(struct mut_message *m, uint16_t number, const void *value, size_t length);
/* The same in the shortest form of a uint. */
void mut_option_add_uint(struct mut_message *m, uint16_t number, uint32_t value);
void mut_option_remove(struct mut_message *m, uint16_t number);
/* The value of a uint option, or |otherwise| if it is not there. */
uint32_t mut_option_uint(const struct mut_message *m, uint16_t number, uint32_t otherwise);
/* Whether Uri-Path says |path|, "/.well-known/core". */
bool mut_path_is(const struct mut_message *m, const char *path);
/* A payload of |length| octets of text. */
void mut_payload_fill(struct mut_message *m, size_t length);
void mut_payload_text(struct mut_message *m, const char *text);
/* Makes |m| the Empty ACK or RST for |to|, sent by whom that was sent to. */
void mut_empty_reply(struct mut_message *m, const struct mut_message *to, uint8_t type);
/* Makes |m| a response to |to| of |type| and |code|, without payload. */
void mut_response(struct mut_message *m, const struct mut_message *to, uint8_t type, uint8_t code);

#endif
