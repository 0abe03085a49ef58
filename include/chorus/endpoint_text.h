/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints as text: "[ff35::1]:5683", "[fe80::1%2]:5683", "192.0.2.1:5683", and addresses alone.
 */
#ifndef CHORUS_ENDPOINT_TEXT_H
#define CHORUS_ENDPOINT_TEXT_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "chorus/types.h"

/* Room for any endpoint as text, with its zero octet. */
#define CHORUS_ENDPOINT_TEXT 72

/* Writes the address alone, without brackets, zone or port, to |text| (CHORUS_ENDPOINT_TEXT
 * octets). */
static inline const char *chorus_address_text(const struct chorus_endpoint *e, char *text) {
  bool v4 = chorus_is_ipv4(e);
  if (!inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? e->address + 12 : e->address, text,
                 CHORUS_ENDPOINT_TEXT))
    text[0] = '\0';
  return text;
}

/* Writes "[address%zone]:port" or "address:port" to |text| (CHORUS_ENDPOINT_TEXT octets). */
static inline const char *chorus_endpoint_text(const struct chorus_endpoint *e, char *text) {
  char address[CHORUS_ENDPOINT_TEXT];
  char zone[16] = "";
  chorus_address_text(e, address);
  if (e->zone) snprintf(zone, sizeof zone, "%%%u", (unsigned)e->zone);
  const char *form = chorus_is_ipv4(e) ? "%.46s%.12s:%u" : "[%.46s%.12s]:%u";
  snprintf(text, CHORUS_ENDPOINT_TEXT, form, address, zone, (unsigned)e->port);
  return text;
}

/* Reads an IPv4 or IPv6 address, with an optional "%zone", into |e|; the port becomes |port|. */
static inline bool chorus_address_parse(const char *text, uint16_t port,
                                        struct chorus_endpoint *e) {
  char copy[64];
  size_t length = strcspn(text, "%");
  if (length >= sizeof copy) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  memset(e, 0, sizeof *e);
  e->port = port;
  if (text[length] == '%') {
    char *end;
    unsigned long zone = strtoul(text + length + 1, &end, 10);
    if (*end != '\0' || end == text + length + 1 || zone > UINT32_MAX) return false;
    e->zone = (uint32_t)zone;
  }
  if (inet_pton(AF_INET6, copy, e->address) == 1) return true;
  memcpy(e->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  return inet_pton(AF_INET, copy, e->address + 12) == 1;
}

/*
 * Reads "[address]:port", "[address]", "a.b.c.d:port", or an address alone. A missing port becomes
 * |default_port|. Returns false, leaving |e| in an unspecified state, for anything else.
 */
static inline bool chorus_endpoint_parse(const char *text, uint16_t default_port,
                                         struct chorus_endpoint *e) {
  char host[64];
  const char *start = text, *end, *port = NULL;
  if (*text == '[') {
    start = text + 1;
    end = strchr(start, ']');
    if (!end || (end[1] != '\0' && end[1] != ':')) return false;
    if (end[1] == ':') port = end + 2;
  } else {
    const char *colon = strchr(text, ':');
    bool single = colon && !strchr(colon + 1, ':');
    end = single ? colon : text + strlen(text);
    if (single) port = colon + 1;
  }
  size_t length = (size_t)(end - start);
  if (length == 0 || length >= sizeof host) return false;
  memcpy(host, start, length);
  host[length] = '\0';
  unsigned long number = default_port;
  if (port) {
    char *rest;
    number = strtoul(port, &rest, 10);
    if (*port < '0' || *port > '9' || *rest != '\0' || number > UINT16_MAX) return false;
  }
  return chorus_address_parse(host, (uint16_t)number, e);
}

#endif
