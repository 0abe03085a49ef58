/* SPDX-License-Identifier: BSD-2-Clause */
/* Discovery with /.well-known/core (RFC 6690; RFC 7252, section 7.2) by group and by unicast. */
#include "rules/checks.h"
#include "rules/link_format.h"
#include "rules/server.h"

#define LINK_FORMAT      40u /* application/link-format (RFC 7252, section 12.3) */
#define LINK_FORMAT_CBOR 64u
#define LINK_FORMAT_JSON 504u

/* ---- the representation: COAP-7.2-01, LF-4-01 ---- */

/* Another link format may have been asked for by Accept. */
static bool other_link_format(uint32_t format) {
  return format == LINK_FORMAT_CBOR || format == LINK_FORMAT_JSON;
}

/* Who asks for something else than links may get it (RFC 7252, section 5.10.4). */
static bool asks_for_links(const struct jdg_request *q) {
  if (q->accept != DIS_PRESENT) return q->accept == DIS_ABSENT;
  return q->accept_value == LINK_FORMAT || other_link_format(q->accept_value);
}

/* A response to discovery at the default port, that is no part of a larger representation. */
static bool describes(const struct jdg_look *look) {
  const struct jdg_leg *leg = look->leg;
  if (!leg || look->copy || !leg->request->discovery || leg->request->oscore) return false;
  if (leg->request->previous || leg->request->blockwise) return false;
  if (!asks_for_links(leg->request)) return false;
  return leg->request->destination.port == CHORUS_COAP_PORT &&
         dis_option_count(look->coap, DIS_OSCORE, NULL) == 0;
}

static bool is_part(const struct dis_coap *m) {
  return dis_option_count(m, DIS_BLOCK2, NULL) > 0;
}

static bool parses(const struct dis_coap *m) {
  struct rule_text rest = {m->payload, m->payload_length};
  struct rule_link link;
  while (rule_link_next(&rest, &link)) continue;
  return rest.length == 0;
}

/* What is wrong with the representation, or NULL. |strict|: Content-Format is expected to be there.
 */
static const char *representation_fault(const struct dis_coap *m, bool strict) {
  uint32_t format = 0;
  enum dis_presence presence = dis_option_uint(m, DIS_CONTENT_FORMAT, 2, &format);
  if (presence == DIS_PRESENT && other_link_format(format)) return NULL;
  if (presence == DIS_PRESENT && format != LINK_FORMAT) return "another Content-Format";
  if (m->payload_length == 0) return NULL; /* no links */
  if (presence != DIS_PRESENT && strict) return "no Content-Format";
  if (!is_part(m) && !parses(m)) return "payload is no list of links";
  return NULL;
}

static void representation(struct jdg_look *look, bool strict) {
  if (look->coap->code != RULE_CODE(2, 5)) return;
  char message[96];
  const char *fault = representation_fault(look->coap, strict);
  if (fault)
    jdg_break(look, look->frame, "2.05 with Content-Format 40 and links, or without payload",
              "%s: %s", rule_message(look, message), fault);
  else
    jdg_pass(look);
}

void rule_coap_7_2_01(struct jdg_look *look) {
  if (describes(look)) representation(look, true);
}

void rule_lf_4_01(struct jdg_look *look) {
  if (!describes(look)) return;
  bool promised = look->host->ics.discovery == JDG_YES && !look->leg->request->has_query;
  char message[96];
  if (promised && look->coap->code == RULE_CODE(4, 4))
    jdg_break(look, look->frame, "2.05 for /.well-known/core, even without links", "response %s",
              rule_message(look, message));
  else
    representation(look, false);
}

/* ---- queries to a group: LF-4.1-02, RFC7390-2.7-02 ---- */

/* A group request for /.well-known/core with a query, on which default suppression decides. */
static bool filtered(const struct jdg_request *q) {
  return q->group && q->discovery && q->has_query && q->no_response == DIS_ABSENT && !q->oscore &&
         !q->blockwise;
}

struct filter {
  char text[96];
  struct rule_text name, value;
};

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/* Undoes percent-encoding in place. */
static size_t decode(char *text) {
  size_t n = 0;
  for (size_t i = 0; text[i]; i++) {
    bool escape = text[i] == '%' && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0;
    text[n++] = escape ? (char)(hex(text[i + 1]) * 16 + hex(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  text[n] = '\0';
  return n;
}

/* The one name=value of the query; false if there are several, or the text was cut. */
static bool read_filter(const struct jdg_request *q, struct filter *f) {
  const char *query = strchr(q->path, '?');
  if (!query || strlen(q->path) + 1 >= sizeof q->path || strchr(query, '&')) return false;
  memcpy(f->text, query + 1, strlen(query));
  size_t length = decode(f->text);
  const char *equals = strchr(f->text, '=');
  if (!equals) return false;
  f->name = (struct rule_text){(const uint8_t *)f->text, (size_t)(equals - f->text)};
  f->value = (struct rule_text){(const uint8_t *)equals + 1, length - f->name.length - 1};
  return f->name.length > 0;
}

/* Errors that say no more than that nothing matches, or that filters are not supported. */
static bool no_match_error(uint8_t code) {
  return code == RULE_CODE(4, 0) || code == RULE_CODE(4, 4) || code == RULE_CODE(5, 1);
}

/* Whether no link of the representation matches; false where that cannot be told. */
static bool matches_nothing(const struct jdg_look *look) {
  const struct dis_coap *m = look->coap;
  struct filter filter;
  struct rule_text rest = {m->payload, m->payload_length};
  struct rule_link link;
  if (m->code != RULE_CODE(2, 5)) return no_match_error(m->code);
  if (m->payload_length == 0) return true;
  if (is_part(m) || !parses(m) || !read_filter(look->leg->request, &filter)) return false;
  while (rule_link_next(&rest, &link))
    if (rule_link_matches(&link, filter.name, filter.value)) return false;
  return true;
}

static void kept_silent(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  if (!r->request || !filtered(r->request) || r->bad != JDG_GOOD) return;
  if (!rule_answered(look)) jdg_pass(look);
}

static void answered(struct jdg_look *look, const char *expected) {
  char message[96];
  jdg_break(look, look->frame, expected, "response %s to GET %s", rule_message(look, message),
            look->leg->request->path);
}

/* LF-4.1-02, COAP-8.2-02, RFC7390-2.7-04 */
void rule_lf_4_1_02(struct jdg_look *look) {
  if (look->host->ics.mcast_aware == JDG_NO) return; /* the exception of the text */
  if (look->hook == JDG_ON_WINDOW) {
    kept_silent(look);
    return;
  }
  if (!jdg_answers_group(look) || look->copy || !filtered(look->leg->request)) return;
  if (matches_nothing(look)) answered(look, "no response, for the filter matches nothing");
}

void rule_rfc7390_2_7_02(struct jdg_look *look) {
  if (look->host->ics.filter != JDG_NO) return;
  if (look->hook == JDG_ON_WINDOW) {
    kept_silent(look);
    return;
  }
  if (!jdg_answers_group(look) || look->copy || !filtered(look->leg->request)) return;
  answered(look, "no response, for the server does not filter");
}
