/* SPDX-License-Identifier: BSD-2-Clause */
#include "reassembly.h"

#include "chorus/endpoint_text.h"
#include "random.h"
#include "suite.h"

#define PARTS_MAX 64

/* A UDP packet, its fragments, and a receiver. */
struct bench {
  struct emu_pool pool;
  struct emu_reassembly reassembly;
  uint32_t list;
  uint8_t packet[4100];
  uint32_t length;
  uint8_t parts[PARTS_MAX][1500];
  uint32_t sizes[PARTS_MAX];
  uint32_t count;
};

static void cut(struct bench *b, bool v4, uint32_t mtu, uint32_t identification) {
  uint8_t payload[4000];
  for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)(i * 5 + i / 256);
  struct emu_ip ip = {.v4 = v4, .hop_limit = 1};
  ck_assert(chorus_endpoint_parse(v4 ? "10.0.0.1:1" : "[2001:db8::1]:1", 0, &ip.source));
  ck_assert(chorus_endpoint_parse(v4 ? "224.0.1.187:2" : "[ff05::fd]:2", 0, &ip.destination));
  b->length = emu_udp_write(b->packet, &ip, payload, sizeof payload);
  uint32_t total = b->length - emu_packet_size(v4, 0), body = emu_fragment_body(v4, mtu);
  b->count = 0;
  for (uint32_t offset = 0; offset < total; offset += body, b->count++)
    b->sizes[b->count] =
        emu_fragment_write(b->parts[b->count], b->packet, b->length, offset, body, identification);
}

static struct bench *new_bench(bool v4, uint32_t mtu) {
  struct bench *b = calloc(1, sizeof *b);
  emu_reassembly_init(&b->reassembly, &b->pool, 2);
  b->list = EMU_STORE_NONE;
  cut(b, v4, mtu, 5);
  return b;
}

static void free_bench(struct bench *b) {
  emu_reassembly_free(&b->reassembly);
  emu_pool_free(&b->pool);
  free(b);
}

static enum emu_part_result add_octets(struct bench *b, const uint8_t *octets, uint32_t size,
                                       uint64_t id, uint32_t *partial) {
  struct emu_ip ip;
  ck_assert(emu_ip_parse(octets, size, &ip));
  return emu_reassembly_add(&b->reassembly, &b->list, 3, &ip, id, partial);
}

static enum emu_part_result add(struct bench *b, uint32_t i, uint32_t *partial) {
  return add_octets(b, b->parts[i], b->sizes[i], 100 + i, partial);
}

static void expect_whole(struct bench *b, uint32_t partial, bool v4) {
  const struct emu_partial *p = emu_reassembly_at(&b->reassembly, partial);
  struct emu_udp udp;
  ck_assert_uint_eq(p->body->length, b->length - emu_packet_size(v4, 0));
  ck_assert_mem_eq(p->body->data, b->packet + emu_packet_size(v4, 0), p->body->length);
  ck_assert(emu_udp_parse(&p->ip, p->body->data, p->body->length, &udp));
  ck_assert_uint_eq(p->receiver, 3);
}

/* Fragment, permute, reassemble: nothing changes. */
START_TEST(any_order_gives_the_datagram_back) {
  for (int v4 = 0; v4 < 2; v4++) {
    struct bench *b = new_bench(v4, v4 ? 576 : 1280);
    for (uint64_t seed = 0; seed < 50; seed++) {
      uint32_t order[PARTS_MAX], partial;
      for (uint32_t i = 0; i < b->count; i++) {
        uint32_t j = emu_below(emu_random(seed, i), i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      for (uint32_t i = 0; i < b->count; i++) {
        enum emu_part_result result = add(b, order[i], &partial);
        ck_assert_int_eq(result, i == 0             ? EMU_PART_STARTS
                                 : i + 1 < b->count ? EMU_PART_WAITS
                                                    : EMU_PART_COMPLETES);
      }
      expect_whole(b, partial, v4);
      ck_assert_uint_eq(emu_partial_parts(emu_reassembly_at(&b->reassembly, partial)), b->count);
      emu_reassembly_release(&b->reassembly, &b->list, partial);
      ck_assert_uint_eq(b->list, EMU_STORE_NONE);
    }
    free_bench(b);
  }
}
END_TEST

START_TEST(exact_duplicates_do_no_harm) {
  struct bench *b = new_bench(false, 1280);
  uint32_t partial;
  for (uint32_t i = 0; i + 1 < b->count; i++) {
    add(b, i, &partial);
    ck_assert_int_eq(add(b, i, &partial), EMU_PART_WAITS);
  }
  ck_assert_int_eq(add(b, b->count - 1, &partial), EMU_PART_COMPLETES);
  expect_whole(b, partial, false);
  ck_assert_uint_eq(emu_partial_parts(emu_reassembly_at(&b->reassembly, partial)),
                    2 * b->count - 1);
  ck_assert_uint_eq(emu_partial_part(emu_reassembly_at(&b->reassembly, partial), 1), 100);
  free_bench(b);
}
END_TEST

START_TEST(overlaps_spoil_the_datagram) {
  struct bench *b = new_bench(false, 1280);
  uint32_t partial;
  add(b, 0, &partial);
  b->parts[0][60] ^= 1; /* same place, other contents */
  ck_assert_int_eq(add(b, 0, &partial), EMU_PART_SPOILS);
  ck_assert_uint_eq(emu_partial_parts(emu_reassembly_at(&b->reassembly, partial)), 2);
  free_bench(b);
}
END_TEST

START_TEST(a_second_end_spoils_the_datagram) {
  struct bench *b = new_bench(false, 1280);
  uint32_t partial;
  add(b, b->count - 1, &partial);
  uint8_t *offset = &b->parts[1][43]; /* low octet of the field: now claims to be the last */
  *offset = (uint8_t)(*offset & ~1u);
  ck_assert_int_eq(add(b, 1, &partial), EMU_PART_SPOILS);
  free_bench(b);
}
END_TEST

START_TEST(datagrams_do_not_mix) {
  struct bench *b = new_bench(true, 576);
  uint32_t first, second;
  ck_assert_int_eq(add(b, 0, &first), EMU_PART_STARTS);
  cut(b, true, 576, 6);
  ck_assert_int_eq(add(b, 1, &second), EMU_PART_STARTS);
  ck_assert_uint_ne(first, second);
  cut(b, true, 576, 7); /* a third one is beyond the limit */
  uint32_t third;
  ck_assert_int_eq(add(b, 0, &third), EMU_PART_REFUSED);
  emu_reassembly_release(&b->reassembly, &b->list, first);
  ck_assert_int_eq(add(b, 0, &third), EMU_PART_STARTS);
  free_bench(b);
}
END_TEST

START_TEST(malformed_fragments_are_refused) {
  struct bench *b = new_bench(false, 1280);
  struct emu_ip ip;
  uint32_t partial;
  ck_assert(emu_ip_parse(b->parts[0], b->sizes[0], &ip));
  ip.length -= 1; /* not the last, and no multiple of 8 */
  ck_assert_int_eq(emu_reassembly_add(&b->reassembly, &b->list, 3, &ip, 1, &partial),
                   EMU_PART_REFUSED);
  ip.length = 1232;
  ip.offset = 65528;
  ck_assert_int_eq(emu_reassembly_add(&b->reassembly, &b->list, 3, &ip, 1, &partial),
                   EMU_PART_REFUSED);
  ip.offset = 0;
  ip.length = 0;
  ck_assert_int_eq(emu_reassembly_add(&b->reassembly, &b->list, 3, &ip, 1, &partial),
                   EMU_PART_REFUSED);
  ck_assert_uint_eq(b->list, EMU_STORE_NONE);
  free_bench(b);
}
END_TEST

/* The timer of a datagram must not end a later one that got its place. */
START_TEST(generations_tell_datagrams_apart) {
  struct bench *b = new_bench(false, 1280);
  uint32_t first, second;
  add(b, 0, &first);
  uint32_t generation = emu_reassembly_at(&b->reassembly, first)->generation;
  emu_reassembly_release(&b->reassembly, &b->list, first);
  add(b, 1, &second);
  ck_assert_uint_eq(first, second);
  ck_assert_uint_ne(emu_reassembly_at(&b->reassembly, second)->generation, generation);
  free_bench(b);
}
END_TEST

RUN_SUITE("reassembly", any_order_gives_the_datagram_back, exact_duplicates_do_no_harm,
          overlaps_spoil_the_datagram, a_second_end_spoils_the_datagram, datagrams_do_not_mix,
          malformed_fragments_are_refused, generations_tell_datagrams_apart)
