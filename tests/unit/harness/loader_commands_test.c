/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a run would show as a harness error is told by the loader, with its place: commands that no
 * node could follow, and steps whose order makes no sense.
 */
#include <check.h>
#include <stdlib.h>

#include "check_run.h"
#include "scenario/scenario.h"

/* Line 10 is the second step. */
#define HEAD                                                             \
  "id: x\ntitle: t\n"                                                    \
  "network: {groups: {$g: {4: 239.255.0.1, 6: \"[ff35::1]\"}}}\n"        \
  "nodes:\n  c1: {role: client}\n"                                       \
  "  s: {role: server, count: 2, groups: [$g], resources: {/light: {}, " \
  "/n: {kind: counter}}}\n  t: {role: tester}\n"                         \
  "steps:\n  - {at: 0s, node: c1, request: {id: q1, uri: \"coap://$g/light\"}}\n"
#define TAIL         "expect:\n  - {request: q1, from: s, each: 1}\n"
#define STEP(action) HEAD "  - {at: 1s, " action "}\n" TAIL
#define ASK(text)    STEP("node: c1, request: {id: q2, " text "}")
#define URI(text)    ASK("uri: \"" text "\"")
#define X8           "xxxxxxxx"
#define X64          X8 X8 X8 X8 X8 X8 X8 X8
#define X256         X64 X64 X64 X64
#define X1025        X256 X256 X256 X256 "x"
#define O8           "\"9=\", \"9=\", \"9=\", \"9=\", \"9=\", \"9=\", \"9=\", \"9=\", "
#define O64          O8 O8 O8 O8 O8 O8 O8 O8

static struct scn_errors errors;

static void begin(void) {
  scn_errors_init(&errors);
}
static void end(void) {
  scn_errors_free(&errors);
}

/* As for a run; |own_resources| is what --sut says. */
static struct scn_scenario *load(const char *text, bool own_resources) {
  struct scn_file *file = scn_file_parse("x.yaml", text, strlen(text), &errors);
  if (!file) return NULL;
  file->own_resources = own_resources;
  struct scn_scenario *s =
      scn_load(file, NULL, file->variants[0].settings, file->variants[0].setting_count, &errors);
  scn_file_free(file);
  return s;
}

static void check_complaint(const char *expected) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  scn_errors_print(&errors, stream);
  fclose(stream);
  ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s\nexpected %s", text, expected);
  free(text);
}

/* What is wrong, and the beginning of what is said of it. */
static const struct {
  const char *text, *message;
} wrong[] = {
    {URI("http://[ff35::1]/a"),
     "x.yaml:10:47: \"http://[ff35::1]/a\" is no URI of a request: write "
     "coap://HOST/path\n"},
    {URI("coap+tcp://[ff35::1]/a"), "x.yaml:10:47: \"coap+tcp://[ff35::1]/a\" is no URI"},
    {URI("caop://$g/a"),
     "x.yaml:10:47: \"caop://[ff35::1]/a\" is no URI of a request: write "
     "coap://HOST/path; did you mean \"coap\"?\n"},
    {URI("/light"), "x.yaml:10:47: \"/light\" is no URI of a request: write coap://HOST/path\n"},
    {URI("coap://example.org/a"),
     "x.yaml:10:47: the host \"example.org\" is no address, and there is no DNS here; write "
     "[ff35::1], 192.0.2.1 or a $name\n"},
    {URI("coap://s1/a"),
     "x.yaml:10:47: the host \"s1\" is no address, and there is no DNS here; "
     "write [ff35::1], 192.0.2.1 or a $name; did you mean \"$s1\"?\n"},
    {URI("coap://$g:0/a"),
     "x.yaml:10:47: \"coap://[ff35::1]:0/a\" is no URI of a request: a port "
     "is a number from 1 to 65535\n"},
    {URI("coap://$g:65536/a"),
     "x.yaml:10:47: \"coap://[ff35::1]:65536/a\" is no URI of a request: "
     "a port is"},
    {URI("coap://$g:coap/a"),
     "x.yaml:10:47: \"coap://[ff35::1]:coap/a\" is no URI of a request: "
     "a port is"},
    {URI("coap://ff35::1/a"),
     "x.yaml:10:47: \"coap://ff35::1/a\" is no URI of a request: an IPv6 "
     "address stands in brackets"},
    {URI("coap://192.0.2.1/a"), "x.yaml:10:47: 192.0.2.1 is an IPv4 address, but network.ip is 6"},
    {URI("coap://$g/a#b"),
     "x.yaml:10:47: \"coap://[ff35::1]/a#b\" is no URI of a request: a "
     "fragment"},
    {URI("coap://$g/%4"),
     "x.yaml:10:47: \"coap://[ff35::1]/%4\" is no URI of a request: a % "
     "without"},
    {URI("coap://$g/" X256), "x.yaml:10:47: \"coap://[ff35::1]/" X64},
    {ASK("uri: \"coap://$g/\", option: [" O64 "\"9=\"]"),
     "x.yaml:10:33: a request has at most 64 options; this one has 65\n"},
    {ASK("uri: \"coap://$g/\", method: PUT, payload: " X1025),
     "x.yaml:10:83: a payload of at most 1024 octets\n"},
    {ASK("uri: \"coap://$g/" X64 X64 "\", method: PUT, payload: " X256 X256 X256 X256),
     "x.yaml:10:33: this message has 1158 octets or more, of at most 1152 (RFC 7252, section 4.6)"},
    {ASK("uri: \"coap://$g/\", method: \"0.01\""), "x.yaml:10:69: \"0.01\" is no method: write"},
    {ASK("uri: \"coap://$g/\", timeout: 1000001h"), "x.yaml:10:70: \"1000001h\" is no timeout: "},
    {STEP("node: c1, repeat: {of: q1, mid: same, to: $s1}"),
     "x.yaml:10:46: a repeat to one server has a new Message ID always\n"},
    {STEP("node: c1, repeat: {of: q1, to: $g}"), "x.yaml:10:45: [ff35::1]:5683 is a group: to "},
    {STEP("node: c1, restart: {port: 5684}"), "x.yaml:10:40: port 5684 is not for group"},
    {STEP("node: s1, restart: {port: 7000}"), "x.yaml:10:40: node s1 is a server: only clients "},
    {STEP("node: s1, set: {path: /ligth, payload: a}"),
     "x.yaml:10:36: node s1 has no resource /ligth; did you mean \"/light\"?\n"},
    {STEP("node: s, set: {path: /n, payload: a}"),
     "x.yaml:10:48: the payload of a counter is a number from 0 to 4294967295\n"},
    {STEP("node: s, set: {path: /n, payload-hex: \"31 0a\"}"), "x.yaml:10:52: the payload of a "},
    {STEP("node: s, set: {path: /n, payload: \"4294967296\"}"), "x.yaml:10:48: the payload of a "},
    {STEP("node: s, set: {path: /light, payload: " X1025 "}"),
     "x.yaml:10:52: a payload of at most"},
    {STEP("node: s, set: {path: /light, code: 3.00}"), "x.yaml:10:49: \"3.00\" is no code: write"},
    {STEP("node: s1, join: {group: \"[2001:db8::9]\"}"),
     "x.yaml:10:38: [2001:db8::9]:5683 is no multicast address (ff00::/8, 224.0.0.0/4)\n"},
    {STEP("node: s1, join: {group: \"[ff35::2]:0\"}"), "x.yaml:10:38: \"[ff35::2]:0\" has no port"},
    {STEP("node: s1, leave: {group: \"[ff35::2]\"}"),
     "x.yaml:10:5: node s1 is no member of [ff35::2]:5683 then\n"},
    {STEP("node: s1, leave: {group: \"[ff35::1]:7000\"}"), "x.yaml:10:5: node s1 is no member of"},
    {STEP("node: t, send: {to: \"[ff35::1]:0\", message: {code: GET}}"),
     "x.yaml:10:34: \"[ff35::1]:0\" has no port: write a number from 1 to 65535\n"},
    {STEP(
         "node: t, send: {to: $g, message: {code: GET, tkl: 3}}") "  - {executes: {path: light}}\n",
     "x.yaml:13:23: \"light\" is no path: write /light\n"},
    {STEP("node: t, send: {to: $g, message: {code: GET}}") "  - {never: {from: s, type: RST, "
                                                           "during: 20s..}}\nend: 19s\n",
     "x.yaml:13:5: this begins at 20s, after the end of the run at 19s\n"},
    {STEP("network: {loss: 100%, during: 9s..}"),
     "x.yaml:10:23: this begins at 9s, after the end of the run at 8050ms\n"},
    /* in the order of time, whatever the order in the file */
    {HEAD "  - {at: 5s, node: c1, request: {id: q2, uri: \"coap://$g/n\"}}\n"
          "  - {at: 4s, node: c1, forget: {of: q2}}\n" TAIL,
     "x.yaml:11:5: this step comes at 4s, before its request \"q2\" at 5s\n"},
    {HEAD "  - {at: 5s, node: c1, forget: {of: q1}}\n"
          "  - {at: 4s, node: c1, forget: {of: q1}}\n" TAIL,
     "x.yaml:10:5: the request \"q1\" is over by then: a step before ends it\n"},
    {HEAD "  - {at: 4s, node: c1, restart: }\n  - {at: 5s, node: c1, forget: {of: q1}}\n" TAIL,
     "x.yaml:11:5: the request \"q1\" is over by then: a step before ends it\n"},
    {HEAD "  - {at: 2s, node: c1, restart: {port: 40000}}\n"
          "  - {at: 1s, node: c1, restart: {port: 40001}}\n" TAIL,
     "x.yaml:10:5: client c1 had port 40000 before: restart it on another one\n"},
    {HEAD "  - {at: 2s, node: s1, leave: {group: $g}}\n  - {at: 1s, node: s1, leave: {group: "
          "$g}}\n" TAIL,
     "x.yaml:10:5: node s1 is no member of [ff35::1]:5683 then\n"},
    {HEAD
     "  - {at: 2s, node: s1, join: {group: \"[ff35::2]\"}}\n  - {at: 3s, node: s1, restart: }\n"
     "  - {at: 4s, node: s1, leave: {group: \"[ff35::2]\"}}\n" TAIL,
     "x.yaml:12:5: node s1 is no member of [ff35::2]:5683 then\n"},
    {HEAD "  - {at: 2s, network: {name: cut, loss: 100%}}\n  - {at: 1s, repair: cut}\n" TAIL,
     "x.yaml:11:5: the impairment \"cut\" begins later than this repair\n"},
};

START_TEST(what_no_node_could_do_is_explained) {
  ck_assert_msg(!load(wrong[_i].text, false), "loaded, instead of: %s", wrong[_i].message);
  check_complaint(wrong[_i].message);
}
END_TEST

/* The same of nodes, whose place is theirs. */
static const struct {
  const char *nodes, *message;
} wrong_nodes[] = {
    {"  a: {role: server, groups: [\"2001:db8::9\"]}\n", "x.yaml:6:30: [2001:db8::9]:5683 is no "},
    {"  a: {role: tester, groups: [\"2001:db8::9\"]}\n", "x.yaml:6:30: [2001:db8::9]:5683 is no "},
    {"  a: {role: tester, groups: [\"[ff35::1]:0\"]}\n",
     "x.yaml:6:30: \"[ff35::1]:0\" has no port"},
    {"  a: {role: server, groups: [\"[ff35::1]:5684\"]}\n",
     "x.yaml:6:30: [ff35::1]:5684: port 5684"},
    {"  a: {role: tester, groups: [255.255.255.255]}\nnetwork: {ip: 4}\n",
     "x.yaml:6:30: 255.255.255.255:5683 is no multicast address (ff00::/8, 224.0.0.0/4)\n"},
    {"  a: {role: client, addresses: [\"::1\"]}\n",
     "x.yaml:6:3: a cannot have the address ::1: packets to it never leave their host\n"},
    {"  a: {role: client, addresses: [\"2001:db8::7\", \"2001:db8::7\"]}\n",
     "x.yaml:6:3: a cannot have the address 2001:db8::7: it has it already\n"},
    {"  a: {role: client, port: 5684}\n",
     "x.yaml:6:27: port 5684 is not for group communication\n"},
    {"  a: {role: server, resources: {/n: {kind: fixed, code: 3.00}}}\n",
     "x.yaml:6:57: a resource answers with a Response Code such as 2.05\n"},
    {"  a: {role: tester, answers: [{when: {path: light}, message: {code: 2.05}}]}\n",
     "x.yaml:6:45: \"light\" is no path: write /light\n"},
    {"  a: {role: server, resources: {/n: {kind: counter, payload: on}}}\n",
     "x.yaml:6:62: the payload of a counter is a number from 0 to 4294967295\n"},
    {"  a: {role: server, resources: {/n: {payload-hex: \"2d31\", kind: counter}}}\n",
     "x.yaml:6:51: the payload of a counter is a number from 0 to 4294967295\n"},
    {"  a: {role: server, resources: {/n: {kind: counter, payload: 4294967296}}}\n",
     "x.yaml:6:62: the payload of a counter is a number from 0 to 4294967295\n"},
    {"  a: {role: server, resources: {/a?b: {}}}\n",
     "x.yaml:6:33: \"/a?b\": a path begins with / and has no query; write %3F for "},
    {"  a: {role: server, resources: {\"/a#b\": {}}}\n",
     "x.yaml:6:33: \"/a#b\": a path has no fragment: write %23 for the character\n"},
    {"  a: {role: server, resources: {/100%: {}}}\n",
     "x.yaml:6:33: \"/100%\": \"%\" stands before two hexadecimal digits: write %25\n"},
    {"  a: {role: server, resources: {/a b: {}, /a%20b: {}}}\n",
     "x.yaml:6:43: \"/a%20b\": there is a resource /a%20b already\n"},
    {"  a: {role: server, resources: {/a/%2E./b: {}}}\n",
     "x.yaml:6:33: \"/a/%2E./b\": no request has the segments . and .. (RFC 3986, section 5.2.4)"},
    {"  a: {role: server, resources: {/" X256 ": {}}}\n",
     "x.yaml:6:33: "
     "\"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxx\": a segment has at most 255 octets\n"},
};

START_TEST(nodes_that_could_not_be_made_are_explained) {
  char text[4000];
  snprintf(text, sizeof text,
           "id: x\ntitle: t\ncovers: [COAP-3-01]\nnodes:\n  c1: {role: client}\n%ssteps: []\n",
           wrong_nodes[_i].nodes);
  ck_assert_ptr_null(load(text, false));
  check_complaint(wrong_nodes[_i].message);
}
END_TEST

START_TEST(messages_that_fit_into_no_datagram) {
  size_t size = 70000;
  char *text = malloc(size);
  int head = snprintf(text, size, "%s",
                      HEAD "  - {at: 1s, node: t, send: {to: $g, message: {code: GET, uri-path: [");
  memset(text + head, 'x', 65600);
  snprintf(text + head + 65600, size - (size_t)head - 65600, "]}}}\n" TAIL);
  ck_assert_ptr_null(load(text, false));
  check_complaint("x.yaml:10:47: this message has 65540 octets or more, of at most 65507 in a ");
  free(text);
}
END_TEST

/* What is asked for on purpose, and what a stack may know better than the file. */
static const char *const right[] = {
    ASK("uri: \"coaps://$g/light\""),
    URI("coap://$g:5684/light"),
    URI("COAP://[ff35::1%252]:/a%20b/../c?d=%26&e"),
    ASK("uri: \"coap://$g/light\", type: CON"),
    ASK("uri: \"coap://$g/light\", option: \"23=16\""),
    STEP("node: s1, join: {group: \"[ff35::1]:5684\"}"),
    STEP("node: s1, leave: {group: $all-coap-nodes}"),
    STEP("node: s1, optional: true, leave: {group: \"[ff35::2]\"}"),
    STEP("node: s1, optional: true, set: {path: /other, payload: a}"),
    STEP("node: s1, optional: true, set: {path: /n, payload: a}"),
    STEP("optional: true, node: c1, request: {id: q2, uri: \"coap://$g/" X64 X64
         "\", method: PUT, payload: " X256 X256 X256 X256 "}"),
    HEAD
    "  - {at: 1s, node: c1, forget: {of: q1}}\n"
    "  - {at: 2s, node: c1, optional: true, forget: {of: q1}}\n" TAIL,
    HEAD
    "  - {at: 2s, node: s1, join: {group: $g}}\n  - {at: 1s, node: s1, leave: {group: $g}}\n"
    "  - {at: 3s, node: s1, leave: {group: $g}}\n" TAIL,
    HEAD
    "  - {at: 1s, node: c1, restart: {port: 40001}}\n"
    "  - {at: 2s, node: c1, restart: {port: 40001}}\n" TAIL,
    HEAD "  - {at: 1s, network: {name: cut, loss: 100%}}\n  - {at: 1s, repair: cut}\n" TAIL,
};

START_TEST(what_may_be_asked_for_loads) {
  struct scn_scenario *s = load(right[_i], false);
  if (!s) check_complaint("nothing");
  ck_assert_ptr_nonnull(s);
  scn_free(s);
}
END_TEST

/* "/a b", "/a%20b" and "/%61%20b" are one path, in every place that has one. */
START_TEST(paths_are_written_in_one_way) {
  struct scn_scenario *s = load(
      "id: x\ntitle: t\nnodes:\n  c1: {role: client}\n"
      "  s1: {role: server, resources: {\"/a b\": {}}}\n"
      "  t: {role: tester, answers: [{when: {path: \"/\xc3\xa9?q=%2f\"}, message: {code: 2.05}}]}\n"
      "steps:\n  - {at: 1s, node: s1, set: {path: \"/%61%20b\", payload: a}}\n"
      "  - {at: 2s, node: t, send: {to: $s1, message: {code: GET, uri-path: \"/a%20b/%2f\"}}}\n"
      "  - {at: 2s, node: t, send: {to: $s1, message: {code: GET, uri-path: [\"a%20b\"]}}}\n"
      "expect:\n  - {event: state, path: \"/a b\", times: 1}\n",
      false);
  if (!s) check_complaint("nothing");
  ck_assert_ptr_nonnull(s);
  ck_assert_str_eq(s->nodes[1].server.resources[0].path, "/a%20b");
  ck_assert_str_eq(s->nodes[2].answers[0].path, "/%C3%A9?q=/");
  ck_assert_str_eq(chorus_argument_get(&s->steps[0].command, "path"), "/a%20b");
  ck_assert_str_eq(s->expectations[0].path, "/a%20b");
  const struct scn_message *m = &s->steps[1].send.message;
  ck_assert(m->option_count == 2 && m->options[0].length == 3 && m->options[1].length == 1);
  ck_assert_mem_eq(m->options[0].value, "a b", 3);
  ck_assert_mem_eq(m->options[1].value, "/", 1);
  ck_assert_mem_eq(s->steps[2].send.message.options[0].value, "a%20b", 5); /* as it is sent */
  scn_free(s);
}
END_TEST

START_TEST(a_stack_has_resources_of_its_own) {
  struct scn_scenario *s = load(STEP("node: s1, set: {path: /other, payload: a}"), true);
  ck_assert_ptr_nonnull(s);
  scn_free(s);
  ck_assert_ptr_null(load(STEP("node: s1, set: {path: /n, payload: a}"), true));
}
END_TEST

/* Nodes get values in the one way of writing them that they know. */
START_TEST(values_are_written_as_nodes_read_them) {
  struct scn_scenario *s =
      load(ASK("uri: \"coap://$g/\", method: PUT, token: \"01 0A\", payload-hex: \"de:ad\", "
               "accept: 0x10, option: [\"0xfde8=00 ff\", \"9=\"], timeout: 100.000000001s"),
           false);
  ck_assert_ptr_nonnull(s);
  const struct chorus_command *c = &s->steps[1].command;
  ck_assert_str_eq(chorus_argument_get(c, "token"), "010a");
  ck_assert_str_eq(chorus_argument_get(c, "payload-hex"), "dead");
  ck_assert_str_eq(chorus_argument_get(c, "accept"), "16");
  ck_assert_str_eq(chorus_argument_get(c, "option"), "65000=00ff");
  ck_assert_str_eq(chorus_argument_get(c, "timeout"), "100000000001ns");
  scn_free(s);
}
END_TEST

/* After substitution, whatever the value came from; the place is where it is used. */
START_TEST(values_of_settings_are_checked) {
  static const struct {
    struct scn_setting setting;
    const char *message;
  } cases[] = {
      {{"scheme", "http"}, "x.yaml:8:46: \"http://[ff35::1]/light\" is no URI of a request"},
      {{"steps.1.request.uri", "coap://nowhere/"}, "x.yaml:8:46: the host \"nowhere\" is no "},
      {{"steps.1.node", "c2"}, "x.yaml:8:20: no node is called \"c2\"; did you mean \"c1\"?\n"},
      {{"nodes.c1.prot", "7"},
       "x.yaml:5:7: unknown key \"prot\" in this node; did you mean \"port\""},
      {{"network.ip", "7"}, "x.yaml: \"7\" is no IP version: ip is 4 or 6\n"},
  };
  static const char text[] =
      "id: x\ntitle: t\nparameters: {scheme: coap}\nnodes:\n  c1: {role: client}\n"
      "  s: {role: server, count: 2, resources: {/light: {}}}\nsteps:\n"
      "  - {at: 0s, node: c1, request: {id: q, uri: \"$scheme://[ff35::1]/light\"}}\n"
      "covers: [COAP-3-01]\n";
  struct scn_file *file = scn_file_parse("x.yaml", text, strlen(text), &errors);
  ck_assert_ptr_nonnull(file);
  ck_assert_ptr_null(scn_load(file, NULL, &cases[_i].setting, 1, &errors));
  check_complaint(cases[_i].message);
  scn_file_free(file);
}
END_TEST

/* What is wrong with a value of the sweep is told there; and no axis says one thing twice. */
static const struct {
  const char *sweep, *message;
} wrong_sweeps[] = {
    {"{seed: [1, x]}", "x.yaml:10:19: \"x\" is not a number from 0 to 18446744073709551615"},
    {"{ip: [6, 7]}", "x.yaml:10:17: \"7\" is no IP version: ip is 4 or 6\n"},
    {"[{seed: [1]}, {network.mtu: [1500, 1]}]", "x.yaml:10:43: \"1\" is not a number from 1280 to"},
    {"{latency: [1ms, z]}", "x.yaml:10:24: \"z\" is not a duration for latency"},
    {"{end: [9s, z]}", "x.yaml:10:19: \"z\" is not a duration for end"},
    {"{nodes.s.count: [3, z]}", "x.yaml:10:28: \"z\" is not a number from 1 to 100000 for count\n"},
    {"{nodes.s.foo: [1]}", "x.yaml:10:23: unknown key \"foo\" in this node\n"},
    {"{steps.1.request.uri: [\"coap://$g/light\", z]}",
     "x.yaml:10:50: \"z\" is no URI of a request"},
    {"{ip: [6, 6]}", "x.yaml:10:17: ip is 6 already on this axis: one run, not two\n"},
    {"{seed: [1, 2, 01]}", "x.yaml:10:22: seed is 1 already on this axis: one run, not two\n"},
    {"{end: [9s, 9000ms]}", "x.yaml:10:19: end is 9s already on this axis: one run, not two\n"},
    {"{ip: [6], network.ip: [6]}", "x.yaml:10:18: network.ip sets what ip sets: one axis, not two"},
};

START_TEST(wrong_sweeps_are_explained) {
  char text[2000];
  struct scn_file *file;
  struct scn_scenario *s = NULL;
  int length = snprintf(text, sizeof text, "%ssweep: %s\n%s", HEAD, wrong_sweeps[_i].sweep, TAIL);
  file = scn_file_parse("x.yaml", text, (size_t)length, &errors);
  for (size_t i = 0; file && i < file->variant_count; i++) {
    s = scn_load(file, NULL, file->variants[i].settings, file->variants[i].setting_count, &errors);
    if (!s) break;
    scn_free(s);
  }
  ck_assert_ptr_null(s);
  scn_file_free(file);
  check_complaint(wrong_sweeps[_i].message);
  ck_assert_uint_eq(errors.total, 1);
}
END_TEST

/* One cause, one message, however often what could not be made is named. */
static const struct {
  const char *text, *message;
} causes[] = {
    {"nodes:\n  c1: {role: client}\n  s: {role: serv, count: 2}\nsteps:\n"
     "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$s1/\"}}\n"
     "  - {at: 1s, node: \"s*\", restart: {}}\n  - {at: 1s, network: {from: s, loss: 1%}}\n"
     "expect:\n  - {request: q, from: s2}\n  - {executes: {node: [s1, c1]}}\n",
     "x.yaml:5:13: \"serv\" is no role (client, server, tester); did you mean \"server\"?\n"},
    {"nodes:\n  c1: {role: client}\n  s: {role: server, count: x}\nsteps:\n"
     "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$s2/\"}}\n"
     "expect:\n  - {request: q, from: s2}\n",
     "x.yaml:5:28: \"x\" is not a number from 1 to 100000 for count\n"},
    {"nodes:\n  c1: {role: client}\nsteps:\n"
     "  - {at: 0, every: 1s, times: 3, node: c1, request: {id: q, uri: \"coap://[::1]/\", typ: "
     "NON}}\n"
     "  - {at: 9s, node: c1, forget: {of: q#2}}\n"
     "expect:\n  - {request: \"q*\", times: 0}\n",
     "x.yaml:6:83: unknown key \"typ\" in request; did you mean \"type\"?\n"},
    {"network: {ip: 5, groups: {$g: {4: 239.0.0.1}}}\nnodes:\n  c1: {role: client}\n"
     "  s1: {role: server, groups: [$g, 239.0.0.2, \"[ff35::1]\"]}\nsteps:\n"
     "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://192.0.2.9/\"}}\n"
     "expect:\n  - {request: q, times: 0}\n",
     "x.yaml:3:15: \"5\" is no IP version: ip is 4 or 6\n"},
    {"network: {groups: {$g: 2001:db8::x}}\nnodes:\n  c1: {role: client}\nsteps:\n"
     "  - {at: 0s, node: c1, request: {id: q, uri: \"coap://$g/\"}}\n"
     "expect:\n  - {request: q, times: 0}\n",
     "x.yaml:3:24: \"2001:db8::x\" is no endpoint"},
};

START_TEST(one_cause_one_message) {
  char text[2000];
  snprintf(text, sizeof text, "id: x\ntitle: t\n%s", causes[_i].text);
  ck_assert_ptr_null(load(text, false));
  check_complaint(causes[_i].message);
  ck_assert_uint_eq(errors.total, 1);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("loader of commands");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, begin, end);
  tcase_add_loop_test(tests, what_no_node_could_do_is_explained, 0, sizeof wrong / sizeof *wrong);
  tcase_add_loop_test(tests, nodes_that_could_not_be_made_are_explained, 0,
                      sizeof wrong_nodes / sizeof *wrong_nodes);
  tcase_add_test(tests, messages_that_fit_into_no_datagram);
  tcase_add_loop_test(tests, wrong_sweeps_are_explained, 0,
                      sizeof wrong_sweeps / sizeof *wrong_sweeps);
  tcase_add_loop_test(tests, one_cause_one_message, 0, sizeof causes / sizeof *causes);
  tcase_add_loop_test(tests, what_may_be_asked_for_loads, 0, sizeof right / sizeof *right);
  tcase_add_test(tests, paths_are_written_in_one_way);
  tcase_add_test(tests, a_stack_has_resources_of_its_own);
  tcase_add_test(tests, values_are_written_as_nodes_read_them);
  tcase_add_loop_test(tests, values_of_settings_are_checked, 0, 5);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
