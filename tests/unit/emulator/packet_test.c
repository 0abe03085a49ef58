/* SPDX-License-Identifier: BSD-2-Clause */
#include "packet.h"

#include "chorus/endpoint_text.h"
#include "suite.h"

static struct chorus_endpoint at(const char *text) {
  struct chorus_endpoint e;
  ck_assert(chorus_endpoint_parse(text, 5683, &e));
  return e;
}

static struct emu_ip header(bool v4) {
  return (struct emu_ip){.source = at(v4 ? "192.0.2.1:5683" : "[2001:db8::1]:5683"),
                         .destination = at(v4 ? "192.0.2.2:61616" : "[2001:db8::2]:61616"),
                         .v4 = v4,
                         .hop_limit = 64,
                         .identification = 0x1234};
}

/* Octets computed by hand from RFC 791, RFC 768 and RFC 1071. */
START_TEST(ipv4_octets) {
  const uint8_t expected[] = {0x45, 0,    0,    30,   0x12, 0x34, 0,    0,    64,   17,
                              0xe4, 0x97, 192,  0,    2,    1,    192,  0,    2,    2,
                              0x16, 0x33, 0xf0, 0xb0, 0,    10,   0x6a, 0x8d, 0x0a, 0x65};
  uint8_t out[64];
  struct emu_ip ip = header(true);
  uint32_t length = emu_udp_write(out, &ip, (const uint8_t[]){0x0a, 0x65}, 2);
  ck_assert_uint_eq(length, sizeof expected);
  ck_assert_mem_eq(out, expected, sizeof expected);
}
END_TEST

START_TEST(ipv6_octets) {
  uint8_t out[64];
  struct emu_ip ip = header(false);
  uint32_t length = emu_udp_write(out, &ip, (const uint8_t[]){0x0a, 0x65, 0x07}, 3);
  ck_assert_uint_eq(length, 51);
  const uint8_t start[] = {0x60, 0, 0, 0, 0, 11, 17, 64, 0x20, 0x01, 0x0d, 0xb8};
  ck_assert_mem_eq(out, start, sizeof start);
  const uint8_t udp[] = {0x16, 0x33, 0xf0, 0xb0, 0, 11, 0x8c, 0x1a, 0x0a, 0x65, 0x07};
  ck_assert_mem_eq(out + 40, udp, sizeof udp);
}
END_TEST

START_TEST(what_is_written_can_be_read) {
  for (int v4 = 0; v4 < 2; v4++) {
    uint8_t payload[1000], out[2000];
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)i;
    for (uint32_t n = 0; n < sizeof payload; n += 37) {
      struct emu_ip ip = header(v4), read;
      struct emu_udp udp;
      uint32_t length = emu_udp_write(out, &ip, payload, n);
      ck_assert(emu_ip_parse(out, length, &read));
      ck_assert(emu_udp_parse(&read, read.body, read.length, &udp));
      ck_assert_uint_eq(udp.length, n);
      ck_assert_uint_eq(udp.source_port, 5683);
      ck_assert_uint_eq(udp.destination_port, 61616);
      ck_assert(chorus_same_address(&read.source, &ip.source));
      ck_assert(chorus_same_address(&read.destination, &ip.destination));
      ck_assert_mem_eq(udp.payload, payload, n);
    }
  }
}
END_TEST

/* Fields of IPv6 that no checksum covers: traffic class, flow label, hop limit. */
static bool is_unprotected(bool v4, uint32_t bit) {
  return !v4 && (bit / 8 == 7 || (bit / 8 < 4 && bit / 8 > 0) || (bit / 8 == 0 && bit % 8 < 4));
}

START_TEST(every_flipped_bit_is_noticed) {
  for (int v4 = 0; v4 < 2; v4++) {
    uint8_t out[200];
    struct emu_ip ip = header(v4), read;
    struct emu_udp udp;
    uint32_t length = emu_udp_write(out, &ip, (const uint8_t *)"hello, group", 12);
    for (uint32_t bit = 0; bit < length * 8; bit++) {
      out[bit / 8] ^= (uint8_t)(1u << bit % 8);
      bool valid =
          emu_ip_parse(out, length, &read) && emu_udp_parse(&read, read.body, read.length, &udp);
      ck_assert_msg(valid == is_unprotected(v4, bit), "v4 %d bit %u", v4, bit);
      out[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
  }
}
END_TEST

START_TEST(cut_packets_are_refused) {
  for (int v4 = 0; v4 < 2; v4++) {
    uint8_t out[200];
    struct emu_ip ip = header(v4), read;
    uint32_t length = emu_udp_write(out, &ip, (const uint8_t *)"hello", 5);
    for (uint32_t n = 0; n < length; n++) {
      uint8_t *exact = malloc(n ? n : 1);
      memcpy(exact, out, n);
      ck_assert(!emu_ip_parse(exact, n, &read));
      free(exact);
    }
  }
}
END_TEST

START_TEST(a_checksum_of_zero_is_sent_as_ones) {
  for (int v4 = 0; v4 < 2; v4++) {
    uint8_t out[100], zero[2] = {0};
    struct emu_ip ip = header(v4), read;
    struct emu_udp udp;
    uint32_t length = emu_udp_write(out, &ip, zero, 2), start = emu_packet_size(v4, 0);
    uint8_t payload[2] = {out[start + 6], out[start + 7]}; /* makes the sum all ones */
    length = emu_udp_write(out, &ip, payload, 2);
    ck_assert_uint_eq(out[start + 6], 0xff);
    ck_assert_uint_eq(out[start + 7], 0xff);
    ck_assert(emu_ip_parse(out, length, &read));
    ck_assert(emu_udp_parse(&read, read.body, read.length, &udp));
  }
}
END_TEST

START_TEST(hop_limits_are_set_with_checksum) {
  for (int v4 = 0; v4 < 2; v4++) {
    uint8_t out[100];
    struct emu_ip ip = header(v4), read;
    uint32_t length = emu_udp_write(out, &ip, (const uint8_t *)"x", 1);
    emu_packet_set_hop_limit(out, 7);
    ck_assert(emu_ip_parse(out, length, &read));
    ck_assert_uint_eq(read.hop_limit, 7);
  }
}
END_TEST

START_TEST(errors_quote_what_caused_them) {
  for (int v4 = 0; v4 < 2; v4++) {
    uint8_t cause[3000], out[2000], payload[2000] = {1};
    struct emu_ip ip = header(v4), read;
    struct chorus_endpoint destination;
    uint32_t length = emu_udp_write(cause, &ip, payload, sizeof payload);
    struct emu_ip back = {.source = ip.destination, .destination = ip.source, .v4 = v4};
    uint32_t size = emu_unreachable_write(out, &back, cause, length, 1500);
    ck_assert_uint_eq(size, v4 ? 576 : 1280);
    ck_assert(emu_ip_parse(out, size, &read));
    ck_assert_uint_eq(read.protocol, v4 ? 1 : 58);
    ck_assert_uint_eq(read.body[0], v4 ? 3 : 1);
    ck_assert_uint_eq(read.body[1], v4 ? 3 : 4);
    ck_assert_mem_eq(read.body + 8, cause, read.length - 8);
    ck_assert(emu_unreachable_parse(&read, &destination));
    ck_assert(chorus_same_endpoint(&destination, &ip.destination));
    out[size - 1] ^= 1;
    ck_assert(!emu_unreachable_parse(&read, &destination));
  }
}
END_TEST

START_TEST(fragments_cover_the_packet) {
  for (int v4 = 0; v4 < 2; v4++) {
    static uint8_t packet[5000], whole[5000], out[1280], payload[4000];
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)(i * 3);
    struct emu_ip ip = header(v4), read;
    uint32_t length = emu_udp_write(packet, &ip, payload, sizeof payload);
    uint32_t total = length - emu_packet_size(v4, 0), body = emu_fragment_body(v4, 1280);
    ck_assert_uint_eq(body, v4 ? 1256 : 1232);
    for (uint32_t offset = 0; offset < total; offset += body) {
      uint32_t size = emu_fragment_write(out, packet, length, offset, body, 0x77);
      ck_assert_uint_le(size, 1280);
      ck_assert(emu_ip_parse(out, size, &read));
      ck_assert(read.fragment);
      ck_assert_uint_eq(read.offset, offset);
      ck_assert_uint_eq(read.identification, 0x77);
      ck_assert_int_eq(read.more, offset + body < total);
      ck_assert_uint_eq(read.protocol, EMU_PROTOCOL_UDP);
      memcpy(whole + offset, read.body, read.length);
    }
    ck_assert_mem_eq(whole, packet + emu_packet_size(v4, 0), total);
  }
}
END_TEST

RUN_SUITE("packet", ipv4_octets, ipv6_octets, what_is_written_can_be_read,
          every_flipped_bit_is_noticed, cut_packets_are_refused, a_checksum_of_zero_is_sent_as_ones,
          hop_limits_are_set_with_checksum, errors_quote_what_caused_them,
          fragments_cover_the_packet)
