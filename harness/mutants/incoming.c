/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutants that hear wrongly: messages rewritten, dropped or answered on their way in. */
#include "mutants/change.h"

/* ---- deaf ears ---- */

static bool to_group(const struct mut_message *m) {
  return chorus_is_group(&m->destination);
}

static void deaf_at_5683(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (to_group(m) && m->destination.port == CHORUS_COAP_PORT) m->copies = 0;
}
MUTATION(deaf_at_5683, incoming)

static void deaf_at_other_ports(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (to_group(m) && m->destination.port != CHORUS_COAP_PORT) m->copies = 0;
}
MUTATION(deaf_at_other_ports, incoming)

static void deaf_to_groups(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (to_group(m)) m->copies = 0;
}
MUTATION(deaf_to_groups, incoming)

/* ---- other ears ---- */

static const uint16_t other_ports[] = {5682, 5683, 5684, 5685, 6000, 7000, 61616, 61617};

/* As a socket of the wildcard address: whatever the host gets, on any port. */
static void all_ports(struct mut_node *n) {
  const struct ref_server_config *c = &n->scenario->server;
  for (size_t g = 0; g < c->group_count; g++)
    for (size_t i = 0; i < sizeof other_ports / sizeof *other_ports; i++) {
      struct chorus_endpoint group = c->groups[g];
      group.port = other_ports[i];
      mut_join(n, &group);
    }
}
MUTATION(all_ports, start)

/* The destination address is not looked at: all is unicast. */
static void group_as_unicast(struct mut_node *n, struct mut_message *m) {
  if (!to_group(m)) return;
  for (size_t i = 0; i < n->scenario->address_count; i++) {
    struct chorus_endpoint own = n->scenario->addresses[i];
    if (chorus_is_ipv4(&own) != chorus_is_ipv4(&m->destination)) continue;
    own.port = m->destination.port;
    m->destination = own;
    return;
  }
}
MUTATION(group_as_unicast, incoming)

/* ---- acknowledgements that should not be ---- */

static void acks_group(struct mut_node *n, struct mut_message *m) {
  struct mut_message ack;
  if (!to_group(m) || !mut_is_request(m)) return;
  mut_empty_reply(&ack, m, DIS_ACK);
  mut_send(n, &ack);
}
MUTATION(acks_group, incoming)

/* ---- tolerance ---- */

/* Hands in what can be read of a message with one of these errors. */
static bool tolerate(struct mut_node *n, const struct chorus_datagram *d, uint32_t errors) {
  struct dis_coap c;
  struct mut_message m;
  uint8_t header[4];
  dis_coap_parse(&c, d->payload, d->length);
  if (!(c.errors & errors) || d->length < 4) return false;
  struct chorus_datagram start = *d;
  memcpy(header, d->payload, 4);
  header[0] &= 0xf0u;
  start.payload = header;
  start.length = 4;
  if (!mut_message_read(&m, &start)) return false;
  m.token_length = (uint8_t)(d->length < 12 ? d->length - 4 : 8);
  if (!(c.errors & DIS_ERROR_TOKEN_LENGTH)) m.token_length = c.token_length;
  memcpy(m.token, d->payload + 4, m.token_length);
  for (size_t i = 0; i < c.option_count; i++)
    m.options[m.option_count++] =
        (struct mut_option){c.options[i].number, c.options[i].length, c.options[i].value};
  mut_deliver(n, &m);
  return true;
}

static bool token_truncated(struct mut_node *n, const struct chorus_datagram *d) {
  return tolerate(n, d, DIS_ERROR_TOKEN_LENGTH);
}
MUTATION(token_truncated, damaged)

static bool marker_ignored(struct mut_node *n, const struct chorus_datagram *d) {
  return tolerate(n, d, DIS_ERROR_MARKER);
}
MUTATION(marker_ignored, damaged)

static bool bad_option_skipped(struct mut_node *n, const struct chorus_datagram *d) {
  return tolerate(n, d, DIS_ERROR_OPTION_NIBBLE | DIS_ERROR_OPTION_CUT | DIS_ERROR_OPTION_NUMBER);
}
MUTATION(bad_option_skipped, damaged)

/* Of several occurrences the last one counts. */
static void last_occurrence(struct mut_node *n, struct mut_message *m) {
  size_t kept = 0;
  (void)n;
  for (size_t i = 0; i < m->option_count; i++) {
    bool later = i + 1 < m->option_count && m->options[i + 1].number == m->options[i].number;
    if (later && !dis_option_repeatable(m->options[i].number)) continue;
    m->options[kept++] = m->options[i];
  }
  m->option_count = kept;
}
MUTATION(last_occurrence, incoming)

static void szx_7_is_2048(struct mut_node *n, struct mut_message *m) {
  uint32_t value = mut_option_uint(m, DIS_BLOCK2, 0);
  (void)n;
  if (!mut_is_request(m) || (value & 7u) != 7u) return;
  mut_option_remove(m, DIS_BLOCK2);
  mut_option_add_uint(m, DIS_BLOCK2, value & ~1u);
}
MUTATION(szx_7_is_2048, incoming)

/* ---- matching ---- */

static void keep_token(struct mut_node *n, struct mut_message *m) {
  if (!mut_is_request(m)) return;
  memcpy(n->octets, m->token, 8);
  n->octets[8] = m->token_length;
  n->count[0] = 1;
}

static void last_token(struct mut_node *n, struct mut_message *m) {
  if (!mut_is_response(m) || !n->count[0]) return;
  memcpy(m->token, n->octets, 8);
  m->token_length = n->octets[8];
}

/* Whatever comes answers the request that went out last. */
void mut_token_ignored(struct mut_change *change) {
  change->outgoing = keep_token;
  change->incoming = last_token;
}
