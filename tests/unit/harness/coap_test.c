/* SPDX-License-Identifier: BSD-2-Clause */
/* The CoAP dissector: messages as octets, and what is read from them. */
#include "dissect/coap.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"

#define OCTETS(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

/* ---- messages with a fault, and the same without ---- */

struct fault_case {
  const char *what;
  const uint8_t *octets;
  size_t length;
  uint32_t errors;
};

static const struct fault_case faults[] = {
    {"GET without anything", OCTETS(0x50, 0x01, 0x12, 0x34), 0},
    {"Token of 8", OCTETS(0x58, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8), 0},
    {"no octet", NULL, 0, DIS_ERROR_SHORT},
    {"1 octet", OCTETS(0x40), DIS_ERROR_SHORT},
    {"3 octets", OCTETS(0x40, 0x01, 0x12), DIS_ERROR_SHORT},
    {"version 0", OCTETS(0x10, 0x01, 0x12, 0x34), DIS_ERROR_VERSION},
    {"version 2", OCTETS(0x90, 0x01, 0x12, 0x34), DIS_ERROR_VERSION},
    {"version 3 of which nothing else is known", OCTETS(0xdf, 0x3f, 0x12, 0x34, 0xff),
     DIS_ERROR_VERSION},
    {"Token Length 9", OCTETS(0x59, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9), DIS_ERROR_TOKEN_LENGTH},
    {"Token Length 15", OCTETS(0x5f, 1, 0, 1), DIS_ERROR_TOKEN_LENGTH},
    {"Token cut", OCTETS(0x54, 1, 0, 1, 1, 2, 3), DIS_ERROR_TOKEN_CUT},
    {"delta 15", OCTETS(0x50, 1, 0, 1, 0xf1, 0x61), DIS_ERROR_OPTION_NIBBLE},
    {"length 15", OCTETS(0x50, 1, 0, 1, 0xbf, 0x61), DIS_ERROR_OPTION_NIBBLE},
    {"option value cut", OCTETS(0x50, 1, 0, 1, 0xb2, 0x61), DIS_ERROR_OPTION_CUT},
    {"delta of 13 cut", OCTETS(0x50, 1, 0, 1, 0xd0), DIS_ERROR_OPTION_CUT},
    {"delta of 14 cut", OCTETS(0x50, 1, 0, 1, 0xe0, 0x00), DIS_ERROR_OPTION_CUT},
    {"length of 13 cut", OCTETS(0x50, 1, 0, 1, 0xbd), DIS_ERROR_OPTION_CUT},
    {"length of 14 cut", OCTETS(0x50, 1, 0, 1, 0xbe, 0x01), DIS_ERROR_OPTION_CUT},
    {"option 65535", OCTETS(0x50, 1, 0, 1, 0xe0, 0xfe, 0xf2), 0},
    {"option 65536", OCTETS(0x50, 1, 0, 1, 0xe0, 0xfe, 0xf3), DIS_ERROR_OPTION_NUMBER},
    {"option 65537 by steps", OCTETS(0x50, 1, 0, 1, 0xe0, 0xfe, 0xf2, 0x20),
     DIS_ERROR_OPTION_NUMBER},
    {"marker and payload", OCTETS(0x50, 2, 0, 1, 0xff, 0x61), 0},
    {"marker without payload", OCTETS(0x50, 2, 0, 1, 0xff), DIS_ERROR_MARKER},
    {"0xff within an option", OCTETS(0x50, 1, 0, 1, 0xb1, 0xff), 0},
    {"0xff within a payload", OCTETS(0x50, 2, 0, 1, 0xff, 0xff), 0},
    {"Empty ACK", OCTETS(0x60, 0, 0, 1), 0},
    {"ping", OCTETS(0x40, 0, 0, 1), 0},
    {"Empty with Token", OCTETS(0x61, 0, 0, 1, 7), DIS_ERROR_EMPTY},
    {"Empty that announces a Token", OCTETS(0x61, 0, 0, 1), DIS_ERROR_EMPTY | DIS_ERROR_TOKEN_CUT},
    {"Empty with octets", OCTETS(0x60, 0, 0, 1, 0xff, 1), DIS_ERROR_EMPTY},
    {"Empty NON", OCTETS(0x50, 0, 0, 1), DIS_ERROR_EMPTY_NON},
    {"class 1", OCTETS(0x50, 0x21, 0, 1), DIS_ERROR_CLASS},
    {"class 3", OCTETS(0x50, 0x61, 0, 1), 0},
    {"class 6", OCTETS(0x50, 0xc1, 0, 1), DIS_ERROR_CLASS},
    {"class 7", OCTETS(0x50, 0xe1, 0, 1), DIS_ERROR_CLASS},
    {"RST", OCTETS(0x70, 0, 0, 1), 0},
    {"RST with a code", OCTETS(0x70, 0x45, 0, 1), DIS_ERROR_RST_CODE},
    {"ACK with a response", OCTETS(0x60, 0x45, 0, 1), 0},
    {"ACK with a request", OCTETS(0x60, 0x01, 0, 1), DIS_ERROR_ACK_REQUEST},
};

START_TEST(test_faults) {
  const struct fault_case *c = &faults[_i];
  struct dis_coap m;
  bool good = dis_coap_parse(&m, c->octets, c->length);
  ck_assert_msg(m.errors == c->errors, "%s: errors 0x%x, not 0x%x", c->what, m.errors, c->errors);
  ck_assert_msg(good == (c->errors == 0), "%s", c->what);
  ck_assert_ptr_nonnull(m.token);
}
END_TEST

/* Every front of a message of all kinds of options: no front is read past its end (ASan watches).
 */
START_TEST(test_every_cut) {
  static const uint8_t message[] = {0x52, 0x01, 0x12, 0x34, 0xaa, 0xbb, 0x60, 0x51, 0x61,
                                    0x0d, 0x01, 'a',  'b',  'c',  'd',  'e',  'f',  'g',
                                    'h',  'i',  'j',  'k',  'l',  'm',  'n',  0xd1, 0xea,
                                    0x1a, 0xe0, 0x01, 0x00, 0xff, 'p'};
  for (size_t length = 0; length <= sizeof message; length++) {
    uint8_t *copy = malloc(length + 1);
    memcpy(copy, message, length);
    uint8_t *front = realloc(copy, length > 0 ? length : 1);
    struct dis_coap m;
    bool good = dis_coap_parse(&m, front, length);
    char text[200];
    dis_message_text(&m, text, sizeof text);
    dis_digest_request(&m);
    dis_digest_resource(&m);
    ck_assert_int_eq(length == sizeof message, good && m.payload != NULL);
    free(front);
  }
}
END_TEST

/* ---- fields ---- */

START_TEST(test_fields) {
  static const uint8_t message[] = {0x52, 0x01, 0x12, 0x34, 0xa1, 0xb2, 0xb1, 'a',  0x01, 'b',
                                    0x43, 'x',  '=',  '1',  0xd1, 0xe6, 26,   0xff, 'p',  'q'};
  struct dis_coap m;
  ck_assert(dis_coap_parse(&m, message, sizeof message));
  ck_assert_uint_eq(m.version, 1);
  ck_assert_uint_eq(m.type, DIS_NON);
  ck_assert_uint_eq(m.code, 1);
  ck_assert_uint_eq(m.mid, 0x1234);
  ck_assert_uint_eq(m.token_length, 2);
  ck_assert_mem_eq(m.token, "\xa1\xb2", 2);
  ck_assert_uint_eq(m.option_count, 4);
  ck_assert_uint_eq(m.options[3].number, DIS_NO_RESPONSE);
  ck_assert_uint_eq(m.payload_length, 2);
  ck_assert_mem_eq(m.payload, "pq", 2);
  ck_assert(dis_is_request(&m) && !dis_is_response(&m) && !dis_is_empty(&m));
  const struct dis_option *first;
  ck_assert_uint_eq(dis_option_count(&m, DIS_URI_PATH, &first), 2);
  ck_assert_mem_eq(first->value, "a", 1);
  ck_assert_uint_eq(dis_option_count(&m, DIS_OBSERVE, &first), 0);
  ck_assert_ptr_null(first);
}
END_TEST

START_TEST(test_option_uint) {
  struct {
    const uint8_t *octets;
    size_t length;
    unsigned max;
    enum dis_presence presence;
    uint32_t value;
  } cases[] = {
      {OCTETS(0x50, 1, 0, 1), 1, DIS_ABSENT, 99},
      {OCTETS(0x50, 1, 0, 1, 0xd1, 247, 26), 1, DIS_ABSENT, 99},
      {OCTETS(0x50, 1, 0, 1, 0xd0, 245), 1, DIS_PRESENT, 0},
      {OCTETS(0x50, 1, 0, 1, 0xd1, 245, 26), 1, DIS_PRESENT, 26},
      {OCTETS(0x50, 1, 0, 1, 0xd1, 245, 0), 1, DIS_PRESENT, 0},
      {OCTETS(0x50, 1, 0, 1, 0xd2, 245, 0, 26), 1, DIS_MALFORMED, 99},
      {OCTETS(0x50, 1, 0, 1, 0xd2, 245, 0, 26), 2, DIS_PRESENT, 26},
      {OCTETS(0x50, 1, 0, 1, 0xd4, 245, 1, 2, 3, 4), 4, DIS_PRESENT, 0x01020304},
      {OCTETS(0x50, 1, 0, 1, 0xd5, 245, 0, 1, 2, 3, 4), 5, DIS_MALFORMED, 99},
      {OCTETS(0x50, 1, 0, 1, 0xd1, 245, 2, 0x01, 2), 1, DIS_MALFORMED, 99},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct dis_coap m;
    uint32_t value = 99;
    ck_assert(dis_coap_parse(&m, cases[i].octets, cases[i].length));
    ck_assert_int_eq(dis_option_uint(&m, DIS_NO_RESPONSE, cases[i].max, &value), cases[i].presence);
    ck_assert_uint_eq(value, cases[i].value);
  }
}
END_TEST

START_TEST(test_too_many_options) {
  uint8_t message[4 + DIS_MAX_OPTIONS + 3] = {0x50, 0x01, 0, 1, 0xb0};
  struct dis_coap m;
  ck_assert(dis_coap_parse(&m, message, 4 + DIS_MAX_OPTIONS));
  ck_assert_uint_eq(m.option_count, DIS_MAX_OPTIONS);
  message[4 + DIS_MAX_OPTIONS + 1] = 0xff;
  message[4 + DIS_MAX_OPTIONS + 2] = 'p';
  ck_assert(!dis_coap_parse(&m, message, sizeof message));
  ck_assert_uint_eq(m.errors, DIS_ERROR_TOO_MANY);
  ck_assert_uint_eq(m.errors & DIS_FORMAT_ERRORS, 0);
  ck_assert_uint_eq(m.option_count, DIS_MAX_OPTIONS);
  ck_assert_uint_eq(m.payload_length, 1);
}
END_TEST

/* ---- which options make a receiver reject ---- */

struct reject_case {
  const char *what;
  const uint8_t *octets;
  size_t length;
  bool reject;
  uint16_t culprit;
};

static const struct reject_case rejects[] = {
    {"no option", OCTETS(0x50, 1, 0, 1), false, 0},
    {"Uri-Path twice", OCTETS(0x50, 1, 0, 1, 0xb1, 'a', 0x01, 'b'), false, 0},
    {"unknown elective 65000", OCTETS(0x50, 1, 0, 1, 0xe0, 0xfc, 0xdb), false, 0},
    {"unknown critical 65001", OCTETS(0x50, 1, 0, 1, 0xe0, 0xfc, 0xdc), true, 65001},
    {"unknown critical in a response", OCTETS(0x50, 0x45, 0, 1, 0xe0, 0xfc, 0xdc), true, 65001},
    {"Accept twice", OCTETS(0x50, 1, 0, 1, 0xd0, 4, 0x00), true, 17},
    {"No-Response twice", OCTETS(0x50, 1, 0, 1, 0xd1, 245, 2, 0x01, 8), false, 0},
    {"Accept of 3 octets", OCTETS(0x50, 1, 0, 1, 0xd3, 4, 0, 0, 0), true, 17},
    {"Accept of 2 octets", OCTETS(0x50, 1, 0, 1, 0xd2, 4, 0, 0), false, 0},
    {"If-None-Match with a value", OCTETS(0x50, 1, 0, 1, 0x51, 0), true, 5},
    {"Uri-Host empty", OCTETS(0x50, 1, 0, 1, 0x30), true, 3},
    {"ETag of 9 octets", OCTETS(0x50, 1, 0, 1, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 9), false, 0},
    {"If-Match of 9 octets", OCTETS(0x50, 1, 0, 1, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 9), true, 1},
    {"If-Match of 8 octets", OCTETS(0x50, 1, 0, 1, 0x18, 1, 2, 3, 4, 5, 6, 7, 8), false, 0},
    {"Block2 of 4 octets", OCTETS(0x50, 1, 0, 1, 0xd4, 10, 0, 0, 0, 6), true, 23},
    {"Block2 of 4 octets in a response", OCTETS(0x50, 0x45, 0, 1, 0xd4, 10, 0, 0, 0, 6), false, 0},
    {"Q-Block1", OCTETS(0x50, 1, 0, 1, 0xd1, 6, 6), false, 0},
    {"Q-Block2 twice", OCTETS(0x50, 1, 0, 1, 0xd1, 18, 6, 0x01, 0x16), false, 0},
    {"EDHOC", OCTETS(0x50, 1, 0, 1, 0xd0, 8), false, 0},
    {"OSCORE", OCTETS(0x50, 2, 0, 1, 0x90), false, 0},
    {"Hop-Limit empty", OCTETS(0x50, 1, 0, 1, 0xd0, 3), false, 0},
    {"second fault", OCTETS(0x50, 1, 0, 1, 0xb1, 'a', 0x60, 0x00, 0x20), true, 17},
};

START_TEST(test_reject) {
  const struct reject_case *c = &rejects[_i];
  struct dis_coap m;
  uint16_t culprit = 0;
  ck_assert_msg(dis_coap_parse(&m, c->octets, c->length), "%s", c->what);
  ck_assert_msg(dis_options_reject(&m, &culprit) == c->reject, "%s", c->what);
  ck_assert_msg(culprit == c->culprit, "%s: culprit %u", c->what, culprit);
  ck_assert_int_eq(dis_options_reject(&m, NULL), c->reject);
}
END_TEST

START_TEST(test_option_properties) {
  ck_assert(dis_option_critical(DIS_URI_PATH) && !dis_option_critical(DIS_NO_RESPONSE));
  ck_assert(dis_option_known(DIS_REQUEST_TAG) && !dis_option_known(65001) && !dis_option_known(2));
  ck_assert(dis_option_repeatable(DIS_ETAG) && !dis_option_repeatable(DIS_ACCEPT));
  ck_assert(!dis_option_repeatable(65001));
}
END_TEST

/* W8: one flipped bit in an option is noticed, told, and never passes for the message it was. */
START_TEST(test_w8_bit_flipped_option) {
  static const uint8_t message[] = {0x51, 0x01, 0x12, 0x34, 0xa1, 0xb5, 'l',  'i',
                                    'g',  'h',  't',  0xd1, 0xea, 0x1a, 0xff, 'p'};
  struct dis_coap m;
  ck_assert(dis_coap_parse(&m, message, sizeof message));
  uint64_t digest = dis_digest_request(&m);
  unsigned faults_seen = 0;
  for (size_t bit = 5 * 8; bit < 14 * 8; bit++) {
    uint8_t copy[sizeof message];
    memcpy(copy, message, sizeof copy);
    copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    struct dis_coap flipped;
    bool good = dis_coap_parse(&flipped, copy, sizeof copy);
    uint16_t culprit;
    char text[200];
    if (!good) ck_assert_ptr_nonnull(strchr(dis_message_text(&flipped, text, sizeof text), '['));
    if (!good || dis_options_reject(&flipped, &culprit)) faults_seen++;
    ck_assert_uint_ne(dis_digest_request(&flipped), digest);
  }
  ck_assert_uint_gt(faults_seen, 0);
}
END_TEST

/* ---- digests ---- */

static uint64_t request_digest(const uint8_t *octets, size_t length) {
  struct dis_coap m;
  dis_coap_parse(&m, octets, length);
  return dis_digest_request(&m);
}

START_TEST(test_digest_request) {
  uint64_t digest = request_digest(OCTETS(0x51, 1, 0, 1, 7, 0xb1, 'a', 0xff, 'p'));
  /* Message ID, Token and Type do not count. */
  ck_assert_uint_eq(digest, request_digest(OCTETS(0x52, 1, 9, 9, 8, 8, 0xb1, 'a', 0xff, 'p')));
  ck_assert_uint_eq(digest, request_digest(OCTETS(0x40, 1, 0, 1, 0xb1, 'a', 0xff, 'p')));
  ck_assert_uint_ne(digest, request_digest(OCTETS(0x51, 2, 0, 1, 7, 0xb1, 'a', 0xff, 'p')));
  ck_assert_uint_ne(digest, request_digest(OCTETS(0x51, 1, 0, 1, 7, 0xb1, 'b', 0xff, 'p')));
  ck_assert_uint_ne(digest, request_digest(OCTETS(0x51, 1, 0, 1, 7, 0xb1, 'a', 0xff, 'q')));
  ck_assert_uint_ne(digest, request_digest(OCTETS(0x51, 1, 0, 1, 7, 0xb1, 'a')));
}
END_TEST

START_TEST(test_digest_resource) {
  struct dis_coap a, b, c, d;
  dis_coap_parse(&a, OCTETS(0x50, 1, 0, 1, 0xb1, 'a', 0x01, 'b', 0x41, 'q'));
  dis_coap_parse(&b, OCTETS(0x50, 2, 0, 1, 0x31, 'h', 0x81, 'a', 0x01, 'b', 0x41, 'q', 0xff, 1));
  dis_coap_parse(&c, OCTETS(0x50, 1, 0, 1, 0xb2, 'a', 'b', 0x41, 'q'));
  dis_coap_parse(&d, OCTETS(0x50, 1, 0, 1, 0xb1, 'a', 0x41, 'b', 0x01, 'q'));
  ck_assert_uint_eq(dis_digest_resource(&a), dis_digest_resource(&b));
  ck_assert_uint_ne(dis_digest_resource(&a), dis_digest_resource(&c));
  ck_assert_uint_ne(dis_digest_resource(&a), dis_digest_resource(&d));
}
END_TEST

/* The same number everywhere: results are compared between machines. */
START_TEST(test_digest_is_stable) {
  struct dis_coap m;
  dis_coap_parse(&m, OCTETS(0x51, 1, 0, 1, 7, 0xb5, 'l', 'i', 'g', 'h', 't', 0xff, 'p'));
  ck_assert_uint_eq(dis_digest_datagram(&m), UINT64_C(0xeb818818949f864a));
  ck_assert_uint_eq(dis_digest_request(&m), UINT64_C(0xb04370d909cdee9f));
}
END_TEST

/* All messages of up to two payload octets differ. */
START_TEST(test_digest_spreads) {
  enum { COUNT = 65536 };
  uint64_t *digests = malloc(COUNT * sizeof *digests);
  uint8_t message[] = {0x50, 2, 0, 1, 0xff, 0, 0};
  uint8_t seen[8192] = {0};
  unsigned low_bits = 0;
  for (unsigned i = 0; i < COUNT; i++) {
    message[5] = (uint8_t)(i >> 8);
    message[6] = (uint8_t)i;
    digests[i] = request_digest(message, sizeof message);
    uint16_t low = (uint16_t)digests[i];
    low_bits += !(seen[low / 8] >> (low % 8) & 1);
    seen[low / 8] |= (uint8_t)(1u << (low % 8));
  }
  /* Of 65536 random values of 16 bits, 63 % are different. */
  ck_assert_uint_gt(low_bits, 40000);
  free(digests);
}
END_TEST

/* ---- text ---- */

struct text_case {
  const uint8_t *octets;
  size_t length;
  const char *text;
};

static const struct text_case texts[] = {
    {OCTETS(0x52, 1, 0x12, 0x34, 0xa1, 0xb2, 0xb5, 'l', 'i', 'g', 'h', 't', 0xd1, 0xea, 26),
     "NON GET /light mid=0x1234 token=a1b2 No-Response=26"},
    {OCTETS(0x40, 2, 0, 1, 0xb1, 'a', 0x01, '/', 0x43, 'x', '=', '1', 0x03, 'y', '&', '?', 0xff, 1),
     "CON POST /a/%2F?x=1&y%26? mid=0x0001 token=- payload=1"},
    {OCTETS(0x50, 1, 0, 1), "NON GET / mid=0x0001 token=-"},
    {OCTETS(0x61, 0x45, 0, 2, 9, 0xc0, 0xff, 'h', 'i'),
     "ACK 2.05 mid=0x0002 token=09 Content-Format=0 payload=2"},
    {OCTETS(0x60, 0, 0, 3), "ACK mid=0x0003"},
    {OCTETS(0x70, 0, 0, 3), "RST mid=0x0003"},
    {OCTETS(0x40, 0, 0, 3), "CON Empty mid=0x0003"},
    {OCTETS(0x50, 1, 0, 1, 0xd1, 10, 0x1e), "NON GET / mid=0x0001 token=- Block2=1/1/1024"},
    {OCTETS(0x50, 1, 0, 1, 0xd1, 10, 0x07), "NON GET / mid=0x0001 token=- Block2=0/0/reserved"},
    {OCTETS(0x50, 1, 0, 1, 0x32, 'h', ' '), "NON GET / mid=0x0001 token=- Uri-Host=h\\x20"},
    {OCTETS(0x50, 3, 0, 1, 0x42, 0xab, 0xcd, 0x10),
     "NON PUT / mid=0x0001 token=- ETag=0xabcd If-None-Match"},
    {OCTETS(0x50, 1, 0, 1, 0xe1, 0xfc, 0xdc, 5), "NON GET / mid=0x0001 token=- Option 65001=0x05"},
    {OCTETS(0x50, 0x84, 0, 1, 0xff),
     "NON 4.04 mid=0x0001 token=- [Payload Marker without payload (RFC 7252, section 3)]"},
    {OCTETS(0x50, 0x1f, 0, 1), "NON 0.31 / mid=0x0001 token=-"},
    {OCTETS(0x50, 0x1f), "2 octets [shorter than the header of 4 octets (RFC 7252, section 3)]"},
};

START_TEST(test_message_text) {
  struct dis_coap m;
  char text[200];
  dis_coap_parse(&m, texts[_i].octets, texts[_i].length);
  ck_assert_str_eq(dis_message_text(&m, text, sizeof text), texts[_i].text);
}
END_TEST

/* Text of any size is a front of the whole, ends in zero, and stays within its octets. */
START_TEST(test_text_is_cut) {
  struct dis_coap m;
  char whole[200], cut[200];
  dis_coap_parse(&m, texts[1].octets, texts[1].length);
  dis_message_text(&m, whole, sizeof whole);
  for (size_t size = 1; size <= strlen(whole) + 1; size++) {
    memset(cut, 'X', sizeof cut);
    dis_message_text(&m, cut, size);
    ck_assert_uint_lt(strlen(cut), size);
    ck_assert(cut[size] == 'X');
    dis_path_text(&m, cut, size);
    ck_assert_uint_lt(strlen(cut), size);
  }
  ck_assert_str_eq(dis_path_text(&m, cut, sizeof cut), "/a/%2F?x=1&y%26?");
}
END_TEST

START_TEST(test_names) {
  char text[24];
  ck_assert_str_eq(dis_code_text(0x45, text), "2.05");
  ck_assert_str_eq(dis_code_text(7, text), "iPATCH");
  ck_assert_str_eq(dis_code_text(0xff, text), "7.31");
  ck_assert_str_eq(dis_type_text(DIS_RST), "RST");
  ck_assert_str_eq(dis_option_name(DIS_OSCORE, text), "OSCORE");
  ck_assert_str_eq(dis_option_name(65535, text), "Option 65535");
  ck_assert_str_eq(dis_error_text(0), "no error");
  for (unsigned bit = 0; bit < 14; bit++) ck_assert_str_ne(dis_error_text(1u << bit), "no error");
}
END_TEST

static Suite *suite(void) {
  Suite *s = suite_create("coap");
  TCase *t = tcase_create("coap");
  tcase_add_loop_test(t, test_faults, 0, sizeof faults / sizeof faults[0]);
  tcase_add_test(t, test_every_cut);
  tcase_add_test(t, test_fields);
  tcase_add_test(t, test_option_uint);
  tcase_add_test(t, test_too_many_options);
  tcase_add_loop_test(t, test_reject, 0, sizeof rejects / sizeof rejects[0]);
  tcase_add_test(t, test_option_properties);
  tcase_add_test(t, test_w8_bit_flipped_option);
  tcase_add_test(t, test_digest_request);
  tcase_add_test(t, test_digest_resource);
  tcase_add_test(t, test_digest_is_stable);
  tcase_add_test(t, test_digest_spreads);
  tcase_add_loop_test(t, test_message_text, 0, sizeof texts / sizeof texts[0]);
  tcase_add_test(t, test_text_is_cut);
  tcase_add_test(t, test_names);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
