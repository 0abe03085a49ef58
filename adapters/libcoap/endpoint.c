/* SPDX-License-Identifier: BSD-2-Clause */
#include "endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_link_local(const struct in6_addr *a) {
  return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a) || IN6_IS_ADDR_MC_NODELOCAL(a);
}

bool endpoint_parse_host(const char *host, size_t length, const char *interface,
                         coap_address_t *address) {
  char text[INET6_ADDRSTRLEN];
  const char *zone = memchr(host, '%', length);
  size_t plain = zone ? (size_t)(zone - host) : length;
  if (plain >= sizeof text) return false;
  memcpy(text, host, plain);
  text[plain] = '\0';
  coap_address_init(address);
  if (inet_pton(AF_INET, text, &address->addr.sin.sin_addr) == 1) {
    address->addr.sa.sa_family = AF_INET;
    address->size = sizeof address->addr.sin;
    return true;
  }
  if (inet_pton(AF_INET6, text, &address->addr.sin6.sin6_addr) != 1) return false;
  address->addr.sa.sa_family = AF_INET6;
  address->size = sizeof address->addr.sin6;
  if (is_link_local(&address->addr.sin6.sin6_addr))
    address->addr.sin6.sin6_scope_id = if_nametoindex(interface);
  return true;
}

/* The port after |text|, which is ":5683" or nothing. */
static bool parse_port(const char *text, uint16_t *port) {
  char *end;
  *port = COAP_DEFAULT_PORT;
  if (!*text) return true;
  if (*text != ':' || text[1] < '0' || text[1] > '9') return false;
  unsigned long n = strtoul(text + 1, &end, 10);
  *port = (uint16_t)n;
  return !*end && n <= UINT16_MAX;
}

bool endpoint_parse(const char *text, const char *interface, coap_address_t *address) {
  bool six = text[0] == '[';
  const char *host = six ? text + 1 : text;
  size_t length = strcspn(host, six ? "]" : ":");
  if (six && host[length] != ']') return false;
  const char *rest = host + length + (six ? 1 : 0);
  uint16_t port;
  if (!parse_port(rest, &port) || !endpoint_parse_host(host, length, interface, address))
    return false;
  coap_address_set_port(address, port);
  return true;
}

void endpoint_print_host(const coap_address_t *address, char text[ENDPOINT_TEXT]) {
  const struct in6_addr *six = &address->addr.sin6.sin6_addr;
  text[0] = '\0';
  if (address->addr.sa.sa_family == AF_INET)
    inet_ntop(AF_INET, &address->addr.sin.sin_addr, text, ENDPOINT_TEXT);
  else if (IN6_IS_ADDR_V4MAPPED(six))
    inet_ntop(AF_INET, six->s6_addr + 12, text, ENDPOINT_TEXT);
  else
    inet_ntop(AF_INET6, six, text, ENDPOINT_TEXT);
}

void endpoint_print(const coap_address_t *address, char text[ENDPOINT_TEXT]) {
  char host[ENDPOINT_TEXT], zone[16] = "";
  unsigned port = coap_address_get_port(address);
  endpoint_print_host(address, host);
  if (!strchr(host, ':')) {
    snprintf(text, ENDPOINT_TEXT, "%.46s:%u", host, port);
    return;
  }
  bool local = is_link_local(&address->addr.sin6.sin6_addr);
  if (local && address->addr.sin6.sin6_scope_id)
    snprintf(zone, sizeof zone, "%%%u", (unsigned)address->addr.sin6.sin6_scope_id);
  snprintf(text, ENDPOINT_TEXT, "[%.46s%s]:%u", host, zone, port);
}

coap_address_t endpoint_any(int family, uint16_t port) {
  coap_address_t address;
  coap_address_init(&address);
  address.addr.sa.sa_family = (sa_family_t)family;
  address.size = family == AF_INET ? sizeof address.addr.sin : sizeof address.addr.sin6;
  coap_address_set_port(&address, port);
  return address;
}
