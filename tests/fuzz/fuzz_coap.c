/* SPDX-License-Identifier: BSD-2-Clause */
/* Any datagram: everything that the dissector hands out lies within it, and all text ends. */
#include <string.h>

#include "dissect/coap.h"
#include "fuzz.h"

static bool within(const struct dis_coap *m, const uint8_t *at, size_t length) {
  return at >= m->data && length <= m->length && (size_t)(at - m->data) <= m->length - length;
}

static void check_fields(const struct dis_coap *m) {
  HOLDS(m->token_length <= 8);
  HOLDS(m->token_length == 0 || within(m, m->token, m->token_length));
  HOLDS(m->option_count <= DIS_MAX_OPTIONS);
  for (unsigned i = 0; i < m->option_count; i++) {
    HOLDS(within(m, m->options[i].value, m->options[i].length));
    HOLDS(i == 0 || m->options[i - 1].number <= m->options[i].number);
  }
  if (!m->payload) return;
  HOLDS(m->payload_length > 0);
  HOLDS(m->payload + m->payload_length == m->data + m->length);
}

static void check_options(const struct dis_coap *m) {
  uint16_t culprit = 0;
  if (dis_options_reject(m, &culprit)) {
    HOLDS(dis_option_critical(culprit));
    HOLDS(dis_option_count(m, culprit, NULL) > 0);
  }
  for (unsigned i = 0; i < m->option_count; i++) {
    uint32_t value = 0;
    HOLDS(dis_option_uint(m, m->options[i].number, i % 6, &value) != DIS_ABSENT);
  }
}

static void check_text(const struct dis_coap *m) {
  char text[64], code[16], option[24];
  for (size_t size = 1; size <= sizeof text; size += 21) {
    HOLDS(strlen(dis_message_text(m, text, size)) < size);
    HOLDS(strlen(dis_path_text(m, text, size)) < size);
  }
  HOLDS(strlen(dis_code_text(m->code, code)) < sizeof code);
  for (unsigned i = 0; i < m->option_count; i++)
    HOLDS(strlen(dis_option_name(m->options[i].number, option)) < sizeof option);
  HOLDS(dis_error_text(m->errors) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct dis_coap first, again;
  bool good = dis_coap_parse(&first, data, size);
  HOLDS(good == (first.errors == 0));
  HOLDS(!good || size >= 4);
  check_fields(&first);
  check_options(&first);
  check_text(&first);
  dis_coap_parse(&again, data, size);
  HOLDS(dis_digest_request(&first) == dis_digest_request(&again));
  HOLDS(dis_digest_resource(&first) == dis_digest_resource(&again));
  HOLDS(dis_digest_datagram(&first) == dis_digest_datagram(&again));
  return 0;
}
