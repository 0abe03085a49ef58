/* SPDX-License-Identifier: BSD-2-Clause */
/* Mutants that rewrite, drop or add messages on their way out. */
#include "mutants/change.h"

static bool group_request(const struct mut_message *m) {
  return mut_is_request(m) && chorus_is_group(&m->destination);
}

static bool unicast_request(const struct mut_message *m) {
  return mut_is_request(m) && !chorus_is_group(&m->destination);
}

/* Towards a group the reference leaves the choice of its address to the host. */
static bool group_response(const struct mut_message *m) {
  return mut_is_response(m) && chorus_is_unspecified(&m->source);
}

/* ---- requests: where to ---- */

/* To a single host, such as a broker. */
static void to_broker(struct mut_node *n, struct mut_message *m) {
  uint16_t port = m->destination.port;
  if (!group_request(m)) return;
  m->destination = n->scenario->addresses[0];
  m->destination.address[15] ^= 0x40u;
  m->destination.port = port;
}
MUTATION(to_broker, outgoing)

static void own_port(struct mut_node *n, struct mut_message *m) {
  uint16_t port = n->scenario->client.port;
  if (group_request(m)) m->destination.port = port ? port : 40000;
}
MUTATION(own_port, outgoing)

static void port_5684(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m)) m->destination.port = CHORUS_COAPS_PORT;
}
MUTATION(port_5684, outgoing)

static void set_scope(struct mut_message *m, unsigned scope) {
  uint8_t *octet = &m->destination.address[1];
  if (!group_request(m) || chorus_is_ipv4(&m->destination)) return;
  *octet = (uint8_t)((*octet & 0xf0u) | scope);
}

static void global_scope(struct mut_node *n, struct mut_message *m) {
  (void)n;
  set_scope(m, 14);
}
MUTATION(global_scope, outgoing)

static void not_all_coap_nodes(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m) && mut_path_is(m, "/.well-known/core")) m->destination.address[15] ^= 3;
}
MUTATION(not_all_coap_nodes, outgoing)

/* A DTLS record begins with type, 254 and 253: as a CoAP header that is version 0 and so on. */
static void dtls_hello(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (!group_request(m)) return;
  m->version = 0;
  m->type = 1;
  m->token_length_field = 6;
  m->code = 0xfe;
  m->mid = 0xfd00;
}
MUTATION(dtls_hello, outgoing)

static void port_per_request(struct mut_node *n, struct mut_message *m) {
  if (!mut_is_request(m)) return;
  m->source.port = (uint16_t)(m->source.port + n->count[0]++ % 1000);
  if (n->count[0] > 1) mut_open(n, m->source.port);
}
MUTATION(port_per_request, outgoing)

/* ---- requests: how ---- */

static void confirmable_request(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m)) m->type = DIS_CON;
}
MUTATION(confirmable_request, outgoing)

static void long_query(struct mut_node *n, struct mut_message *m) {
  char query[150];
  (void)n;
  if (!group_request(m)) return;
  memset(query, 'q', sizeof query);
  mut_option_add(m, DIS_URI_QUERY, query, sizeof query);
}
MUTATION(long_query, outgoing)

static void uri_host(struct mut_node *n, struct mut_message *m) {
  static const char v6[] = "[ff35::1]", v4[] = "239.255.0.1";
  const char *host = chorus_is_ipv4(&m->destination) ? v4 : v6;
  (void)n;
  if (group_request(m)) mut_option_add(m, DIS_URI_HOST, host, strlen(host));
}
MUTATION(uri_host, outgoing)

static void etag_in_get(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m) && m->code == 1) mut_option_add(m, DIS_ETAG, "etag", 4);
}
MUTATION(etag_in_get, outgoing)

static void oscore_option(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m) || group_response(m)) mut_option_add(m, DIS_OSCORE, "", 0);
}
MUTATION(oscore_option, outgoing)

static void group_put_in_blocks(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m) && m->payload_length) mut_option_add_uint(m, DIS_BLOCK1, 0x02);
}
MUTATION(group_put_in_blocks, outgoing)

static void observe_2(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (!mut_is_request(m) || !mut_option_find(m, DIS_OBSERVE)) return;
  mut_option_remove(m, DIS_OBSERVE);
  mut_option_add_uint(m, DIS_OBSERVE, 2);
}
MUTATION(observe_2, outgoing)

static void change_block2(struct mut_message *m, uint32_t set) {
  uint32_t value = mut_option_uint(m, DIS_BLOCK2, UINT32_MAX);
  if (value == UINT32_MAX) return;
  mut_option_remove(m, DIS_BLOCK2);
  mut_option_add_uint(m, DIS_BLOCK2, value | set);
}

static void block_1_of_group(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_request(m)) change_block2(m, 0x10);
}
MUTATION(block_1_of_group, outgoing)

/* A further block is asked of the whole group. */
static void next_block_of_group(struct mut_node *n, struct mut_message *m) {
  if (group_request(m)) n->peer = m->destination;
  if (!unicast_request(m) || mut_option_uint(m, DIS_BLOCK2, 0) < 0x10 || !n->peer.port) return;
  m->destination = n->peer;
  m->type = DIS_NON;
}
MUTATION(next_block_of_group, outgoing)

static void more_in_request(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (mut_is_request(m)) change_block2(m, 0x08);
}
MUTATION(more_in_request, outgoing)

static void szx_7(struct mut_node *n, struct mut_message *m) {
  (void)n;
  change_block2(m, 0x07);
}
MUTATION(szx_7, outgoing)

/* ---- requests: No-Response ---- */

static void nr_two_octets(struct mut_node *n, struct mut_message *m) {
  (void)n;
  uint32_t value = mut_option_uint(m, DIS_NO_RESPONSE, UINT32_MAX);
  if (!mut_is_request(m) || value == UINT32_MAX) return;
  uint8_t octets[2] = {0, (uint8_t)value};
  mut_option_remove(m, DIS_NO_RESPONSE);
  mut_option_add(m, DIS_NO_RESPONSE, octets, 2);
}
MUTATION(nr_two_octets, outgoing)

static void nr_bit_of_class_3(struct mut_node *n, struct mut_message *m) {
  (void)n;
  uint32_t value = mut_option_uint(m, DIS_NO_RESPONSE, UINT32_MAX);
  if (!mut_is_request(m) || value == UINT32_MAX) return;
  mut_option_remove(m, DIS_NO_RESPONSE);
  mut_option_add_uint(m, DIS_NO_RESPONSE, value | 4);
}
MUTATION(nr_bit_of_class_3, outgoing)

/* ---- requests: again ---- */

static void copy_changes(struct mut_node *n, struct mut_message *m) {
  if (!group_request(m)) return;
  if (n->count[0] == m->mid + 1u) mut_payload_text(m, "changed");
  n->count[0] = m->mid + 1u;
}
MUTATION(copy_changes, outgoing)

/* The Message ID of the last unicast request goes into a repeat to the group. */
static void mid_of_unicast(struct mut_node *n, struct mut_message *m) {
  if (unicast_request(m)) n->count[0] = m->mid + 1u;
  if (!group_request(m)) return;
  bool again = n->octets[8] == m->token_length && n->count[1] &&
               memcmp(n->octets, m->token, m->token_length) == 0;
  memcpy(n->octets, m->token, 8);
  n->octets[8] = m->token_length;
  n->count[1] = 1;
  if (again && n->count[0]) m->mid = (uint16_t)(n->count[0] - 1);
}
MUTATION(mid_of_unicast, outgoing)

static void follow_up_keeps_mid(struct mut_node *n, struct mut_message *m) {
  if (group_request(m)) {
    memcpy(n->octets, m->token, 8);
    n->count[0] = m->mid + 1u;
  } else if (mut_is_request(m) && n->count[0] && memcmp(n->octets, m->token, 8) == 0) {
    m->mid = (uint16_t)(n->count[0] - 1);
  }
}
MUTATION(follow_up_keeps_mid, outgoing)

/* Each one several times, as new messages. */
static void burst(struct mut_node *n, const struct mut_message *m, unsigned count) {
  struct mut_message more = *m;
  for (unsigned i = 1; i <= count; i++) {
    more.mid = (uint16_t)(m->mid + 0x4000 + 97 * n->count[3]++);
    if (more.token_length) more.token[0] = (uint8_t)(m->token[0] + i);
    mut_send(n, &more);
  }
}

static void updates_at_once(struct mut_node *n, struct mut_message *m) {
  if (mut_is_request(m) && mut_option_uint(m, DIS_NO_RESPONSE, 0) == 26) burst(n, m, 9);
}
MUTATION(updates_at_once, outgoing)

static void confirmable_burst(struct mut_node *n, struct mut_message *m) {
  if (unicast_request(m) && m->type == DIS_CON) burst(n, m, 3);
}
MUTATION(confirmable_burst, outgoing)

static void non_confirmable_burst(struct mut_node *n, struct mut_message *m) {
  if (unicast_request(m) && m->type == DIS_NON) burst(n, m, 20);
}
MUTATION(non_confirmable_burst, outgoing)

/* ---- responses ---- */

static void large_response(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (!group_response(m)) return;
  mut_option_remove(m, DIS_BLOCK2);
  mut_payload_fill(m, 1024);
}
MUTATION(large_response, outgoing)

static void fragmented_response(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (!mut_is_response(m)) return;
  mut_option_remove(m, DIS_BLOCK2);
  mut_payload_fill(m, 2048);
}
MUTATION(fragmented_response, outgoing)

static void nr_echoed(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (mut_is_response(m)) mut_option_add_uint(m, DIS_NO_RESPONSE, 8);
}
MUTATION(nr_echoed, outgoing)

static void no_content_format(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (mut_is_response(m)) mut_option_remove(m, DIS_CONTENT_FORMAT);
}
MUTATION(no_content_format, outgoing)

static void second_block_first(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (group_response(m)) change_block2(m, 0x10);
}
MUTATION(second_block_first, outgoing)

static void short_block(struct mut_node *n, struct mut_message *m) {
  (void)n;
  bool more = mut_option_uint(m, DIS_BLOCK2, 0) & 0x08;
  if (mut_is_response(m) && more && m->payload_length > 1) m->payload_length--;
}
MUTATION(short_block, outgoing)

static void option_twice(struct mut_node *n, struct mut_message *m) {
  (void)n;
  const struct mut_option *o = mut_option_find(m, DIS_CONTENT_FORMAT);
  if (mut_is_response(m) && o) mut_option_add(m, DIS_CONTENT_FORMAT, o->value, o->length);
}
MUTATION(option_twice, outgoing)

static void token_in_reset(struct mut_node *n, struct mut_message *m) {
  (void)n;
  if (m->code != 0 || m->type != DIS_RST) return;
  m->token_length = 4;
  memset(m->token, 0x5c, 4);
}
MUTATION(token_in_reset, outgoing)

static void empty_non(struct mut_node *n, struct mut_message *m) {
  struct mut_message empty = {.version = 1, .type = DIS_NON, .token_length_field = -1};
  if (!mut_is_response(m)) return;
  empty.source = m->source;
  empty.destination = m->destination;
  empty.mid = (uint16_t)(m->mid + 0x4000);
  mut_send(n, &empty);
}
MUTATION(empty_non, outgoing)

/* ---- control ---- */

static void no_op_messages(struct mut_node *n, struct mut_message *m) {
  (void)m;
  mut_note(n);
}

void mut_no_op_datagrams(struct mut_change *change) {
  change->outgoing = no_op_messages;
  change->incoming = no_op_messages;
}
