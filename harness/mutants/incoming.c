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

static void group_at_5684(struct mut_node *n) {
  const struct ref_server_config *c = &n->scenario->server;
  for (size_t g = 0; g < c->group_count; g++) {
    struct chorus_endpoint group = c->groups[g];
    group.port = CHORUS_COAPS_PORT;
    struct chorus_event event = {.type = CHORUS_EVENT_JOIN, .peer = group};
    mut_join(n, &group);
    mut_report(n, &event);
  }
}
MUTATION(group_at_5684, start)

/* An address of the node in place of a group. */
static void make_unicast(const struct mut_node *n, struct chorus_endpoint *destination) {
  if (!chorus_is_group(destination)) return;
  for (size_t i = 0; i < n->scenario->address_count; i++) {
    struct chorus_endpoint own = n->scenario->addresses[i];
    if (chorus_is_ipv4(&own) != chorus_is_ipv4(destination)) continue;
    own.port = destination->port;
    *destination = own;
    return;
  }
}

static void unicast_message(struct mut_node *n, struct mut_message *m) {
  make_unicast(n, &m->destination);
}

static bool unicast_octets(struct mut_node *n, const struct chorus_datagram *d) {
  struct mut_message m;
  struct chorus_datagram copy = *d;
  if (!chorus_is_group(&d->destination) || mut_message_read(&m, d)) return false;
  make_unicast(n, &copy.destination);
  mut_hand_in(n, &copy);
  return true;
}

/* ---- memberships ---- */

static bool leaves_nothing(struct mut_node *n, const struct chorus_endpoint *group) {
  (void)n;
  (void)group;
  return false;
}
MUTATION(leaves_nothing, leave)

/* The destination address is not looked at: all is unicast. */
void mut_group_as_unicast(struct mut_change *change) {
  change->incoming = unicast_message;
  change->damaged = unicast_octets;
}

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

/* ---- acknowledgements from anybody ---- */

static void keep_peer(struct mut_node *n, struct mut_message *m) {
  if (!mut_is_request(m) || m->type != DIS_CON) return;
  n->peer = m->destination;
  n->count[0] = m->mid + 1u;
}

static void from_peer(struct mut_node *n, struct mut_message *m) {
  if (m->code == 0 && n->count[0] == m->mid + 1u) m->source = n->peer;
}

/* An ACK or RST counts for its Message ID alone. */
void mut_ack_by_mid_alone(struct mut_change *change) {
  change->outgoing = keep_peer;
  change->incoming = from_peer;
}

/* ---- a client that is a member, too ---- */

static void join_destination(struct mut_node *n, struct mut_message *m) {
  if (mut_is_request(m) && chorus_is_group(&m->destination)) mut_join(n, &m->destination);
}

static void answer_group(struct mut_node *n, struct mut_message *m) {
  struct mut_message answer;
  if (!mut_is_request(m) || !to_group(m)) return;
  mut_response(&answer, m, DIS_NON, REF_CODE(2, 5));
  mut_send(n, &answer);
}

void mut_joins_and_answers(struct mut_change *change) {
  change->outgoing = join_destination;
  change->incoming = answer_group;
}

/* ---- two clients of one host that share what they know ---- */

static uint16_t own_port_of(const struct mut_node *n) {
  return n->scenario->client.port ? n->scenario->client.port : 40000;
}

static void open_next_port(struct mut_node *n) {
  mut_open(n, (uint16_t)(own_port_of(n) + 1));
}

static void next_port_is_own(struct mut_node *n, struct mut_message *m) {
  if (m->destination.port == own_port_of(n) + 1) m->destination.port = own_port_of(n);
}

void mut_shared_tokens(struct mut_change *change) {
  change->start = open_next_port;
  change->incoming = next_port_is_own;
}
