/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "chorus/endpoint_text.h"
#include "dissect/coap.h"
#include "events/events.h"
#include "scenario/units.h"

const char *evt_name(enum chorus_event_type type) {
  return type <= CHORUS_EVENT_FOLLOW ? scn_event_words[type] : "note";
}

bool evt_parse_name(const char *name, enum chorus_event_type *type) {
  for (size_t i = 0; scn_event_words[i]; i++)
    if (strcmp(scn_event_words[i], name) == 0) {
      *type = (enum chorus_event_type)i;
      return true;
    }
  return false;
}

static void member(struct txt_buffer *out, const char *name, const char *value) {
  if (!value) return;
  txt_print(out, ",\"%s\":", name);
  txt_json(out, value);
}

static void hex_member(struct txt_buffer *out, const char *name, const uint8_t *octets,
                       size_t length) {
  txt_print(out, ",\"%s\":\"", name);
  txt_hex(out, octets, length);
  txt_add(out, "\"", 1);
}

static void message_members(struct txt_buffer *out, const struct chorus_event *e) {
  char code[16];
  txt_print(out, ",\"type\":\"%s\",\"code\":\"%s\",\"mid\":%u", dis_type_text(e->message_type),
            dis_code_text(e->code, code), (unsigned)e->mid);
  hex_member(out, "token", e->token, e->token_length <= 8 ? e->token_length : 8);
}

void evt_line(struct txt_buffer *out, chorus_time time, const char *node,
              const struct chorus_event *e) {
  static const struct chorus_endpoint none;
  char peer[CHORUS_ENDPOINT_TEXT];
  txt_print(out, "{\"time_ns\":%llu,\"node\":\"%s\",\"event\":\"%s\"", (unsigned long long)time,
            node, evt_name(e->type));
  member(out, "request", e->request);
  if (memcmp(&e->peer, &none, sizeof none) != 0)
    member(out, "peer", chorus_endpoint_text(&e->peer, peer));
  member(out, "path", e->path);
  member(out, "detail", e->detail);
  if (e->group) txt_print(out, ",\"group\":true");
  if (e->has_message)
    message_members(out, e);
  else if (e->token_length)
    hex_member(out, "token", e->token, e->token_length <= 8 ? e->token_length : 8);
  if (e->payload) hex_member(out, "payload", e->payload, e->payload_length);
  if (e->timeout) txt_print(out, ",\"timeout_ns\":%llu", (unsigned long long)e->timeout);
  txt_add(out, "}\n", 2);
}
