#include "tools/nnc/compile_times.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/atomic_file.h"
#include "runtime/json_reader.h"
#include "tools/nnc/exit.h"
#include "tools/nnc/process.h"
#include "tools/nnc/scratch_folder.h"
#include "tools/nnc/terminal.h"
#include "tools/workbench/clock.h"

extern char** environ;

namespace nnc::tool {

using namespace workbench;

namespace {

using nlohmann::ordered_json;

constexpr int repeats = 7;
constexpr double worth_a_line = 0.02;  // ms; shorter phases share one line

struct Phase {
  std::string stage;
  std::string name;
  double milliseconds = 0;
};

struct Compilation {
  std::string model;
  std::vector<Phase> phases;
  double total = 0;
};

const char* name_of(Stage stage) {
  switch (stage) {
    case Stage::graph: return "graph";
    case Stage::passes: return "passes";
    case Stage::kernels: return "kernels";
    case Stage::native: return "native";
  }
  return "?";
}

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// The words of the command line that this process was started with.
std::vector<std::string> own_command() {
  const std::string text = runtime::read_text("/proc/self/cmdline");
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    words.emplace_back(text.c_str() + at);
    at += words.back().size() + 1;
  }
  return words;
}

// Standard output of this program, called with these words. Its errors have been printed by it;
// they end this command in the same way.
std::string output_of(std::vector<std::string> words) {
  int ends[2];
  if (pipe(ends) != 0) throw CommandError(Exit::failed, "no pipe to another process");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int failure =
      posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; failure == 0 && (got = read(ends[0], piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  if (failure != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
    throw CommandError(Exit::failed, "nnc could not start itself to be measured");
  }
  if (WEXITSTATUS(status) != 0) throw Ended{static_cast<Exit>(WEXITSTATUS(status))};
  return text;
}

Compilation compile_in_a_process(const std::string& folder) {
  std::vector<std::string> words = own_command();
  words.insert(words.end(), {"--compile-once", folder, "--started"});
  words.push_back(std::to_string(Clock::now().time_since_epoch().count()));
  const char* const source = "the process that was measured";
  const ordered_json parsed = runtime::parse_json(output_of(std::move(words)), source);
  const runtime::JsonReader json(parsed, source);
  Compilation result;
  result.model = json.at("model").text();
  result.total = json.at("total_ms").number();
  for (const runtime::JsonReader& phase : json.at("phases").items()) {
    result.phases.push_back(
        {phase.at("stage").text(), phase.at("name").text(), phase.at("ms").number()});
  }
  return result;
}

// The one with the median total: its phases belong together.
Compilation median(std::vector<Compilation> all) {
  std::sort(all.begin(), all.end(),
            [](const Compilation& a, const Compilation& b) { return a.total < b.total; });
  return all[all.size() / 2];
}

ordered_json to_json(const Compilation& compilation) {
  ordered_json phases = ordered_json::array();
  for (const Phase& phase : compilation.phases) {
    phases.push_back({{"stage", phase.stage}, {"name", phase.name}, {"ms", phase.milliseconds}});
  }
  return {{"total_ms", compilation.total}, {"phases", phases}};
}

struct Row {
  Phase cold;
  double warm = 0;
};

// Both columns, in the order of the cold one; what only the warm one has comes after its stage.
std::vector<Row> side_by_side(const Compilation& cold, const Compilation& warm) {
  std::vector<Row> rows;
  for (const Phase& phase : cold.phases) rows.push_back({phase, 0});
  for (const Phase& phase : warm.phases) {
    auto at = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
      return row.cold.stage == phase.stage && row.cold.name == phase.name;
    });
    if (at == rows.end()) at = rows.insert(at, {{phase.stage, phase.name, 0}, 0});
    at->warm += phase.milliseconds;
  }
  return rows;
}

void print_line(const std::string& stage, const std::string& name, double cold, double warm,
                double total) {
  fmt::print("  {:<9}{:<32}{:>10.2f}{:>7.1f}%{:>10.2f}\n", stage, name, cold, 100 * cold / total,
             warm);
}

void print_table(const Compilation& cold, const Compilation& warm) {
  fmt::print("{}  from the start of the process to a first call that can run, ms\n\n",
             styled(cold.model, Style::bold));
  fmt::print("  {:<9}{:<32}{:>10}{:>8}{:>10}\n", "stage", "what", "cold", "share", "warm");
  const std::string rule(69, '-');
  fmt::print("  {}\n", rule);
  std::string stage;
  double small_cold = 0, small_warm = 0;
  for (const Row& row : side_by_side(cold, warm)) {
    if (row.cold.milliseconds < worth_a_line && row.warm < worth_a_line) {
      small_cold += row.cold.milliseconds;
      small_warm += row.warm;
      continue;
    }
    print_line(row.cold.stage == stage ? "" : row.cold.stage, row.cold.name, row.cold.milliseconds,
               row.warm, cold.total);
    stage = row.cold.stage;
  }
  print_line("", "all shorter ones", small_cold, small_warm, cold.total);
  fmt::print("  {}\n", rule);
  print_line("", "process start to the first call", cold.total, warm.total, cold.total);
}

}  // namespace

void compile_once(const ReadyChoices& flags, const std::string& folder, int64_t started) {
  const auto begin = Clock::now();
  const Clock::time_point asked{Clock::duration(started)};
  const Ready ready = make_ready(flags, folder);
  const double total = milliseconds(Clock::now() - asked);
  std::vector<Phase> phases;
  double seen = 0;
  // Equal names of several entries (the passes over each graph) are one phase.
  const auto add = [&](const char* stage, const std::string& name, double ms) {
    seen += ms;
    for (Phase& phase : phases) {
      if (phase.stage != stage || phase.name != name) continue;
      phase.milliseconds += ms;
      return;
    }
    phases.push_back({stage, name, ms});
  };
  add("process", "start to main", milliseconds(main_began() - asked));
  add("process", "command line", milliseconds(begin - main_began()));
  add("file", "read and check", ready.read_ms);
  add("file", "headers of the data", ready.probe_ms);
  for (const PhaseTime& phase : ready.compiled->timings().phases) {
    add(name_of(phase.stage), phase.name, phase.milliseconds);
  }
  add("rest", "between the phases", total - seen);
  ordered_json json = to_json({{}, phases, total});
  json["model"] = ready.model.description.name;
  tool::print_json(json);
}

void print_compile_times(bool json) {
  std::vector<Compilation> cold, warm;
  for (int i = 0; i < repeats; ++i) {
    const ScratchFolder cache;
    cold.push_back(compile_in_a_process(cache.path()));
    warm.push_back(compile_in_a_process(cache.path()));
  }
  const Compilation typical_cold = median(cold), typical_warm = median(warm);
  if (!json) return print_table(typical_cold, typical_warm);
  const ordered_json result = {{"model", typical_cold.model},
                               {"repeats", repeats},
                               {"cold", to_json(typical_cold)},
                               {"warm", to_json(typical_warm)}};
  print_json(result);
}

}  // namespace nnc::tool
