/* SPDX-License-Identifier: BSD-2-Clause */
/* chorus bench */
#include "bench/bench.h"

#include <string.h>

#include "cli/batch.h"
#include "cli/cli.h"

enum { NO_PEERS, SAMPLES, MS, PACKETS };

static const struct cli_option bench_options_[] = {
    [NO_PEERS] = {"--no-peers", NULL, "do not run ns-3, tshark or a bridge for comparison"},
    [SAMPLES] = {"--samples", "N", "turns: the best counts, the median is told (120)"},
    [MS] = {"--ms", "N", "milliseconds of work per measurement, at least; kernel: 90 times (20)"},
    [PACKETS] = {"--packets", "N", "check: size of the capture (1000000)"},
    {NULL, NULL, NULL},
};

struct asked {
  const char *what;
  uint64_t samples, ms, packets;
  bool peers;
};

static int parse(struct cli_parser *p, struct asked *a) {
  for (int option; (option = cli_next(p)) != CLI_END;) {
    bool ok = true;
    switch (option) {
      case CLI_HELP: return CLI_HELP;
      case CLI_POSITIONAL:
        ok = a->what == NULL;
        a->what = p->value;
        break;
      case NO_PEERS: a->peers = false; break;
      case SAMPLES: ok = cli_number(p, "--samples", 1, 250, &a->samples); break;
      case MS: ok = cli_number(p, "--ms", 1, 60000, &a->ms); break;
      case PACKETS: ok = cli_number(p, "--packets", 1000, 10000000, &a->packets); break;
      default: return CLI_BAD;
    }
    if (!ok) return CLI_BAD;
  }
  return CLI_END;
}

int cli_bench(int count, char **arguments) {
  struct cli_parser p = {
      .command = "bench",
      .usage = "sim|check|kernel [options]",
      .about =
          "Measures simulator (deliveries a second), judge (packets a second) and the switch of\n"
          "the kernel backend (deliveries a second, added latency); one JSON object a line.",
      .options = bench_options_,
      .arguments = arguments,
      .count = count};
  struct asked a = {.samples = 120, .ms = 20, .packets = 1000000, .peers = true};
  int parsed = parse(&p, &a);
  if (parsed == CLI_HELP) return CLI_OK;
  if (parsed == CLI_BAD) return CLI_USAGE;
  if (!a.what) return cli_usage(&p, "what? sim, check or kernel");
  bool kernel = strcmp(a.what, "kernel") == 0;
  if (!kernel && strcmp(a.what, "sim") != 0 && strcmp(a.what, "check") != 0)
    return cli_usage(&p, "there is no bench \"%s\"; there are sim, check and kernel", a.what);
  if (kernel && !cli_batch_enter("bench", NET_KERNEL)) return CLI_ERROR;
  struct cli_interrupt *interrupt = cli_interrupt_watch();
  struct bench_options o = {.peers = a.peers,
                            .min_ns = a.ms * 1000000,
                            .samples = (unsigned)a.samples,
                            .packets = a.packets,
                            .out = stdout,
                            .notes = stderr,
                            .interrupted = cli_interrupted,
                            .context = interrupt};
  bool ok;
  if (strcmp(a.what, "sim") == 0)
    ok = bench_sim(&o);
  else if (strcmp(a.what, "check") == 0)
    ok = bench_check(&o);
  else
    ok = bench_kernel(&o);
  if (cli_interrupted(interrupt)) {
    fprintf(stderr, "chorus bench: interrupted\n");
    return CLI_INTERRUPTED;
  }
  return ok ? CLI_OK : CLI_ERROR;
}
