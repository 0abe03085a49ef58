/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server costs, and that its steady state allocates nothing. The linker wraps malloc & co.
 */
#include "bench_host.h"

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

/* The one variable of the tests: the wrappers have no other place to count in. */
static struct { size_t calls, octets; } allocated;

void *__wrap_malloc(size_t size) {
  allocated.calls++;
  allocated.octets += size;
  return __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
  allocated.calls++;
  allocated.octets += count * size;
  return __real_calloc(count, size);
}
void *__wrap_realloc(void *old, size_t size) {
  allocated.calls++;
  allocated.octets += size;
  return __real_realloc(old, size);
}
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  allocated.calls++;
  allocated.octets += size;
  return __real_aligned_alloc(alignment, size);
}

enum { SERVERS = 1000, ROUNDS = 50 };

static const struct ref_resource resources[] = {
    {.path = "/sensors/temperature",
     .payload = (const uint8_t *)"22.5 C",
     .payload_length = 6,
     .attributes = "rt=\"temperature-c\";if=\"sensor\""},
    {.path = "/light", .payload = (const uint8_t *)"off", .payload_length = 3},
    {.path = "/count", .kind = REF_RESOURCE_COUNTER},
    {.path = "/error", .kind = REF_RESOURCE_FIXED, .code = REF_CODE(5, 0)},
};

/* A host without assertions: those allocate. Nobody listens to events. */
static int quiet_send(void *context, const struct chorus_datagram *datagram) {
  struct bench *b = context;
  b->sent_count += datagram->length > 0;
  return CHORUS_OK;
}

static const struct chorus_host_ops quiet_ops = {.send = quiet_send,
                                                 .deadline = bench_deadline,
                                                 .open = bench_open,
                                                 .close = bench_close,
                                                 .join = bench_join,
                                                 .leave = bench_leave,
                                                 .random = bench_random};

static void quiet_start(struct bench *b, struct chorus_node node) {
  *b = (struct bench){.node = node, .deadline = CHORUS_NEVER, .random = 42};
  b->host = (struct chorus_host){&quiet_ops, b};
  node.ops->start(node.state, 0, &b->host);
}

static void quiet_run(struct bench *b, chorus_time until) {
  while (b->deadline <= until) {
    b->now = b->deadline;
    b->deadline = CHORUS_NEVER;
    b->node.ops->wake(b->node.state, b->now);
  }
  b->now = until;
}

START_TEST(thousand_idle_servers) {
  struct chorus_node nodes[SERVERS];
  struct chorus_endpoint groups[2] = {endpoint("[ff35::1]:5683"), endpoint("224.0.1.1:5683")};
  struct ref_server_config config = {
      .resources = resources, .resource_count = 4, .groups = groups, .group_count = 2};
  struct bench b;
  allocated.calls = allocated.octets = 0;
  for (size_t i = 0; i < SERVERS; i++) quiet_start(&b, nodes[i] = ref_server_new(&config, NULL));
  size_t calls = allocated.calls, octets = allocated.octets;
  ck_assert_uint_eq(calls, 2 * SERVERS); /* an agenda and the rest */
  ck_assert_uint_le(octets, SERVERS * 2048u);
  ck_assert_uint_eq(octets, SERVERS * ref_server_footprint(&nodes[0]));
  for (size_t i = 0; i < SERVERS; i++) ref_server_free(nodes[i]);
}
END_TEST

START_TEST(steady_state_of_a_server) {
  struct ref_server_config config = {.resources = resources, .resource_count = 4};
  struct chorus_endpoint from = endpoint("[2001:db8::c]:40000"), to = endpoint("[ff05::fd]:5683");
  struct bench b;
  quiet_start(&b, ref_server_new(&config, NULL));
  allocated.calls = 0;
  for (uint16_t i = 0; i < ROUNDS; i++) {
    struct crafted c;
    option(option(craft(&c, REF_NON, 1, i, "12345678"), 11, "sensors"), 11, "temperature");
    struct chorus_datagram d = {
        .source = from, .destination = to, .payload = c.octets, .length = ref_writer_end(&c.w)};
    b.node.ops->datagram(b.node.state, b.now, &d);
    quiet_run(&b, b.now + 10 * CHORUS_SECOND);
  }
  size_t calls = allocated.calls;
  ck_assert_uint_eq(calls, 0);
  ck_assert_uint_eq(b.sent_count, ROUNDS);
  ref_server_free(b.node);
}
END_TEST

/* A client allocates per request, not per response: its set of responders is used again. */
START_TEST(steady_state_of_a_client) {
  struct ref_client_config config = {0};
  struct chorus_endpoint server = endpoint("[2001:db8::1]:5683"),
                         self = endpoint("[2001:db8::c]:40000");
  struct bench b;
  quiet_start(&b, ref_client_new(&config, NULL));
  for (int round = 0; round < 3; round++) {
    struct crafted c;
    b.why = "";
    ck_assert_int_eq(ask(&b, "request", "id", "q", "uri", "coap://[ff35::1]/x", "token", "0102"),
                     CHORUS_OK);
    craft(&c, REF_NON, REF_CODE(2, 5), 1, "\x01\x02");
    struct chorus_datagram d = {
        .source = server, .destination = self, .payload = c.octets, .length = ref_writer_end(&c.w)};
    allocated.calls = 0;
    for (uint16_t i = 0; i < 1000; i++) {
      memcpy(d.source.address + 14, &i, 2);
      b.node.ops->datagram(b.node.state, b.now, &d);
    }
    size_t calls = allocated.calls;
    if (round == 0) ck_assert_uint_gt(calls, 0);
    if (round > 0) ck_assert_uint_eq(calls, 0);
    quiet_run(&b, b.now + 1000 * CHORUS_SECOND);
  }
  ref_client_free(b.node);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {thousand_idle_servers, steady_state_of_a_server,
                                steady_state_of_a_client};
  return RUN_TESTS("footprint", tests);
}
