/* SPDX-License-Identifier: BSD-2-Clause */
/* The scenario loader: what it makes of a file, and what it says of a wrong one (W2). */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "check_run.h"
#include "chorus/endpoint_text.h"
#include "scenario/library.h"

#define HEAD "id: x\ntitle: t\n"
#define NODES                                                                                  \
  "network: {groups: {$g: {4: 239.255.0.1, 6: \"[ff35::1]\"}}}\n"                              \
  "nodes:\n  c1: {role: client}\n  s: {role: server, count: 3, groups: [$g], resources: {/a: " \
  "{}}}\n"                                                                                     \
  "  t: {role: tester}\n"
#define STEP              "steps:\n  - {at: 1s, node: c1, request: {id: q1, uri: \"coap://$g/a\"}}\n"
#define FOLLOW(arguments) "  - {at: 2s, node: c1, follow: " arguments "}\n"
#define EXPECT            "expect:\n  - {request: q1, from: s, each: 1}\n"

static struct scn_errors errors;

static void begin(void) {
  scn_errors_init(&errors);
}
static void end(void) {
  scn_errors_free(&errors);
}

static struct scn_file *parse(const char *text) {
  return scn_file_parse("x.yaml", text, strlen(text), &errors);
}

static struct scn_scenario *load(const char *text) {
  struct scn_file *file = parse(text);
  if (!file) return NULL;
  struct scn_scenario *s =
      scn_load(file, NULL, file->variants[0].settings, file->variants[0].setting_count, &errors);
  scn_file_free(file);
  return s;
}

/* All errors as they are printed. */
static char *complaint(void) {
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  scn_errors_print(&errors, stream);
  fclose(stream);
  return text;
}

START_TEST(a_whole_scenario) {
  struct scn_scenario *s = load(HEAD NODES STEP EXPECT);
  ck_assert_ptr_nonnull(s);
  ck_assert_uint_eq(s->node_count, 5);
  ck_assert_str_eq(s->nodes[1].name, "s1");
  ck_assert_str_eq(s->nodes[3].name, "s3");
  ck_assert_str_eq(s->nodes[3].family, "s");
  ck_assert_uint_eq(s->nodes[2].server.group_count, 1);
  ck_assert_uint_eq(s->nodes[2].server.groups[0].port, 5683);
  ck_assert_uint_eq(s->step_count, 1);
  ck_assert_uint_eq(s->steps[0].place.line, 9);
  ck_assert_str_eq(chorus_argument_get(&s->steps[0].command, "uri"), "coap://[ff35::1]/a");
  ck_assert_uint_eq(s->end, 1 * CHORUS_SECOND + 7050 * CHORUS_MILLISECOND); /* L + PROC + 0.05 s */
  ck_assert_str_eq(s->expectations[0].text, "{request: q1, from: s, each: 1}");
  scn_free(s);
}
END_TEST

START_TEST(ip_version_changes_addresses) {
  struct scn_setting setting = {"ip", "4"};
  char text[CHORUS_ENDPOINT_TEXT];
  struct scn_file *file = parse(HEAD NODES STEP EXPECT);
  ck_assert_ptr_nonnull(file);
  struct scn_scenario *s = scn_load(file, "x[ip=4]", &setting, 1, &errors);
  ck_assert_ptr_nonnull(s);
  ck_assert_str_eq(s->name, "x[ip=4]");
  ck_assert_str_eq(chorus_address_text(&s->nodes[0].addresses[0], text), "192.0.2.1");
  ck_assert_str_eq(chorus_argument_get(&s->steps[0].command, "uri"), "coap://239.255.0.1/a");
  scn_free(s);
  scn_file_free(file);
}
END_TEST

START_TEST(loops_are_unrolled_and_sorted) {
  struct scn_scenario *s = load(HEAD NODES
                                "steps:\n"
                                "  - {at: 0s, every: 10s, times: 3, node: c1, request: {id: q, "
                                "uri: \"coap://$g/a\", timeout: 1.5s}}\n"
                                "  - {at: 5s, every: 10s, times: 3, node: c1, repeat: {of: q#}}\n"
                                "expect:\n  - {request: \"q#*\", from: s, each: 3}\n");
  ck_assert_ptr_nonnull(s);
  ck_assert_uint_eq(s->step_count, 6);
  for (size_t i = 1; i < 6; i++) ck_assert_uint_le(s->steps[i - 1].at, s->steps[i].at);
  ck_assert_str_eq(chorus_argument_get(&s->steps[2].command, "id"), "q#2");
  ck_assert_str_eq(chorus_argument_get(&s->steps[3].command, "of"), "q#2");
  ck_assert_str_eq(chorus_argument_get(&s->steps[0].command, "timeout"), "1500ms");
  scn_free(s);
}
END_TEST

START_TEST(sweeps_make_all_combinations) {
  struct scn_file *file = parse(
      HEAD
      "network: {groups: {$g: {4: 239.255.0.1, 6: \"[ff35::1]\"}}}\n"
      "nodes:\n  c1: {role: client}\n  s: {role: server, count: $members, groups: [$g]}\n" STEP
          EXPECT "sweep: {ip: [4, 6], members: [1, 3, 30]}\n");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(file->variant_count, 6);
  ck_assert_str_eq(file->variants[0].name, "x[ip=4,members=1]");
  ck_assert_str_eq(file->variants[5].name, "x[ip=6,members=30]");
  struct scn_scenario *s = scn_load(file, NULL, file->variants[5].settings, 2, &errors);
  ck_assert_ptr_nonnull(s);
  ck_assert_uint_eq(s->node_count, 31);
  scn_free(s);
  scn_file_free(file);
}
END_TEST

START_TEST(impairments) {
  struct scn_scenario *s = load(
      HEAD
      "network:\n"
      "  groups: {$g: \"[ff35::1]\"}\n"
      "  impairments:\n"
      "    - {from: c1, to: s, drop: [1, 3-5], during: 1s..9s}\n"
      "    - {loss: 0%}\n"
      "    - {to: s2, gemodel: {p: 1%, r: 50%, 1-h: 80%}}\n"
      "nodes:\n  c1: {role: client}\n  s: {role: server, count: 3, groups: [$g]}\n" STEP EXPECT);
  ck_assert_ptr_nonnull(s);
  const struct scn_impairment *i = s->network.impairments;
  ck_assert_uint_eq(s->network.impairment_count, 3);
  ck_assert_uint_eq(i[0].receiver_count, 3);
  ck_assert_uint_eq(i[0].impairment.drop_count, 4);
  ck_assert_uint_eq(i[0].impairment.drop[3], 5);
  ck_assert_uint_eq(i[0].impairment.clause, 6);
  ck_assert_uint_eq(i[0].impairment.to, 9 * CHORUS_SECOND);
  ck_assert(!i[0].optional && i[1].optional); /* a loss of 0 % has nothing to use */
  ck_assert_uint_eq(i[1].senders[0], EMU_ANY);
  ck_assert_uint_eq(i[2].impairment.gemodel_loss_bad, 800000);
  scn_free(s);
}
END_TEST

START_TEST(crafted_messages) {
  struct scn_scenario *s = load(HEAD NODES
                                "steps:\n"
                                "  - {at: 0s, node: t, send: {to: $g, from: \"$s1:6000\", message: "
                                "{code: GET, token: \"0102\", "
                                "mid: 7, uri-path: /a/b, options: [{no-response: 26}, {65001: "
                                "\"0a\"}, {accept: {hex: \"0000\"}}], tkl: 9}}}\n"
                                "expect: [{event: leak, times: 0}]\n");
  ck_assert_ptr_nonnull(s);
  const struct scn_send *send = &s->steps[0].send;
  static const uint16_t numbers[] = {11, 11, 17, 258, 65001};
  ck_assert_uint_eq(send->from.port, 6000);
  ck_assert(chorus_same_address(&send->from, &s->nodes[1].addresses[0]));
  ck_assert_uint_eq(send->message.option_count, 5);
  for (size_t i = 0; i < 5; i++) ck_assert_uint_eq(send->message.options[i].number, numbers[i]);
  ck_assert_uint_eq(send->message.options[2].length, 2);
  ck_assert_uint_eq(send->message.options[3].value[0], 26);
  ck_assert_int_eq(send->message.token_length_field, 9);
  ck_assert_uint_eq(send->message.token_length, 2);
  scn_free(s);
}
END_TEST

/* What is wrong, and the first line that is said of it. */
static const struct {
  const char *text, *message;
} wrong[] = {
    {"", "x.yaml: the file is empty\n"},
    {"id: [\n",
     "x.yaml:2:1: not YAML: did not find expected node content while parsing a flow node\n"},
    {"- a\n", "x.yaml:1:1: a scenario has to be a mapping (key: value)\n"},
    {HEAD NODES STEP EXPECT "nodez: {}\n",
     "x.yaml:12:1: unknown key \"nodez\" in a scenario; did you mean \"nodes\"?\n"},
    {HEAD NODES STEP, /* W2 */
     "x.yaml:1:1: a scenario needs covers or expect: this one could not fail\n"},
    {HEAD NODES STEP EXPECT "end: 5 sec\n",
     "x.yaml:12:6: \"5 sec\" is not a duration for end; write a number with ns, us, ms, s, min or "
     "h, such as 5s\n"},
    {HEAD NODES STEP EXPECT "title: again\n",
     "x.yaml:12:1: key \"title\" is there twice; the first is in line 2\n"},
    {HEAD NODES STEP "expect:\n  - {request: q2, from: s}\n",
     "x.yaml:11:15: no step makes a request \"q2\"; did you mean \"q1\"?\n"},
    {HEAD NODES STEP "expect:\n  - {request: q1, from: z}\n",
     "x.yaml:11:25: no node is called \"z\"; did you mean \"t\"?\n"},
    {HEAD NODES STEP "expect:\n  - {request: q1, from: s, each: x}\n",
     "x.yaml:11:34: \"x\" is no number of times for each; write 1, 0..2, 2.. or ..3\n"},
    {HEAD NODES "steps:\n  - {at: 1s, node: s1, request: {id: q1, uri: \"coap://$g/a\"}}\n" EXPECT,
     "x.yaml:9:33: node s1 is a server, which knows no \"request\"\n"},
    {HEAD NODES "steps:\n  - {at: 1s, node: c1, request: {id: q1, uri: \"coap://$h/a\"}}\n" EXPECT,
     "x.yaml:9:47: nothing is called $h; did you mean $g?\n"},
    {HEAD NODES "steps:\n  - {at: 1s, node: c1, request: {id: q1}}\n" EXPECT,
     "x.yaml:9:33: this command needs uri\n"},
    {HEAD NODES "steps:\n  - {at: 1s, node: c1, request: {id: q1, uri: x, timeout: 5}}\n" EXPECT,
     "x.yaml:9:59: \"5\" is no timeout: write a duration such as 5s, at most 1000000h\n"},
    {HEAD NODES "steps:\n  - {at: 1s, node: c1}\n" EXPECT,
     "x.yaml:9:5: a step does one thing (request, repeat, follow, forget, set, join, leave, "
     "restart, send, "
     "network or repair); this one does 0\n"},
    {HEAD NODES STEP FOLLOW("{of: q1}") EXPECT, "x.yaml:10:32: this command needs id\n"},
    {HEAD NODES STEP FOLLOW("{of: q2, id: f}") EXPECT,
     "x.yaml:10:37: no earlier step of this node makes a request \"q2\"; did you mean \"q1\"?\n"},
    {HEAD NODES STEP FOLLOW("{of: q1, id: f}") FOLLOW("{of: q1, id: f}") EXPECT,
     "x.yaml:11:45: there is a request \"f#1\" of this node already\n"},
    {HEAD NODES STEP FOLLOW("{of: q1, id: f}") "expect:\n  - {request: g, from: s, each: 1}\n",
     "x.yaml:12:15: no step makes a request \"g\"\n"},
    {HEAD NODES STEP FOLLOW("{of: q1, id: f}") FOLLOW("{of: \"f#x\", id: g}") EXPECT,
     "x.yaml:11:37: no earlier step of this node makes a request \"f#x\"; did you mean \"f#1\"?\n"},
    {HEAD "nodes:\n  c1: {role: klient}\n" STEP EXPECT,
     "x.yaml:4:14: \"klient\" is no role (client, server, tester); did you mean \"client\"?\n"},
    {HEAD "nodes:\n  s: {role: server, groups: [192.0.2.1]}\n" STEP EXPECT,
     "x.yaml:4:30: 192.0.2.1 is an IPv4 address, but network.ip is 6; name it under network.groups "
     "or "
     "network.addresses with one for each version\n"},
    {HEAD NODES STEP "expect:\n  - {request: q1, from: [s, z]}\n",
     "x.yaml:11:29: no node is called \"z\"; did you mean \"t\"?\n"},
    {HEAD NODES STEP "expect:\n  - {request: q1, from: []}\n",
     "x.yaml:11:25: an empty list names no node\n"},
    {HEAD NODES
     "steps:\n  - {at: 8500ms, node: c1, request: {id: q1, uri: \"coap://$g/a\"}}\n" EXPECT
     "end: 8s\n",
     "x.yaml:9:5: this step comes at 8500ms, after the end of the run at 8s\n"},
    {HEAD NODES STEP "  - {at: 1s, node: s1, set: {path: /a, code: GET}}\n" EXPECT,
     "x.yaml:10:46: \"GET\" is no code: write a Response Code such as 2.05, or auto\n"},
    {HEAD NODES STEP "  - {at: 1s, node: c1, restart: {port: 0}}\n" EXPECT,
     "x.yaml:10:40: \"0\" is no port: write a number from 1 to 65535\n"},
    {HEAD NODES
     "steps:\n  - {at: 1s, node: c1, request: {id: q1, uri: x, no-response: 256}}\n" EXPECT,
     "x.yaml:9:63: \"256\" is no no-response: write a number from 0 to 255\n"},
    {HEAD NODES "steps:\n  - {at: 1s, node: c1, request: {id: q1, uri: x, token: "
                "\"010203040506070809\"}}\n" EXPECT,
     "x.yaml:9:57: \"010203040506070809\" is no token: write at most 8 octets in hexadecimal\n"},
    {HEAD NODES STEP
     "  - {at: 1s, node: s1, set: {path: /a, payload: a, payload-hex: \"61\"}}\n" EXPECT,
     "x.yaml:10:65: either payload or payload-hex, not both\n"},
    {HEAD NODES STEP
     "  - {at: 1s, node: t, send: {to: $g, message: {raw: \"50\", code: GET}}}\n" EXPECT,
     "x.yaml:10:65: raw is the whole message: \"code\" says nothing beside it\n"},
    {HEAD "nodes:\n  c1: {role: client}\n"
          "  t: {role: tester, answers: [{when: {nth: 0}, message: {code: 2.05}}]}\n" STEP EXPECT,
     "x.yaml:5:44: messages are counted from 1\n"},
    {HEAD "nodes: {}\n"
          "steps: []\n"
          "covers: [COAP-3-01]\n",
     "x.yaml:3:8: there has to be a node\n"},
    {HEAD "nodes:\n  c1: {role: client, msrd: 5s}\n" STEP EXPECT,
     "x.yaml:4:28: msrd has to exceed DEFAULT_LEISURE, 5s (RFC 7967, section 3.1)\n"},
    {HEAD "network: {impairments: [{loss: 1%, multicast-only: true, unicast-only: true}]}\n"
          "nodes:\n  c1: {role: client}\n" STEP EXPECT,
     "x.yaml:3:25: either multicast-only or unicast-only: no packet is both\n"},
    {HEAD NODES STEP EXPECT "sweep: [{nodes.z.count: [1]}, {ip: [4]}]\n",
     "x.yaml:12:10: cannot set \"nodes.z.count\": the scenario has no such place\n"},
    {HEAD "nodes:\n  c1: {role: client, addresses: [\"2001:db8::2\"]}\n  t: {role: tester}\n" STEP
         EXPECT,
     "x.yaml:5:3: t cannot have the address 2001:db8::2: c1 has it, too\n"},
    {HEAD "nodes:\n  c1: {role: client, addresses: [\"ff05::2\"]}\n" STEP EXPECT,
     "x.yaml:4:3: c1 cannot have the address ff05::2: a node has unicast addresses\n"},
    {HEAD NODES STEP EXPECT "sweep: {memberz: [1, 2]}\n",
     "x.yaml:12:9: \"memberz\" sets nothing: $memberz is used nowhere in the scenario\n"},
    {HEAD NODES STEP EXPECT "---\nid: y\n", "x.yaml:13:1: a second document in the file\n"},
};

START_TEST(wrong_files_are_explained) {
  ck_assert_ptr_null(parse(wrong[_i].text));
  char *text = complaint();
  ck_assert_msg(strncmp(text, wrong[_i].message, strlen(wrong[_i].message)) == 0, "%s\n%s", text,
                wrong[_i].message);
  free(text);
}
END_TEST

START_TEST(dollars_and_codes_of_text) {
  struct scn_scenario *s =
      load(HEAD NODES
           "parameters: {p: 5}\n" STEP
           "  - {at: 1s, node: s, set: {path: /a, payload: \"$$p $p$$\", code: auto}}\n" EXPECT);
  ck_assert_ptr_nonnull(s);
  const struct chorus_command *set = &s->steps[1].command;
  ck_assert_str_eq(set->verb, "set");
  ck_assert_str_eq(set->arguments[1].value, "$p 5$");
  ck_assert_str_eq(set->arguments[2].value, "auto");
  scn_free(s);
}
END_TEST

START_TEST(lists_of_nodes_in_expectations) {
  struct scn_scenario *s =
      load(HEAD NODES STEP "expect:\n  - {request: q1, from: [s1, t], times: 1}\n");
  ck_assert_ptr_nonnull(s);
  const struct scn_patterns *from = &s->expectations[0].from;
  ck_assert_uint_eq(from->count, 2);
  ck_assert_str_eq(from->list[0], "s1");
  ck_assert_str_eq(from->list[1], "t");
  ck_assert_uint_eq(s->expectations[0].to.count, 0);
  scn_free(s);
}
END_TEST

/* The requests that follow links are called f#1, f#2, ...: as many as there are responses. */
START_TEST(followed_links_have_names) {
  struct scn_scenario *s = load(HEAD NODES STEP FOLLOW(
      "{of: q1, id: f, link: /b}") "  - {at: 9s, node: c1, optional: true, forget: {of: "
                                   "\"f#12\"}}\n"
                                   "expect:\n  - {request: \"f#*\", from: s, each: 1}\n");
  ck_assert_ptr_nonnull(s);
  const struct chorus_command *follow = &s->steps[1].command;
  ck_assert_str_eq(follow->verb, "follow");
  ck_assert_str_eq(chorus_argument_get(follow, "id"), "f");
  ck_assert_str_eq(chorus_argument_get(follow, "link"), "/b");
  scn_free(s);
}
END_TEST

START_TEST(the_place_is_shown) {
  ck_assert_ptr_null(parse("id: x\ntitle: t\nnodez: []\n"));
  char *text = complaint();
  ck_assert_ptr_nonnull(strstr(text, "    3 | nodez: []\n      | ^~~~~\n"));
  free(text);
}
END_TEST

START_TEST(settings_that_set_nothing) {
  struct scn_file *file = parse(HEAD NODES STEP EXPECT);
  struct scn_setting parameter = {"memberz", "3"}, place = {"nodes.z.count", "3"};
  ck_assert_ptr_nonnull(file);
  ck_assert_ptr_null(scn_load(file, NULL, &parameter, 1, &errors));
  ck_assert_str_eq(errors.list[0].message,
                   "\"memberz\" sets nothing: $memberz is used nowhere in the scenario");
  ck_assert_ptr_null(scn_load(file, NULL, &place, 1, &errors));
  ck_assert_str_eq(errors.list[1].message,
                   "cannot set \"nodes.z.count\": the scenario has no such place");
  scn_file_free(file);
}
END_TEST

START_TEST(dotted_settings) {
  struct scn_file *file = parse(HEAD NODES STEP EXPECT);
  struct scn_setting settings[] = {
      {"nodes.s.count", "7"}, {"nodes.s.leisure", "1s"}, {"steps.1.at", "4s"}};
  ck_assert_ptr_nonnull(file);
  struct scn_scenario *s = scn_load(file, NULL, settings, 3, &errors);
  ck_assert_ptr_nonnull(s);
  ck_assert_uint_eq(s->node_count, 9);
  ck_assert_uint_eq(s->nodes[1].server.leisure, CHORUS_SECOND);
  ck_assert_uint_eq(s->steps[0].at, 4 * CHORUS_SECOND);
  scn_free(s);
  scn_file_free(file);
}
END_TEST

/* ---- selectors ---- */

START_TEST(selectors) {
  struct scn_file *file = scn_file_parse(
      "scenarios/client/x.yaml",
      HEAD "covers: [GC-2.3.1-22]\ncatalogue: [SC01]\n" NODES STEP EXPECT "sweep: {ip: [4, 6]}\n",
      strlen(HEAD "covers: [GC-2.3.1-22]\ncatalogue: [SC01]\n" NODES STEP EXPECT
                  "sweep: {ip: [4, 6]}\n"),
      &errors);
  static const char *const yes[] = {"x",       "client", "GC-2.3.1-22", "GC-2.3.1-*", "SC01",
                                    "x[ip=4]", "*"};
  static const char *const no[] = {"y", "clien", "GC-2.3.1-21", "x[ip=6]", ""};
  ck_assert_ptr_nonnull(file);
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
    ck_assert_msg(scn_selected(file, &file->variants[0], yes[i]), "%s", yes[i]);
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    ck_assert_msg(!scn_selected(file, &file->variants[0], no[i]), "%s", no[i]);
  scn_file_free(file);
}
END_TEST

static void write_file(const char *path, const char *text) {
  FILE *stream = fopen(path, "w");
  ck_assert_ptr_nonnull(stream);
  fputs(text, stream);
  fclose(stream);
}

/* W19: what lies in the folder is found; an id that is there twice is an error. */
START_TEST(discovery_by_folder) {
  char folder[] = "/tmp/chorus-library-XXXXXX", first[64], second[64];
  struct scn_library library = {NULL, 0};
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(first, sizeof first, "%s/a.yaml", folder);
  snprintf(second, sizeof second, "%s/b.yaml", folder);
  write_file(first, HEAD NODES STEP EXPECT);
  ck_assert(scn_library_read(&library, folder, &errors));
  ck_assert_uint_eq(library.count, 1);
  ck_assert_str_eq(scn_library_nearest(&library, "xx"), "x");
  scn_library_free(&library);
  write_file(second, HEAD NODES STEP EXPECT);
  ck_assert(!scn_library_read(&library, folder, &errors));
  ck_assert_ptr_nonnull(strstr(errors.list[0].message, "the id \"x\" is taken by"));
  scn_library_free(&library);
  unlink(first);
  unlink(second);
  rmdir(folder);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("loader");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, begin, end);
  tcase_add_test(tests, a_whole_scenario);
  tcase_add_test(tests, ip_version_changes_addresses);
  tcase_add_test(tests, loops_are_unrolled_and_sorted);
  tcase_add_test(tests, sweeps_make_all_combinations);
  tcase_add_test(tests, impairments);
  tcase_add_test(tests, crafted_messages);
  tcase_add_loop_test(tests, wrong_files_are_explained, 0, (int)(sizeof wrong / sizeof *wrong));
  tcase_add_test(tests, followed_links_have_names);
  tcase_add_test(tests, the_place_is_shown);
  tcase_add_test(tests, dollars_and_codes_of_text);
  tcase_add_test(tests, lists_of_nodes_in_expectations);
  tcase_add_test(tests, settings_that_set_nothing);
  tcase_add_test(tests, dotted_settings);
  tcase_add_test(tests, selectors);
  tcase_add_test(tests, discovery_by_folder);
  suite_add_tcase(suite, tests);
  return check_run(suite);
}
