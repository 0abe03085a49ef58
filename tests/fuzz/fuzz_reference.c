/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference's input: a server and a client get any datagrams, by unicast and by multicast, with
 * time going on in between. An input is a list of (flags, length, octets).
 */
#include <string.h>

#include "chorus/endpoint_text.h"
#include "chorus/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_host {
  struct chorus_host host;
  chorus_time deadline;
  uint64_t random;
};

static int host_send(void *context, const struct chorus_datagram *datagram) {
  (void)context;
  return datagram->length > 65507 ? CHORUS_TOO_LARGE : CHORUS_OK;
}

static void host_deadline(void *context, chorus_time at) {
  ((struct fuzz_host *)context)->deadline = at;
}

static int host_open(void *context, uint16_t port) {
  (void)context;
  (void)port;
  return CHORUS_OK;
}

static void host_close(void *context, uint16_t port) {
  (void)context;
  (void)port;
}

static int host_join(void *context, const struct chorus_endpoint *group) {
  (void)context;
  (void)group;
  return CHORUS_OK;
}

static void host_leave(void *context, const struct chorus_endpoint *group) {
  (void)context;
  (void)group;
}

static void host_event(void *context, const struct chorus_event *event) {
  (void)context;
  (void)event;
}

static uint64_t host_random(void *context, uint32_t purpose) {
  struct fuzz_host *h = context;
  h->random = (h->random + purpose + 1) * UINT64_C(0x9e3779b97f4a7c15);
  return h->random ^ h->random >> 29;
}

static const struct chorus_host_ops host_ops = {host_send, host_deadline, host_open,  host_close,
                                                host_join, host_leave,    host_event, host_random};

static void feed(struct chorus_node node, struct fuzz_host *host, const uint8_t *data,
                 size_t size) {
  struct chorus_endpoint peer, own, group;
  chorus_time now = 0;
  chorus_endpoint_parse("[2001:db8::9]:40000", 0, &peer);
  chorus_endpoint_parse("[2001:db8::1]:5683", 0, &own);
  chorus_endpoint_parse("[ff35::1]:5683", 0, &group);
  while (size >= 2) {
    uint8_t flags = data[0];
    size_t length = data[1] < size - 2 ? data[1] : size - 2;
    struct chorus_datagram datagram = {.source = peer,
                                       .destination = flags & 1 ? group : own,
                                       .payload = data + 2,
                                       .length = length,
                                       .hop_limit = 64};
    datagram.source.port = (uint16_t)(40000 + (flags >> 1 & 3));
    node.ops->datagram(node.state, now, &datagram);
    now += (chorus_time)(flags >> 3) * CHORUS_SECOND;
    for (int i = 0; i < 64 && host->deadline <= now; i++) {
      chorus_time at = host->deadline;
      host->deadline = CHORUS_NEVER;
      node.ops->wake(node.state, at);
    }
    data += 2 + length;
    size -= 2 + length;
  }
  if (node.ops->stop) node.ops->stop(node.state, now);
}

static void run_server(const uint8_t *data, size_t size) {
  static const struct ref_resource resources[] = {
      {.path = "/a",
       .methods = REF_GET | REF_PUT | REF_POST | REF_DELETE | REF_FETCH | REF_PATCH,
       .content_format = UINT16_MAX,
       .no_response = true,
       .attributes = "rt=\"x y\""},
      {.path = "/n",
       .kind = REF_RESOURCE_COUNTER,
       .methods = REF_GET | REF_POST,
       .content_format = UINT16_MAX,
       .suppress = REF_SUPPRESS_2XX},
  };
  struct ref_server_config config = {.resources = resources, .resource_count = 2};
  struct fuzz_host host = {.deadline = CHORUS_NEVER};
  host.host = (struct chorus_host){&host_ops, &host};
  struct chorus_node node = ref_server_new(&config, NULL);
  if (!node.ops) return;
  if (node.ops->start(node.state, 0, &host.host) == CHORUS_OK) feed(node, &host, data, size);
  ref_server_free(node);
}

/* Requests with an empty Token, so that responses of any input can match. */
static void run_client(const uint8_t *data, size_t size) {
  struct ref_client_config config = {.port = 40000, .empty_token = true};
  struct chorus_argument arguments[] = {
      {"id", "q"}, {"method", "GET"}, {"uri", "coap://[ff35::1]/a"}, {"timeout", "60s"}};
  struct chorus_command command = {"request", arguments, 4};
  struct chorus_argument links[] = {{"of", "q"}, {"id", "f"}};
  struct chorus_command follow = {"follow", links, 2};
  struct fuzz_host host = {.deadline = CHORUS_NEVER};
  const char *why = "";
  host.host = (struct chorus_host){&host_ops, &host};
  struct chorus_node node = ref_client_new(&config, NULL);
  if (!node.ops) return;
  if (node.ops->start(node.state, 0, &host.host) == CHORUS_OK) {
    node.ops->command(node.state, 0, &command, &why);
    node.ops->command(node.state, 0, &follow, &why);
    feed(node, &host, data, size);
  }
  ref_client_free(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] & 1)
    run_client(data + 1, size - 1);
  else
    run_server(data + 1, size - 1);
  return 0;
}
