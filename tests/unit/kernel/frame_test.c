/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include "chorus/endpoint_text.h"
#include "packet.h"
#include "suite.h"

static struct chorus_endpoint at(const char *text) {
  struct chorus_endpoint e;
  ck_assert(chorus_endpoint_parse(text, 0, &e));
  return e;
}

/* A frame with a UDP datagram of 4 octets. */
static size_t udp_frame(uint8_t *frame, const char *from, const char *to) {
  static const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
  struct emu_ip ip = {.source = at(from), .destination = at(to), .hop_limit = 9};
  ip.v4 = chorus_is_ipv4(&ip.source);
  krn_frame_header(frame, &ip.destination, mac);
  return KRN_ETHERNET_HEADER +
         emu_udp_write(frame + KRN_ETHERNET_HEADER, &ip, (const uint8_t *)"udp!", 4);
}

START_TEST(udp_is_read) {
  static const char *const from[] = {"[2001:db8::1]:1000", "192.0.2.1:1000"};
  static const char *const to[] = {"[2001:db8::2]:2000", "192.0.2.2:2000"};
  for (int i = 0; i < 2; i++) {
    uint8_t octets[128] = {0};
    struct krn_frame frame;
    size_t length = udp_frame(octets, from[i], to[i]);
    krn_frame_parse(octets, length + 6, &frame); /* with padding */
    struct chorus_endpoint source = at(from[i]), destination = at(to[i]);
    ck_assert_int_eq(frame.kind, KRN_FRAME_PACKET);
    ck_assert_uint_eq(frame.length, length - KRN_ETHERNET_HEADER);
    ck_assert(chorus_same_endpoint(&frame.source, &source));
    ck_assert(chorus_same_endpoint(&frame.destination, &destination));
    ck_assert_uint_eq(frame.hop_limit, 9);
    ck_assert_int_eq(frame.v4, i == 1);
    ck_assert(!frame.fragment);
  }
}
END_TEST

START_TEST(short_frames_are_foreign) {
  static const char *const from[] = {"[2001:db8::1]:1000", "192.0.2.1:1000"};
  static const char *const to[] = {"[2001:db8::2]:2000", "192.0.2.2:2000"};
  for (int i = 0; i < 2; i++) {
    uint8_t octets[128];
    size_t length = udp_frame(octets, from[i], to[i]);
    for (size_t cut = 0; cut < length; cut++) {
      uint8_t *exact = malloc(cut + 1); /* so that reading too far is noticed */
      struct krn_frame frame;
      memcpy(exact, octets, cut);
      krn_frame_parse(exact, cut, &frame);
      ck_assert_int_eq(frame.kind, KRN_FRAME_FOREIGN);
      free(exact);
    }
  }
}
END_TEST

START_TEST(arp_is_foreign) {
  uint8_t octets[60] = {[12] = 0x08, 0x06};
  struct krn_frame frame;
  krn_frame_parse(octets, sizeof octets, &frame);
  ck_assert_int_eq(frame.kind, KRN_FRAME_FOREIGN);
}
END_TEST

/* The kind of a frame with an ICMP message of |type|. */
static enum krn_frame_kind kind_of_icmp(bool v4, uint8_t type) {
  uint8_t octets[128];
  struct krn_frame frame;
  size_t length = v4 ? udp_frame(octets, "192.0.2.1:1", "192.0.2.2:2")
                     : udp_frame(octets, "[2001:db8::1]:1", "[2001:db8::2]:2");
  uint8_t *packet = octets + KRN_ETHERNET_HEADER;
  packet[v4 ? 9 : 6] = v4 ? EMU_PROTOCOL_ICMP : EMU_PROTOCOL_ICMPV6;
  packet[v4 ? 20 : 40] = type;
  krn_frame_parse(octets, length, &frame);
  return frame.kind;
}

START_TEST(icmp_has_kinds) {
  ck_assert_int_eq(kind_of_icmp(true, 3), KRN_FRAME_ERROR);
  ck_assert_int_eq(kind_of_icmp(true, 8), KRN_FRAME_PACKET);
  ck_assert_int_eq(kind_of_icmp(false, 1), KRN_FRAME_ERROR);
  ck_assert_int_eq(kind_of_icmp(false, 128), KRN_FRAME_PACKET);
  ck_assert_int_eq(kind_of_icmp(false, 133), KRN_FRAME_UPKEEP);
  ck_assert_int_eq(kind_of_icmp(false, 135), KRN_FRAME_UPKEEP);
  ck_assert_int_eq(kind_of_icmp(false, 143), KRN_FRAME_REPORT);
}
END_TEST

START_TEST(fragments_have_no_ports) {
  uint8_t octets[128];
  struct krn_frame frame;
  size_t length = udp_frame(octets, "192.0.2.1:1000", "192.0.2.2:2000");
  octets[KRN_ETHERNET_HEADER + 6] = 0x20; /* more fragments */
  krn_frame_parse(octets, length, &frame);
  ck_assert(frame.fragment);
  ck_assert_uint_eq(frame.destination.port, 0);
  length = udp_frame(octets, "[2001:db8::1]:1000", "[2001:db8::2]:2000");
  octets[KRN_ETHERNET_HEADER + 6] = 44;
  krn_frame_parse(octets, length, &frame);
  ck_assert(frame.fragment);
}
END_TEST

START_TEST(macs_follow_the_address) {
  static const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
  const struct {
    const char *to;
    uint8_t expected[6];
  } cases[] = {{"[2001:db8::1]:1", {2, 3, 4, 5, 6, 7}},
               {"192.0.2.1:1", {2, 3, 4, 5, 6, 7}},
               {"[ff05::1:2:3]:1", {0x33, 0x33, 0, 2, 0, 3}},
               {"239.129.2.3:1", {1, 0, 0x5e, 1, 2, 3}},
               {"255.255.255.255:1", {255, 255, 255, 255, 255, 255}}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t header[KRN_ETHERNET_HEADER];
    struct chorus_endpoint to = at(cases[i].to);
    krn_frame_header(header, &to, mac);
    ck_assert_mem_eq(header, cases[i].expected, 6);
  }
}
END_TEST

RUN_SUITE("frame", udp_is_read, short_frames_are_foreign, arp_is_foreign, icmp_has_kinds,
          fragments_have_no_ports, macs_follow_the_address)
