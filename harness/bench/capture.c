/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judge's workload: a capture of a million packets of real conversations (group requests with
 * repeats, unicast exchanges, errors, suppressed responses), made by the simulator, judged with all
 * rules.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "run/run.h"
#include "text/text.h"

static const char scenario_text[] =
    "id: bench-check\n"
    "title: Traffic for the judge\n"
    "network: {ip: 6, latency: 1ms}\n"
    "nodes:\n"
    "  s:\n"
    "    role: server\n"
    "    count: 20\n"
    "    groups: [\"[ff35::1]:5683\"]\n"
    "    resources:\n"
    "      /light: {payload: \"on\", methods: [GET, PUT]}\n"
    "      /count: {kind: counter, suppress: [2xx]}\n"
    "  c: {role: client, count: 2}\n"
    "steps:\n"
    "  - {at: 1s, every: 20s, times: $rounds, node: c1, request: {id: g, uri: "
    "\"coap://[ff35::1]/light\"}}\n"
    "  - {at: 3s, every: 20s, times: $rounds, node: c1, repeat: {of: g#, mid: new}}\n"
    "  - {at: 8s, every: 20s, times: $rounds, node: c2, request: {id: n, uri: "
    "\"coap://[ff35::1]/none\"}}\n"
    "  - {at: 10s, every: 20s, times: $rounds, node: c2, request: {id: u, uri: "
    "\"coap://$s3/light\"}}\n"
    "  - {at: 11s, every: 20s, times: $rounds, node: c2, request: {id: v, type: NON, method: PUT, "
    "payload: \"off\", uri: \"coap://$s4/light\"}}\n"
    "  - {at: 13s, every: 20s, times: $rounds, node: c1, request: {id: p, method: POST, uri: "
    "\"coap://[ff35::1]/count\"}}\n"
    "expect: [{event: leak, times: 0}]\n";

static struct scn_scenario *load(uint64_t rounds) {
  struct scn_errors errors;
  char value[24];
  snprintf(value, sizeof value, "%llu", (unsigned long long)rounds);
  struct scn_setting setting = {"rounds", value};
  struct txt_buffer text = {0};
  scn_errors_init(&errors);
  txt_print(&text, "parameters: {rounds: 1}\n%s", scenario_text);
  struct scn_file *file = scn_file_parse("bench-check.yaml", text.data, text.length, &errors);
  struct scn_scenario *s = file ? scn_load(file, NULL, &setting, 1, &errors) : NULL;
  scn_errors_print(&errors, stderr);
  scn_errors_free(&errors);
  scn_file_free(file);
  txt_free(&text);
  return s;
}

/* Makes a capture of about |packets| packets; returns how many it has, 0 when it failed. */
static uint64_t make_capture(const char *path, uint64_t packets, struct run_engine *engine) {
  struct run_options options = {.seed = 1, .record = true, .judge_only = true};
  struct run_outcome outcome;
  uint64_t per_round = 0, made = 0;
  for (uint64_t rounds = 8;; rounds = packets / per_round + 1) {
    struct scn_scenario *s = load(rounds);
    if (!s || !run_execute(engine, s, &options, &outcome)) return 0;
    made = jdg_counts_get(outcome.judge).packets;
    bool enough = per_round != 0;
    per_round = made / rounds;
    if (enough && cap_writer_save(outcome.capture, path) != CAP_OK) made = 0;
    scn_free(s);
    if (enough || per_round == 0) return made;
  }
}

static double judge_rate(struct judge *judge, const char *path, double *seconds) {
  struct jdg_config config = {.profile = JDG_DIJK_03};
  char message[200];
  jdg_reset(judge, &config);
  uint64_t start = bench_now();
  if (jdg_capture(judge, path, message, sizeof message) != CAP_END) return 0;
  *seconds = (double)(bench_now() - start) / 1e9;
  return (double)jdg_counts_get(judge).packets / *seconds;
}

struct rates {
  double best, median; /* packets per second */
};

static bool judge_turns(const struct bench_options *o, const char *path, struct rates *rates_out,
                        double *seconds) {
  struct jdg_config config = {.profile = JDG_DIJK_03};
  struct judge *judge = jdg_new(&config);
  double rates[16], one;
  unsigned done = 0;
  *seconds = 0;
  for (; judge && done < o->samples && done < 16; done++) {
    rates[done] = o->interrupted(o->context) ? 0 : judge_rate(judge, path, &one);
    if (rates[done] <= 0) break;
    *seconds += one;
  }
  jdg_free(judge);
  if (done < o->samples && done < 16) return false;
  *rates_out = (struct rates){bench_best(rates, done), bench_median(rates, done)};
  *seconds /= done;
  return true;
}

static void print_line(FILE *out, const char *tool, uint64_t packets, double seconds,
                       const struct rates *rates, double ratio) {
  fprintf(out,
          "{\"bench\": \"check\", \"tool\": \"%s\", \"work\": %llu, \"seconds\": %.3f, "
          "\"packets_per_s\": %.0f, \"median_packets_per_s\": %.0f",
          tool, (unsigned long long)packets, seconds, rates->best, rates->median);
  if (ratio > 0) fprintf(out, ", \"ratio\": %.1f", ratio);
  fprintf(out, "}\n");
  fflush(out);
}

static bool compare(const struct bench_options *o, struct run_engine *engine, const char *path,
                    const char *small_path) {
  uint64_t packets = make_capture(path, o->packets, engine), small = 0;
  struct rates own, theirs;
  double seconds, peer_seconds = 0, peer = 0;
  if (!packets || !judge_turns(o, path, &own, &seconds)) return false;
  if (o->peers) small = make_capture(small_path, o->packets / 20 + 1000, engine);
  if (small) peer = bench_tshark_run(small_path, small, &peer_seconds);
  if (o->peers && peer <= 0) fprintf(o->notes, "chorus bench: tshark is not there to compare\n");
  print_line(o->out, "chorus", packets, seconds, &own, peer > 0 ? own.median / peer : 0);
  theirs = (struct rates){peer, peer};
  if (peer > 0) print_line(o->out, "tshark", small, peer_seconds, &theirs, 0);
  return true;
}

bool bench_check(const struct bench_options *o) {
  char folder[] = "/tmp/chorus-bench-XXXXXX", path[64], small_path[64];
  struct run_engine *engine = run_engine_new();
  bool ok = engine && mkdtemp(folder);
  if (ok) {
    snprintf(path, sizeof path, "%s/large.pcapng", folder);
    snprintf(small_path, sizeof small_path, "%s/small.pcapng", folder);
    ok = compare(o, engine, path, small_path);
    unlink(path);
    unlink(small_path);
    rmdir(folder);
  }
  if (!ok) fprintf(o->notes, "chorus bench: check: no result\n");
  run_engine_free(engine);
  return ok;
}
