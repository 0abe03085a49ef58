/* SPDX-License-Identifier: BSD-2-Clause */
/* CoAP messages in words, for findings and diagrams. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dissect/coap.h"
#include "dissect/coap_option.h"

/* Text that grows up to |size| octets, the closing zero among them; what does not fit is left out.
 */
struct text {
  char *at;
  size_t size;
  size_t length;
};

static void text_start(struct text *text, char *at, size_t size) {
  *text = (struct text){at, size, 0};
  if (size > 0) at[0] = '\0';
}

static void text_octet(struct text *text, char octet) {
  if (text->length + 1 >= text->size) return;
  text->at[text->length++] = octet;
  text->at[text->length] = '\0';
}

__attribute__((format(printf, 2, 3))) static void text_add(struct text *text, const char *format,
                                                           ...) {
  if (text->length + 1 >= text->size) return;
  va_list arguments;
  va_start(arguments, format);
  size_t room = text->size - text->length;
  int written = vsnprintf(text->at + text->length, room, format, arguments);
  va_end(arguments);
  if (written < 0) return;
  text->length += (size_t)written < room ? (size_t)written : room - 1;
}

static void text_hex(struct text *text, const uint8_t *octets, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    text_octet(text, digits[octets[i] >> 4]);
    text_octet(text, digits[octets[i] & 15u]);
  }
}

/* ---- codes ---- */

struct code_name {
  uint8_t code;
  const char *name;
};

/* RFC 7252, section 12.1.1; RFC 8132, section 6. */
static const struct code_name methods[] = {
    {1, "GET"}, {2, "POST"}, {3, "PUT"}, {4, "DELETE"}, {5, "FETCH"}, {6, "PATCH"}, {7, "iPATCH"},
};

const char *dis_code_text(uint8_t code, char text[16]) {
  if (code == 0) return strcpy(text, "Empty");
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
    if (methods[i].code == code) return strcpy(text, methods[i].name);
  snprintf(text, 16, "%u.%02u", dis_class(code), dis_detail(code));
  return text;
}

const char *dis_type_text(uint8_t type) {
  static const char *const names[] = {"CON", "NON", "ACK", "RST"};
  return type < 4 ? names[type] : "?";
}

/* ---- path ---- */

static bool is_one_of(char c, const char *set) {
  return c != '\0' && strchr(set, c) != NULL;
}

/* Whether |c| stands for itself in a path segment or query (RFC 7252, section 6.5). */
static bool stands_for_itself(char c, const char *others) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return is_one_of(c, "-._~!$'()*+,;=:@") || is_one_of(c, others);
}

static void text_percent(struct text *text, const struct dis_option *option, const char *others) {
  for (unsigned i = 0; i < option->length; i++) {
    char c = (char)option->value[i];
    if (stands_for_itself(c, others))
      text_octet(text, c);
    else if (text->length + 3 < text->size)
      text_add(text, "%%%02X", option->value[i]);
    else
      return;
  }
}

static void text_path(struct text *text, const struct dis_coap *m) {
  if (dis_option_count(m, DIS_URI_PATH, NULL) == 0) text_octet(text, '/');
  char separator = '?';
  for (unsigned i = 0; i < m->option_count; i++) {
    const struct dis_option *option = &m->options[i];
    if (option->number == DIS_URI_PATH) {
      text_octet(text, '/');
      text_percent(text, option, "&");
    } else if (option->number == DIS_URI_QUERY) {
      text_octet(text, separator);
      text_percent(text, option, "/?");
      separator = '&';
    }
  }
}

const char *dis_path_text(const struct dis_coap *message, char *text, size_t size) {
  struct text out;
  text_start(&out, text, size);
  text_path(&out, message);
  return text;
}

/* ---- options ---- */

const char *dis_option_name(uint16_t number, char text[24]) {
  const struct option_definition *definition = option_definition_find(number);
  if (definition) return strcpy(text, definition->name);
  snprintf(text, 24, "Option %u", (unsigned)number);
  return text;
}

/* Characters that are not plain ASCII become "\xNN", so that one line stays one line. */
static void text_printable(struct text *text, const struct dis_option *option) {
  for (unsigned i = 0; i < option->length; i++) {
    uint8_t c = option->value[i];
    if (c > 0x20 && c < 0x7f && c != '\\')
      text_octet(text, (char)c);
    else
      text_add(text, "\\x%02x", c);
  }
}

/* NUM/M/size (RFC 7959, section 2.2). */
static void text_block(struct text *text, const struct dis_option *option) {
  uint32_t value = option_uint(option);
  text_add(text, "%u/%u/", (unsigned)(value >> 4), (unsigned)(value >> 3 & 1));
  if ((value & 7) == 7)
    text_add(text, "reserved");
  else
    text_add(text, "%u", 1u << ((value & 7) + 4));
}

static void text_opaque(struct text *text, const struct dis_option *option) {
  text_add(text, "0x");
  text_hex(text, option->value, option->length);
}

static void text_option(struct text *text, const struct dis_option *option) {
  const struct option_definition *definition = option_definition_find(option->number);
  char name[24];
  enum option_format format = definition ? definition->format : OPTION_OPAQUE;
  bool odd_length = definition && (option->length < definition->min_length ||
                                   option->length > definition->max_length);
  text_add(text, " %s", dis_option_name(option->number, name));
  if (format == OPTION_EMPTY && option->length == 0) return;
  text_octet(text, '=');
  if (format == OPTION_STRING)
    text_printable(text, option);
  else if (format == OPTION_UINT && !odd_length)
    text_add(text, "%u", (unsigned)option_uint(option));
  else if (format == OPTION_BLOCK && !odd_length)
    text_block(text, option);
  else
    text_opaque(text, option);
}

/* ---- messages ---- */

static void text_head(struct text *text, const struct dis_coap *m) {
  char code[16];
  text_add(text, "%s", dis_type_text(m->type));
  /* "ACK" and "RST" alone are Empty; an Empty CON or NON is worth the word. */
  if (m->code != 0 || m->type < DIS_ACK) text_add(text, " %s", dis_code_text(m->code, code));
  if (dis_is_request(m)) {
    text_octet(text, ' ');
    text_path(text, m);
  }
  text_add(text, " mid=0x%04x", m->mid);
  if (m->code == 0 && m->token_length == 0) return;
  text_add(text, " token=");
  text_hex(text, m->token, m->token_length);
  if (m->token_length == 0) text_octet(text, '-');
}

const char *dis_message_text(const struct dis_coap *message, char *text, size_t size) {
  const struct dis_coap *m = message;
  struct text out;
  text_start(&out, text, size);
  if (m->errors & DIS_ERROR_SHORT) {
    text_add(&out, "%zu octets [%s]", m->length, dis_error_text(m->errors));
    return text;
  }
  text_head(&out, m);
  for (unsigned i = 0; i < m->option_count; i++) {
    uint16_t number = m->options[i].number;
    bool in_path = number == DIS_URI_PATH || number == DIS_URI_QUERY;
    if (!in_path || !dis_is_request(m)) text_option(&out, &m->options[i]);
  }
  if (m->payload) text_add(&out, " payload=%zu", m->payload_length);
  if (m->errors) text_add(&out, " [%s]", dis_error_text(m->errors));
  return text;
}

struct error_text {
  uint32_t error;
  const char *text;
};

/* The gravest first: what makes the rest unreadable. */
static const struct error_text error_texts[] = {
    {DIS_ERROR_SHORT, "shorter than the header of 4 octets (RFC 7252, section 3)"},
    {DIS_ERROR_VERSION, "version is not 1 (RFC 7252, section 3)"},
    {DIS_ERROR_EMPTY, "Empty message with octets after the Message ID (RFC 7252, section 4.1)"},
    {DIS_ERROR_TOKEN_LENGTH, "Token Length 9 to 15 (RFC 7252, section 3)"},
    {DIS_ERROR_TOKEN_CUT, "Token longer than the datagram (RFC 7252, section 3)"},
    {DIS_ERROR_OPTION_NIBBLE, "reserved Option Delta or Length 15 (RFC 7252, section 3.1)"},
    {DIS_ERROR_OPTION_CUT, "option runs out of the datagram (RFC 7252, section 3.1)"},
    {DIS_ERROR_OPTION_NUMBER, "Option Number above 65535 (RFC 7252, section 3.1)"},
    {DIS_ERROR_MARKER, "Payload Marker without payload (RFC 7252, section 3)"},
    {DIS_ERROR_CLASS, "reserved code class (RFC 7252, section 4.2)"},
    {DIS_ERROR_EMPTY_NON, "Non-confirmable message that is Empty (RFC 7252, section 4.3)"},
    {DIS_ERROR_RST_CODE, "Reset message that is not Empty (RFC 7252, section 4.2)"},
    {DIS_ERROR_ACK_REQUEST, "Acknowledgement that carries a request (RFC 7252, section 4.2)"},
    {DIS_ERROR_TOO_MANY, "more options than the dissector lists"},
};

const char *dis_error_text(uint32_t errors) {
  for (size_t i = 0; i < sizeof error_texts / sizeof error_texts[0]; i++)
    if (errors & error_texts[i].error) return error_texts[i].text;
  return "no error";
}
