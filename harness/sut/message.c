/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of the protocol, to and from JSON (docs/plugins.md). */
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "events/events.h"
#include "scenario/units.h"
#include "sut/node.h"

/* ---- writing ---- */

static void write_endpoint(struct txt_buffer *out, const char *name,
                           const struct chorus_endpoint *endpoint) {
  char text[CHORUS_ENDPOINT_TEXT];
  txt_print(out, "\"%s\":\"%s\"", name, chorus_endpoint_text(endpoint, text));
}

void sut_write_datagram(struct txt_buffer *out, chorus_time now,
                        const struct chorus_datagram *datagram) {
  txt_print(out, "{\"datagram\":{");
  write_endpoint(out, "source", &datagram->source);
  txt_print(out, ",");
  write_endpoint(out, "destination", &datagram->destination);
  txt_print(out, ",\"payload\":\"");
  txt_hex(out, datagram->payload, datagram->length);
  txt_print(out, "\",\"hop_limit\":%u},\"now\":%llu}\n", (unsigned)datagram->hop_limit,
            (unsigned long long)now);
}

void sut_write_command(struct txt_buffer *out, uint64_t id, chorus_time now,
                       const struct chorus_command *command) {
  txt_print(out, "{\"command\":{\"verb\":");
  txt_json(out, command->verb);
  txt_print(out, ",\"arguments\":[");
  for (size_t i = 0; i < command->count; i++) {
    txt_print(out, i ? ",[" : "[");
    txt_json(out, command->arguments[i].name);
    txt_print(out, ",");
    txt_json(out, command->arguments[i].value);
    txt_print(out, "]");
  }
  txt_print(out, "]},\"id\":%llu", (unsigned long long)id);
  if (now != CHORUS_NEVER) txt_print(out, ",\"now\":%llu", (unsigned long long)now);
  txt_print(out, "}\n");
}

/* ---- reading ---- */

/* A member that may be absent. False: it is there, and no text. */
static bool optional_text(json_t *object, const char *name, const char **text) {
  json_t *value = json_object_get(object, name);
  *text = json_string_value(value);
  return !value || *text || json_is_null(value);
}

static bool read_hex_member(json_t *object, const char *name, uint8_t *octets, size_t capacity,
                            size_t *length) {
  const char *text;
  *length = 0;
  if (!optional_text(object, name, &text)) return false;
  return !text || scn_hex(text, octets, capacity, length);
}

static bool read_number(json_t *object, const char *name, uint64_t max, uint64_t *to) {
  json_t *value = json_object_get(object, name);
  if (!value) return true;
  if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
  *to = (uint64_t)json_integer_value(value);
  return *to <= max;
}

static const char *read_message(json_t *json, struct chorus_event *e) {
  const char *type, *code;
  struct scn_code c = {.set = false};
  size_t length;
  uint64_t mid = 0;
  if (!read_hex_member(json, "token", e->token, sizeof e->token, &length))
    return "token is not 0 to 8 octets in hexadecimal";
  e->token_length = (uint8_t)length;
  if (!optional_text(json, "type", &type) || (type && !scn_parse_type(type, &e->message_type)))
    return "type is not CON, NON, ACK or RST";
  if (!optional_text(json, "code", &code) || (code && (!scn_parse_code(code, &c) || c.whole_class)))
    return "code is neither a method nor a Response Code such as 2.05";
  if (!read_number(json, "mid", UINT16_MAX, &mid)) return "mid is not a number from 0 to 65535";
  e->code = c.code;
  e->mid = (uint16_t)mid;
  e->has_message = type && code && json_object_get(json, "mid") && json_object_get(json, "token");
  return NULL;
}

static const char *read_payload(json_t *json, struct sut_event *out) {
  const char *text;
  if (!optional_text(json, "payload", &text)) return "payload is no text";
  if (!text) return NULL;
  out->payload = malloc(strlen(text) / 2 + 1);
  if (!out->payload) return "no memory";
  out->event.payload = out->payload;
  if (!scn_hex(text, out->payload, strlen(text) / 2, &out->event.payload_length))
    return "payload is not hexadecimal";
  return NULL;
}

const char *sut_event_read(json_t *json, struct sut_event *out) {
  const char *name, *peer, *wrong;
  uint64_t timeout = 0;
  memset(out, 0, sizeof *out);
  struct chorus_event *e = &out->event;
  if (!json_is_object(json)) return "it is no object";
  if (!optional_text(json, "event", &name) || !name) return "it has no member event";
  if (!evt_parse_name(name, &e->type)) return "there is no event of this name";
  if (!optional_text(json, "request", &e->request)) return "request is no text";
  if (!optional_text(json, "path", &e->path)) return "path is no text";
  if (!optional_text(json, "detail", &e->detail)) return "detail is no text";
  if (!optional_text(json, "peer", &peer) ||
      (peer && !chorus_endpoint_parse(peer, CHORUS_COAP_PORT, &e->peer)))
    return "peer is no endpoint such as [2001:db8::1]:5683";
  if (!read_number(json, "timeout_ns", UINT64_MAX, &timeout)) return "timeout_ns is no number";
  e->timeout = timeout;
  e->group = json_is_true(json_object_get(json, "group"));
  if ((wrong = read_message(json, e))) return wrong;
  return read_payload(json, out);
}

void sut_event_free(struct sut_event *event) {
  free(event->payload);
  event->payload = NULL;
}

const char *sut_reply_read(json_t *line, struct sut_reply *out) {
  static const struct {
    const char *word;
    int status;
  } words[] = {{"ok", CHORUS_OK},
               {"unsupported", CHORUS_UNSUPPORTED},
               {"bad-argument", CHORUS_BAD_ARGUMENT},
               {"refused", CHORUS_REFUSED},
               {"too-large", CHORUS_TOO_LARGE}};
  const char *status;
  *out = (struct sut_reply){.id = 0, .status = -1, .why = ""};
  if (!read_number(line, "reply", UINT64_MAX, &out->id)) return "reply is no number";
  if (!optional_text(line, "status", &status) || !status) return "a reply without status";
  if (!optional_text(line, "why", &out->why)) return "why is no text";
  if (!out->why) out->why = "";
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i].word, status) == 0) out->status = words[i].status;
  return out->status < 0 ? "an unknown status" : NULL;
}

const char *sut_ready_read(struct sut_node *node, json_t *ready) {
  const char *stack, *version;
  if (!json_is_object(ready)) return "ready is no object";
  json_t *protocol = json_object_get(ready, "protocol");
  if (!json_is_integer(protocol)) return "ready does not tell its protocol";
  if (json_integer_value(protocol) != 1) return "ready tells of another protocol than 1";
  if (!optional_text(ready, "stack", &stack) || !optional_text(ready, "version", &version))
    return "stack or version is no text";
  snprintf(node->stack, sizeof node->stack, "%s", stack ? stack : "");
  snprintf(node->stack_version, sizeof node->stack_version, "%s", version ? version : "");
  return NULL;
}

const char *sut_send_read(json_t *send, uint8_t *payload, struct chorus_datagram *out) {
  const char *destination, *source;
  uint64_t hops = 0;
  memset(out, 0, sizeof *out);
  if (!json_is_object(send)) return "send is no object";
  if (!optional_text(send, "destination", &destination) || !destination ||
      !chorus_endpoint_parse(destination, CHORUS_COAP_PORT, &out->destination))
    return "destination is no endpoint such as [2001:db8::1]:5683";
  if (!optional_text(send, "source", &source) ||
      (source && !chorus_endpoint_parse(source, 0, &out->source)))
    return "source is no endpoint such as [2001:db8::1]:5683";
  if (!read_number(send, "hop_limit", 255, &hops)) return "hop_limit is not a number up to 255";
  if (!read_hex_member(send, "payload", payload, SUT_DATAGRAM_MAX, &out->length))
    return "payload is not at most 65507 octets in hexadecimal";
  out->hop_limit = (uint8_t)hops;
  out->payload = payload;
  return NULL;
}
