#include "tools/nnc/machine.h"

#include <fmt/format.h>

#include <cctype>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "compiler/jit/jit.h"
#include "runtime/atomic_file.h"
#include "runtime/data/error.h"
#include "runtime/json_reader.h"
#include "runtime/threads.h"
#include "tools/nnc/terminal.h"

namespace nnc::tool {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int format = 1;  // of the file; figures of other formats are measured anew

ordered_json to_json(const Machine& machine) {
  ordered_json levels = ordered_json::array();
  for (const MemoryLevel& level : machine.levels) {
    levels.push_back({{"name", level.name},
                      {"capacity", level.capacity},
                      {"bytes", level.bytes},
                      {"one_gbs", level.one},
                      {"all_gbs", level.all}});
  }
  return {{"format", format},
          {"cpu", machine.cpu},
          {"cores", machine.cores},
          {"isa", machine.isa},
          {"measured", machine.measured},
          {"peak_gflops", {{"one", machine.peak_one}, {"all", machine.peak_all}}},
          {"read", levels},
          {"call_ns", machine.call_ns},
          {"barrier_ns", machine.barrier_ns},
          {"give_gbs", machine.give_gbs},
          {"take_gbs", machine.take_gbs}};
}

// Throws DataError where something is not there or cannot have been measured.
std::optional<Machine> from_json(const runtime::JsonReader& json) {
  constexpr int64_t most = int64_t{1} << 60;
  constexpr int64_t most_cores = int64_t{1} << 20;
  const auto positive = [](const runtime::JsonReader& value) {
    if (value.number() < 0) value.refuse("less than nothing");
    return value.number();
  };
  if (json.at("format").integer(0, most) != format) return std::nullopt;
  Machine machine;
  machine.cpu = json.at("cpu").text();
  machine.cores = static_cast<int>(json.at("cores").integer(1, most_cores));
  machine.isa = json.at("isa").text();
  machine.measured = json.at("measured").integer(0, most);
  machine.peak_one = positive(json.at("peak_gflops").at("one"));
  machine.peak_all = positive(json.at("peak_gflops").at("all"));
  for (const runtime::JsonReader& level : json.at("read").items()) {
    machine.levels.push_back({level.at("name").text(), level.at("capacity").integer(0, most),
                              level.at("bytes").integer(0, most), positive(level.at("one_gbs")),
                              positive(level.at("all_gbs"))});
  }
  machine.call_ns = positive(json.at("call_ns"));
  machine.barrier_ns = json.at("barrier_ns").number();  // tests set less than nothing
  machine.give_gbs = positive(json.at("give_gbs"));
  machine.take_gbs = positive(json.at("take_gbs"));
  return machine;
}

std::string age_text(int64_t measured) {
  const int64_t seconds = std::max<int64_t>(0, std::time(nullptr) - measured);
  const auto some = [](int64_t count, const char* what) {
    return fmt::format("{} {}{} ago", count, what, count == 1 ? "" : "s");
  };
  if (seconds < 60) return "just now";
  if (seconds < 2 * 3600) return some(seconds / 60, "minute");
  if (seconds < 2 * 86400) return some(seconds / 3600, "hour");
  return some(seconds / 86400, "day");
}

std::string size_text(int64_t bytes) {
  return bytes >= 1 << 20 ? fmt::format("{} MiB", bytes >> 20) : fmt::format("{} KiB", bytes >> 10);
}

void print_row(const std::string& what, const std::string& one, const std::string& all) {
  fmt::print("  {:<52}{:>15}{:>15}\n", what, one, all);
}

void print_text(const Machine& machine, const std::string& kept) {
  const bool several = machine.cores > 1;
  const auto speed = [](double gbs) { return fmt::format("{:.1f} GB/s", gbs); };
  fmt::print("{}, {} core{}, {}\n\n", styled(machine.cpu, Style::bold), machine.cores,
             several ? "s" : "", machine.isa);
  print_row("", "one thread", several ? fmt::format("{} threads", machine.cores) : "");
  fmt::print("  {}\n", std::string(82, '-'));
  print_row("multiply-adds in registers (f32, the best)",
            fmt::format("{:.0f} GFLOP/s", machine.peak_one),
            several ? fmt::format("{:.0f} GFLOP/s", machine.peak_all) : "");
  for (const MemoryLevel& level : machine.levels) {
    print_row(fmt::format(
                  "reading {} ({} each, over and over)",
                  level.capacity > 0 ? level.name + " of " + size_text(level.capacity) : level.name,
                  size_text(level.bytes)),
              speed(level.one), several ? speed(level.all) : "");
  }
  print_row("calling all threads and waiting for them", "",
            fmt::format("{:.0f} ns", machine.call_ns));
  if (several) {
    print_row("a barrier", "", fmt::format("{:.0f} ns", machine.barrier_ns));
    print_row("writing what another core has read", speed(machine.give_gbs), "");
    print_row("reading what another core has written", speed(machine.take_gbs), "");
    constexpr double bytes = 64 << 10;
    fmt::print(
        "\n  So a value of 64 KiB that one core writes and another one reads costs {:.1f} µs more "
        "or less,\n  as much as {:.1f} M flops on one thread: smaller work is done sooner by one "
        "thread alone.\n",
        bytes * (1 / machine.give_gbs + 1 / machine.take_gbs) * 1e-3,
        bytes * (1 / machine.give_gbs + 1 / machine.take_gbs) * machine.peak_one * 1e-6);
  }
  fmt::print("\n  measured {}, {}\n  to measure again: nnc bench --machine --renew\n",
             age_text(machine.measured), kept);
}

}  // namespace

std::string machine_path(const kernel::Target& target) {
  const std::string folder = jit::cache_folder();
  if (folder.empty()) return {};
  std::string name;
  for (const char c : fmt::format("{} {} cores {}", cpu_name(), runtime::available_cores(),
                                  kernel::name_of(target.isa))) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!plain && !name.empty() && name.back() != '-') name += '-';
  }
  return folder + "/machine-" + name + ".json";
}

std::optional<Machine> kept_machine(const kernel::Target& target) {
  const std::string path = machine_path(target);
  if (path.empty() || !fs::exists(path)) return std::nullopt;
  try {
    const ordered_json json = runtime::parse_json(runtime::read_text(path), path);
    return from_json(runtime::JsonReader(json, path));
  } catch (const runtime::DataError&) {  // not readable, damaged
  }
  return std::nullopt;
}

bool keep_machine(const Machine& machine) {
  kernel::Isa isa = kernel::Isa::sse2;
  kernel::parse_isa(machine.isa, isa);
  const std::string path = machine_path(kernel::target_for(isa));
  if (path.empty()) return false;
  // The object cache uses the folder only if nobody else can write there.
  const fs::path folder = fs::path(path).parent_path();
  std::error_code problem;
  if (fs::create_directories(folder, problem)) {
    fs::permissions(folder, fs::perms::owner_all, problem);
  }
  try {
    runtime::write_atomically(path, to_json(machine).dump(2) + "\n");
  } catch (const runtime::DataError&) {
    return false;
  }
  return true;
}

Machine machine_figures(const kernel::Target& target) {
  if (auto kept = kept_machine(target)) return *kept;
  print_error("measuring this machine, once (nnc bench --machine shows it) ...\n");
  const Machine machine = measure_machine(target);
  keep_machine(machine);
  return machine;
}

void print_machine(const kernel::Target& target, bool renew, bool json) {
  std::optional<Machine> machine;
  if (!renew) machine = kept_machine(target);
  bool is_kept = machine.has_value();
  if (!machine) {
    machine = measure_machine(target);
    is_kept = keep_machine(*machine);
  }
  if (!json) {
    return print_text(
        *machine, is_kept ? "kept in " + machine_path(target) : "kept nowhere: no cache folder");
  }
  ordered_json result = to_json(*machine);
  result["kept"] = is_kept ? ordered_json(machine_path(target)) : ordered_json();
  result["age_seconds"] = std::max<int64_t>(0, std::time(nullptr) - machine->measured);
  print_json(result);
}

}  // namespace nnc::tool
