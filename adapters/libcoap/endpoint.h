/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of libcoap and the endpoints of the protocol's text. */
#ifndef CHORUS_ADAPTER_ENDPOINT_H
#define CHORUS_ADAPTER_ENDPOINT_H

#include <coap3/coap.h>
#include <stdbool.h>

enum { ENDPOINT_TEXT = 80 };

/*
 * An address literal; |length| octets of text, a zone in it is ignored. Addresses of link-local
 * scope get the zone |interface|: it is the only one that there is.
 */
bool endpoint_parse_host(const char *host, size_t length, const char *interface,
                         coap_address_t *address);
/* `[ff35::1]:5683` or `192.0.2.1:5683`; without a port 5683. */
bool endpoint_parse(const char *text, const char *interface, coap_address_t *address);
void endpoint_print(const coap_address_t *address, char text[ENDPOINT_TEXT]);
/* The address alone, as inet_ntop() writes it. */
void endpoint_print_host(const coap_address_t *address, char text[ENDPOINT_TEXT]);
/* The wildcard address of a family. */
coap_address_t endpoint_any(int family, uint16_t port);

#endif
