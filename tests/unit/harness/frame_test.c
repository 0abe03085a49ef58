/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of every link type down to the UDP datagram or the ICMP error. */
#include "dissect/frame.h"

#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "packets.h"

#define OCTETS(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define RAW_IP      101

static struct dis_frame frame;

static enum dis_frame_kind read_cut(uint32_t link, const struct packet *p, size_t captured) {
  uint8_t *copy = malloc(captured + 1); /* ASan sees reads beyond the end */
  memcpy(copy, p->at, captured);
  uint8_t *exact = realloc(copy, captured > 0 ? captured : 1);
  dis_frame_read(NULL, link, 0, 0, exact, captured, p->length, &frame);
  enum dis_frame_kind kind = frame.kind;
  free(exact);
  return kind;
}

static enum dis_frame_kind read_whole(uint32_t link, const struct packet *p) {
  dis_frame_read(NULL, link, 0, 0, p->at, p->length, p->length, &frame);
  return frame.kind;
}

static void assert_payload(const char *text) {
  ck_assert_int_eq(frame.kind, DIS_FRAME_UDP);
  ck_assert_ptr_null(frame.why);
  ck_assert_uint_eq(frame.length, strlen(text));
  ck_assert_mem_eq(frame.payload, text, strlen(text));
  ck_assert_uint_eq(frame.source.port, 40000);
  ck_assert_uint_eq(frame.destination.port, 5683);
  ck_assert_uint_eq(frame.hop_limit, 61);
  ck_assert(chorus_is_multicast(&frame.destination));
}

/* ---- link layers ---- */

struct link_case {
  const char *what;
  uint32_t link;
  const uint8_t *header;
  size_t length;
  int version;
  enum dis_direction direction;
  uint8_t mac_length;
  uint32_t interface_index;
};

#define MACS      1, 2, 3, 4, 5, 6, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f
#define SLL(type) 0, type, 0, 1, 0, 6, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0, 0

static const struct link_case links[] = {
    {"raw IPv4", 101, NULL, 0, 4, 0, 0, 0},
    {"raw IPv6", 101, NULL, 0, 6, 0, 0, 0},
    {"raw of BSD", 12, NULL, 0, 6, 0, 0, 0},
    {"raw of OpenBSD", 14, NULL, 0, 4, 0, 0, 0},
    {"IPv4 alone", 228, NULL, 0, 4, 0, 0, 0},
    {"IPv6 alone", 229, NULL, 0, 6, 0, 0, 0},
    {"null little-endian", 0, OCTETS(2, 0, 0, 0), 4, 0, 0, 0},
    {"null big-endian, Linux", 0, OCTETS(0, 0, 0, 10), 6, 0, 0, 0},
    {"null of macOS", 0, OCTETS(30, 0, 0, 0), 6, 0, 0, 0},
    {"loop of OpenBSD", 108, OCTETS(0, 0, 0, 24), 6, 0, 0, 0},
    {"Ethernet IPv6", 1, OCTETS(MACS, 0x86, 0xdd), 6, 0, 6, 0},
    {"Ethernet IPv4", 1, OCTETS(MACS, 0x08, 0x00), 4, 0, 6, 0},
    {"Ethernet of a loopback", 1, OCTETS(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00), 4, 0, 0,
     0},
    {"802.1Q", 1, OCTETS(MACS, 0x81, 0x00, 0, 5, 0x86, 0xdd), 6, 0, 6, 0},
    {"802.1ad and 802.1Q", 1, OCTETS(MACS, 0x88, 0xa8, 0, 5, 0x81, 0x00, 0, 6, 0x08, 0x00), 4, 0, 6,
     0},
    {"cooked, to us", 113, OCTETS(SLL(0), 0x86, 0xdd), 6, DIS_INBOUND, 6, 0},
    {"cooked, multicast", 113, OCTETS(SLL(2), 0x08, 0x00), 4, DIS_INBOUND, 6, 0},
    {"cooked, sent by us", 113, OCTETS(SLL(4), 0x86, 0xdd), 6, DIS_OUTBOUND, 6, 0},
    {"cooked v2, sent by us", 276,
     OCTETS(0x86, 0xdd, 0, 0, 0, 0, 0, 7, 0, 1, 4, 6, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0, 0), 6,
     DIS_OUTBOUND, 6, 7},
    {"cooked v2, loopback", 276,
     OCTETS(0x08, 0x00, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0), 4, DIS_INBOUND, 0,
     1},
    {"cooked v2, address of 8", 276,
     OCTETS(0x86, 0xdd, 0, 0, 0, 0, 0, 2, 3, 0x28, 1, 200, 1, 2, 3, 4, 5, 6, 7, 8), 6, DIS_INBOUND,
     8, 2},
};

static void make_link(const struct link_case *c, struct packet *p) {
  struct packet ip;
  make_udp(&ip, c->version, "hello", 5);
  p->length = 0;
  add(p, c->header, c->length);
  add(p, ip.at, ip.length);
}

START_TEST(test_links) {
  const struct link_case *c = &links[_i];
  struct packet p;
  make_link(c, &p);
  ck_assert_msg(read_whole(c->link, &p) == DIS_FRAME_UDP, "%s: %s", c->what, frame.why);
  assert_payload("hello");
  ck_assert_int_eq(frame.direction, c->direction);
  ck_assert_uint_eq(frame.mac_length, c->mac_length);
  ck_assert_uint_eq(frame.interface_index, c->interface_index);
  if (c->mac_length == 6) ck_assert_mem_eq(frame.source_mac, "\x0a\x0b\x0c\x0d\x0e\x0f", 6);
  if (c->link == 1 && c->mac_length) ck_assert_mem_eq(frame.destination_mac, "\1\2\3\4\5\6", 6);
  ck_assert(chorus_is_ipv4(&frame.source) == (c->version == 4));
}
END_TEST

/* Cut anywhere by the snap length: unreadable, says so, and nothing is read beyond the cut. */
START_TEST(test_links_cut) {
  const struct link_case *c = &links[_i];
  struct packet p;
  make_link(c, &p);
  for (size_t captured = 0; captured < p.length; captured++) {
    ck_assert_int_eq(read_cut(c->link, &p, captured), DIS_FRAME_UNREADABLE);
    ck_assert_str_eq(frame.why, "cut by the snap length");
  }
}
END_TEST

/* Nobody cut them: the frame itself is shorter than it says. */
START_TEST(test_links_short) {
  const struct link_case *c = &links[_i];
  struct packet p;
  make_link(c, &p);
  for (size_t whole = p.length; p.length > 0;) {
    p.length = --whole;
    ck_assert_int_eq(read_cut(c->link, &p, whole), DIS_FRAME_UNREADABLE);
    ck_assert_str_ne(frame.why, "cut by the snap length");
  }
}
END_TEST

static const struct link_case others[] = {
    {"ARP", 1, OCTETS(MACS, 0x08, 0x06, 0, 1), 0, 0, 0, 0},
    {"802.3", 1, OCTETS(MACS, 0x00, 0x04, 1, 2, 3, 4), 0, 0, 0, 0},
    {"cooked ARP", 113, OCTETS(SLL(1), 0x08, 0x06, 0, 1), 0, 0, 0, 0},
    {"null ISO", 0, OCTETS(7, 0, 0, 0, 1, 2), 0, 0, 0, 0},
};

START_TEST(test_other_frames) {
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    dis_frame_read(NULL, others[i].link, 0, 0, others[i].header, others[i].length, others[i].length,
                   &frame);
    ck_assert_msg(frame.kind == DIS_FRAME_OTHER, "%s", others[i].what);
  }
  dis_frame_read(NULL, 147, 0, 0, others[0].header, 4, 4, &frame);
  ck_assert_int_eq(frame.kind, DIS_FRAME_UNREADABLE);
}
END_TEST

/* Ethernet fills short packets up: what is behind the IP packet is not payload. */
START_TEST(test_padding) {
  struct packet p;
  make_udp(&p, 4, "hi", 2);
  add(&p, "padding!", 8);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
  assert_payload("hi");
  /* Cut within the padding: all of the datagram is there. */
  ck_assert_int_eq(read_cut(RAW_IP, &p, p.length - 3), DIS_FRAME_UDP);
}
END_TEST

/* ---- checksums ---- */

START_TEST(test_every_flipped_bit) {
  int version = _i ? 6 : 4;
  size_t header = version == 6 ? 40 : 20;
  for (size_t length = 2; length <= 9; length++) {
    struct packet p;
    make_udp(&p, version, "payload..", length);
    for (size_t bit = header * 8; bit < p.length * 8; bit++) {
      p.at[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
      ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
      ck_assert_ptr_nonnull(frame.why);
      p.at[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
    }
    ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
  }
}
END_TEST

START_TEST(test_ipv4_header_checksum) {
  struct packet p;
  make_udp(&p, 4, "hi", 2);
  for (size_t bit = 8; bit < 160; bit++) {
    p.at[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
    ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
    p.at[bit / 8] ^= (uint8_t)(0x80u >> (bit % 8));
  }
  set16(&p, 10, 0);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
}
END_TEST

START_TEST(test_checksum_offload) {
  struct packet p;
  make_udp(&p, 6, "hello", 5);
  set16(&p, 46, pseudo_sum(6, 17, 13));
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
  make_udp(&p, 4, "hello", 5);
  set16(&p, 26, pseudo_sum(4, 17, 13));
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
}
END_TEST

START_TEST(test_checksum_zero) {
  struct packet p;
  make_udp(&p, 4, "hello", 5);
  set16(&p, 26, 0);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
  make_udp(&p, 6, "hello", 5);
  set16(&p, 46, 0);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
  ck_assert_str_eq(frame.why, "no UDP checksum over IPv6");
  /* Ports are told all the same. */
  ck_assert_uint_eq(frame.destination.port, 5683);
}
END_TEST

START_TEST(test_udp_length) {
  struct packet p;
  make_udp(&p, 4, "hello", 5);
  set16(&p, 24, 7);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
  ck_assert_str_eq(frame.why, "UDP length is below 8");
  set16(&p, 24, 14);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
  ck_assert_str_eq(frame.why, "UDP length runs out of the packet");
  p.length = 0;
  add_ip4(&p, 17, 4, 1, 0);
  add(&p, "\x9c\x40\x16\x33", 4);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
}
END_TEST

/* ---- headers in between ---- */

START_TEST(test_ipv4_options) {
  struct packet p = {.length = 0};
  add_ip4(&p, 17, 4 + 10, 1, 0);
  p.at[0] = 0x46;
  add(&p, "\x94\x04\0\0", 4); /* router alert */
  set16(&p, 10, 0);
  set16(&p, 10, ~ones_sum(0, p.at, 24) & 0xffff);
  add_udp(&p, 4, "hi", 2);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
  assert_payload("hi");
}
END_TEST

START_TEST(test_ipv6_extensions) {
  struct packet p = {.length = 0};
  add_ip6(&p, 0, 8 + 16 + 8 + 12 + 10);
  add(&p, "\x3c\0\5\2\0\0\1\0", 8);                   /* hop-by-hop */
  add(&p, "\x2b\1\1\xc\0\0\0\0\0\0\0\0\0\0\0\0", 16); /* destination options */
  add(&p, "\x33\0\4\0\0\0\0\0", 8);                   /* routing, none left */
  add(&p, "\x11\1\0\0\0\0\0\1\0\0\0\2", 12);          /* authentication */
  add_udp(&p, 6, "hi", 2);
  ck_assert_msg(read_whole(RAW_IP, &p) == DIS_FRAME_UDP, "%s", frame.why);
  assert_payload("hi");
  for (size_t captured = 0; captured < p.length; captured++)
    ck_assert_int_eq(read_cut(RAW_IP, &p, captured), DIS_FRAME_UNREADABLE);
}
END_TEST

/* With segments left, the checksum is over the last destination of the route, which is elsewhere.
 */
START_TEST(test_ipv6_on_its_route) {
  struct packet p = {.length = 0};
  add_ip6(&p, 43, 8 + 10);
  add(&p, "\x11\0\4\1\0\0\0\0", 8);
  add_udp(&p, 6, "hi", 2);
  set16(&p, 40 + 8 + 6, 0x1234);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
}
END_TEST

START_TEST(test_ipv6_extension_runs_out) {
  struct packet p = {.length = 0};
  add_ip6(&p, 60, 8);
  add(&p, "\x11\1\1\4\0\0\0\0", 8);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UNREADABLE);
}
END_TEST

START_TEST(test_atomic_fragment) {
  struct packet p = {.length = 0};
  add_ip6(&p, 44, 8 + 10);
  add(&p, "\x11\0\0\0\0\0\0\7", 8);
  add_udp(&p, 6, "hi", 2);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UDP);
  assert_payload("hi");
  ck_assert(!frame.fragmented);
}
END_TEST

START_TEST(test_not_udp) {
  struct packet p = {.length = 0};
  add_ip4(&p, 6, 20, 1, 0);
  add(&p, "12345678901234567890", 20);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_OTHER);
  /* Cut or not, TCP is nothing that anybody looks at. */
  ck_assert_int_eq(read_cut(RAW_IP, &p, p.length - 4), DIS_FRAME_OTHER);
  p.length = 0;
  add_ip6(&p, 59, 0);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_OTHER);
}
END_TEST

START_TEST(test_versions) {
  struct packet p;
  make_udp(&p, 6, "hi", 2);
  ck_assert_int_eq(read_whole(228, &p), DIS_FRAME_DAMAGED);
  p.at[0] = 0x50;
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_UNREADABLE);
  make_udp(&p, 4, "hi", 2);
  p.at[0] = 0x44;
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
}
END_TEST

/* ---- ICMP ---- */

/* An ICMP error of |type| that quotes the first |quoted| octets of a datagram. */
static void make_icmp(struct packet *p, int version, unsigned type, unsigned code, size_t quoted) {
  struct packet quote;
  make_udp(&quote, version, "0123456789", 10);
  p->length = 0;
  if (version == 6)
    add_ip6(p, 58, 8 + quoted);
  else
    add_ip4(p, 1, 8 + quoted, 1, 0);
  size_t start = p->length;
  add8(p, type);
  add8(p, code);
  add(p, "\0\0\0\0\0\0", 6);
  add(p, quote.at, quoted);
  unsigned sum = version == 6 ? pseudo_sum(6, 58, 8 + quoted) : 0;
  set16(p, start + 2, ~ones_sum(sum, p->at + start, 8 + quoted) & 0xffff);
}

static void assert_quote(int version, size_t payload) {
  ck_assert_int_eq(frame.kind, DIS_FRAME_ICMP);
  ck_assert_int_eq(frame.icmp_v6, version == 6);
  ck_assert_uint_eq(frame.quoted_source.port, 40000);
  ck_assert_uint_eq(frame.quoted_destination.port, 5683);
  ck_assert(chorus_same_address(&frame.quoted_destination, &frame.destination));
  ck_assert_uint_eq(frame.length, payload);
  if (payload > 0) ck_assert_mem_eq(frame.payload, "0123456789", payload);
}

START_TEST(test_icmp_quotes) {
  int version = _i ? 6 : 4;
  size_t headers = version == 6 ? 48 : 28;
  struct packet p;
  make_icmp(&p, version, version == 6 ? 1 : 3, version == 6 ? 4 : 3, headers + 10);
  read_whole(RAW_IP, &p);
  assert_quote(version, 10);
  ck_assert_uint_eq(frame.icmp_type, version == 6 ? 1 : 3);
  ck_assert_uint_eq(frame.icmp_code, version == 6 ? 4 : 3);
  /* RFC 792 asks for 8 octets of the datagram. */
  make_icmp(&p, version, version == 6 ? 1 : 3, 1, headers);
  read_whole(RAW_IP, &p);
  assert_quote(version, 0);
  make_icmp(&p, version, version == 6 ? 3 : 11, 1, headers + 3);
  read_whole(RAW_IP, &p);
  assert_quote(version, 3);
  make_icmp(&p, version, 1 + 2 * (version == 4), 1, headers - 5);
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_OTHER);
}
END_TEST

/* A quote that the snap length cut is as good as one that the sender of the error cut. */
START_TEST(test_icmp_cut) {
  struct packet p;
  make_icmp(&p, 4, 3, 3, 38);
  ck_assert_int_eq(read_cut(RAW_IP, &p, p.length - 4), DIS_FRAME_ICMP);
  ck_assert_uint_eq(frame.length, 6);
}
END_TEST

START_TEST(test_icmp_damaged) {
  struct packet p;
  make_icmp(&p, 6, 1, 4, 58);
  p.at[p.length - 1] ^= 1;
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
  make_icmp(&p, 4, 3, 3, 38);
  p.at[p.length - 1] ^= 1;
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_DAMAGED);
}
END_TEST

START_TEST(test_icmp_no_error) {
  struct packet p;
  make_icmp(&p, 6, 143, 0, 58); /* MLDv2 report */
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_OTHER);
  make_icmp(&p, 4, 8, 0, 38); /* echo request */
  ck_assert_int_eq(read_whole(RAW_IP, &p), DIS_FRAME_OTHER);
}
END_TEST

static Suite *suite(void) {
  const int link_count = sizeof links / sizeof links[0];
  Suite *s = suite_create("frame");
  TCase *t = tcase_create("frame");
  tcase_add_loop_test(t, test_links, 0, link_count);
  tcase_add_loop_test(t, test_links_cut, 0, link_count);
  tcase_add_loop_test(t, test_links_short, 0, link_count);
  tcase_add_test(t, test_other_frames);
  tcase_add_test(t, test_padding);
  tcase_add_loop_test(t, test_every_flipped_bit, 0, 2);
  tcase_add_test(t, test_ipv4_header_checksum);
  tcase_add_test(t, test_checksum_offload);
  tcase_add_test(t, test_checksum_zero);
  tcase_add_test(t, test_udp_length);
  tcase_add_test(t, test_ipv4_options);
  tcase_add_test(t, test_ipv6_extensions);
  tcase_add_test(t, test_ipv6_on_its_route);
  tcase_add_test(t, test_ipv6_extension_runs_out);
  tcase_add_test(t, test_atomic_fragment);
  tcase_add_test(t, test_not_udp);
  tcase_add_test(t, test_versions);
  tcase_add_loop_test(t, test_icmp_quotes, 0, 2);
  tcase_add_test(t, test_icmp_cut);
  tcase_add_test(t, test_icmp_damaged);
  tcase_add_test(t, test_icmp_no_error);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  return check_run(suite());
}
