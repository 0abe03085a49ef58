/* SPDX-License-Identifier: BSD-2-Clause */
#include "snoop.h"

enum { IGMP_V1_REPORT = 0x12, IGMP_V2_REPORT = 0x16, IGMP_LEAVE = 0x17, IGMP_V3_REPORT = 0x22 };
enum { MLD_V1_REPORT = 131, MLD_DONE = 132, MLD_V2_REPORT = 143 };
enum { IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW_NEW, BLOCK_OLD };

struct reader {
  void (*change)(void *context, const struct chorus_endpoint *group, bool member);
  void *context;
  uint32_t address_size; /* octets */
};

static uint32_t get16(const uint8_t *in) {
  return (uint32_t)in[0] << 8 | in[1];
}

static void say(const struct reader *r, const uint8_t *address, bool member) {
  struct chorus_endpoint group = {0};
  if (r->address_size == 4) memcpy(group.address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(group.address + 16 - r->address_size, address, r->address_size);
  if (chorus_is_multicast(&group)) r->change(r->context, &group, member);
}

/* A record of IGMPv3 or MLDv2. */
static void say_record(const struct reader *r, unsigned type, uint32_t sources,
                       const uint8_t *address) {
  switch (type) {
    case IS_EXCLUDE:
    case TO_EXCLUDE: say(r, address, true); break;
    case IS_INCLUDE:
    case TO_INCLUDE: say(r, address, sources > 0); break;
    case ALLOW_NEW:
      if (sources > 0) say(r, address, true);
      break;
    default: break; /* BLOCK_OLD: a member still */
  }
}

/* Both versions have the number of records in octets 6 and 7, and records of the same shape. */
static void read_records(const struct reader *r, const uint8_t *body, uint32_t length) {
  uint32_t count = get16(body + 6), at = 8, header = 4 + r->address_size;
  for (; count > 0 && length - at >= header; count--) {
    const uint8_t *record = body + at;
    uint32_t sources = get16(record + 2);
    uint32_t size = header + sources * r->address_size + record[1] * 4u;
    if (size > length - at) return;
    say_record(r, record[0], sources, record + 4);
    at += size;
  }
}

static void read_igmp(const struct reader *r, const uint8_t *body, uint32_t length) {
  if (length < 8) return;
  switch (body[0]) {
    case IGMP_V1_REPORT:
    case IGMP_V2_REPORT: say(r, body + 4, true); break;
    case IGMP_LEAVE: say(r, body + 4, false); break;
    case IGMP_V3_REPORT: read_records(r, body, length); break;
    default: break;
  }
}

static void read_mld(const struct reader *r, const uint8_t *body, uint32_t length) {
  if (length < 8) return;
  if (body[0] == MLD_V2_REPORT) read_records(r, body, length);
  if (length < 24) return;
  if (body[0] == MLD_V1_REPORT) say(r, body + 8, true);
  if (body[0] == MLD_DONE) say(r, body + 8, false);
}

void krn_snoop(const struct krn_frame *report,
               void (*change)(void *context, const struct chorus_endpoint *group, bool member),
               void *context) {
  struct reader r = {.change = change, .context = context, .address_size = report->v4 ? 4 : 16};
  if (report->v4)
    read_igmp(&r, report->body, report->body_length);
  else
    read_mld(&r, report->body, report->body_length);
}
