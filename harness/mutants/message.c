/* SPDX-License-Identifier: BSD-2-Clause */
#include "mutants/message.h"

bool mut_message_read(struct mut_message *m, const struct chorus_datagram *datagram) {
  struct dis_coap c;
  m->used = 0;
  dis_coap_parse(&c, datagram->payload, datagram->length);
  if (c.errors & (DIS_FORMAT_ERRORS | DIS_ERROR_TOO_MANY)) return false;
  m->source = datagram->source;
  m->destination = datagram->destination;
  m->hop_limit = datagram->hop_limit;
  m->copies = 1;
  m->version = c.version;
  m->type = c.type;
  m->code = c.code;
  m->mid = c.mid;
  m->token_length = c.token_length;
  m->token_length_field = -1;
  memcpy(m->token, c.token, c.token_length);
  m->option_count = c.option_count;
  for (size_t i = 0; i < c.option_count; i++)
    m->options[i] =
        (struct mut_option){c.options[i].number, c.options[i].length, c.options[i].value};
  m->payload = c.payload;
  m->payload_length = c.payload ? c.payload_length : 0;
  m->marker = m->bad_option = m->trailing = false;
  return true;
}

/* ---- writing ---- */

struct pen {
  uint8_t *out;
  size_t length;
  bool full;
};

static void put(struct pen *p, const void *octets, size_t length) {
  if (p->full || length > MUT_MAX_DATAGRAM - p->length) {
    p->full = true;
    return;
  }
  if (length) memcpy(p->out + p->length, octets, length);
  p->length += length;
}

static void put_octet(struct pen *p, unsigned value) {
  uint8_t octet = (uint8_t)value;
  put(p, &octet, 1);
}

static unsigned nibble(unsigned value) {
  return value < 13 ? value : value < 269 ? 13 : 14;
}

static void put_extension(struct pen *p, unsigned value) {
  if (value >= 269) {
    put_octet(p, (value - 269) >> 8);
    put_octet(p, value - 269);
  } else if (value >= 13) {
    put_octet(p, value - 13);
  }
}

static void put_options(struct pen *p, const struct mut_message *m) {
  unsigned last = 0;
  for (size_t i = 0; i < m->option_count; i++) {
    const struct mut_option *o = &m->options[i];
    unsigned delta = o->number - last;
    put_octet(p, nibble(delta) << 4 | nibble(o->length));
    put_extension(p, delta);
    put_extension(p, o->length);
    put(p, o->value, o->length);
    last = o->number;
  }
  if (m->bad_option) put_octet(p, 0x0f);
}

size_t mut_message_write(const struct mut_message *m, uint8_t *out) {
  struct pen p = {.out = out};
  unsigned tkl = m->token_length_field < 0 ? m->token_length : (unsigned)m->token_length_field;
  put_octet(&p, (unsigned)m->version << 6 | (unsigned)m->type << 4 | (tkl & 15u));
  put_octet(&p, m->code);
  put_octet(&p, m->mid >> 8);
  put_octet(&p, m->mid);
  put(&p, m->token, m->token_length);
  put_options(&p, m);
  if (m->payload_length || m->marker) put_octet(&p, 0xff);
  put(&p, m->payload, m->payload_length);
  if (m->trailing) put_octet(&p, 0);
  return p.full ? 0 : p.length;
}

/* ---- options ---- */

const struct mut_option *mut_option_find(const struct mut_message *m, uint16_t number) {
  for (size_t i = 0; i < m->option_count; i++)
    if (m->options[i].number == number) return &m->options[i];
  return NULL;
}

static const uint8_t *keep(struct mut_message *m, const void *octets, size_t length) {
  if (length > MUT_STORE - m->used) return NULL;
  uint8_t *place = m->store + m->used;
  if (length) memcpy(place, octets, length);
  m->used += length;
  return place;
}

void mut_option_add(struct mut_message *m, uint16_t number, const void *value, size_t length) {
  const uint8_t *kept = keep(m, value, length);
  if (!kept || m->option_count == MUT_MAX_OPTIONS) return;
  size_t at = m->option_count++;
  for (; at > 0 && m->options[at - 1].number > number; at--) m->options[at] = m->options[at - 1];
  m->options[at] = (struct mut_option){number, (uint16_t)length, kept};
}

void mut_option_add_uint(struct mut_message *m, uint16_t number, uint32_t value) {
  uint8_t octets[4];
  size_t length = 0;
  for (int shift = 24; shift >= 0; shift -= 8)
    if (length || value >> shift & 0xffu) octets[length++] = (uint8_t)(value >> shift);
  mut_option_add(m, number, octets, length);
}

void mut_option_remove(struct mut_message *m, uint16_t number) {
  size_t kept = 0;
  for (size_t i = 0; i < m->option_count; i++)
    if (m->options[i].number != number) m->options[kept++] = m->options[i];
  m->option_count = kept;
}

uint32_t mut_option_uint(const struct mut_message *m, uint16_t number, uint32_t otherwise) {
  const struct mut_option *o = mut_option_find(m, number);
  uint32_t value = 0;
  if (!o) return otherwise;
  for (size_t i = 0; i < o->length; i++) value = value << 8 | o->value[i];
  return value;
}

bool mut_path_is(const struct mut_message *m, const char *path) {
  for (size_t i = 0; i < m->option_count; i++) {
    const struct mut_option *o = &m->options[i];
    if (o->number != DIS_URI_PATH) continue;
    if (*path++ != '/' || strncmp(path, (const char *)o->value, o->length) != 0) return false;
    path += o->length;
  }
  return *path == '\0';
}

/* ---- payload ---- */

void mut_payload_fill(struct mut_message *m, size_t length) {
  if (length > MUT_STORE - m->used) return;
  memset(m->store + m->used, 'x', length);
  m->payload = m->store + m->used;
  m->payload_length = length;
  m->used += length;
}

void mut_payload_text(struct mut_message *m, const char *text) {
  const uint8_t *kept = keep(m, text, strlen(text));
  if (!kept) return;
  m->payload = kept;
  m->payload_length = strlen(text);
}

/* ---- replies ---- */

static void turn(struct mut_message *m, const struct mut_message *to) {
  memset(m, 0, offsetof(struct mut_message, store));
  m->destination = to->source;
  m->source = to->destination;
  if (chorus_is_group(&m->source)) memset(m->source.address, 0, sizeof m->source.address);
  m->source.zone = 0;
  m->version = 1;
  m->copies = 1;
  m->token_length_field = -1;
  m->mid = to->mid;
}

void mut_empty_reply(struct mut_message *m, const struct mut_message *to, uint8_t type) {
  turn(m, to);
  m->type = type;
}

void mut_response(struct mut_message *m, const struct mut_message *to, uint8_t type, uint8_t code) {
  turn(m, to);
  m->type = type;
  m->code = code;
  m->token_length = to->token_length;
  memcpy(m->token, to->token, sizeof m->token);
  if (type == DIS_NON || type == DIS_CON) m->mid = (uint16_t)(to->mid ^ 0x5a5au);
}
