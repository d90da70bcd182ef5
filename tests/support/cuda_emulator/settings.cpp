#include "tests/support/cuda_emulator/settings.h"

#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace paluku::emulator {
namespace {

template <class T>
bool ParseNumber(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

bool ParseFlag(std::string_view text, bool& out) {
  if (text != "0" && text != "1") return false;
  out = text == "1";
  return true;
}

// "no-driver", "no-device", "cublas", "memory:N", "allocation:N", "launch:N", "lost:N", separated
// by commas; "" clears.
bool ParseFaults(std::string_view text, Faults& out) {
  Faults faults;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    const std::size_t colon = item.find(':');
    const std::string_view name = item.substr(0, colon);
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view() : item.substr(colon + 1);
    bool ok = true;
    if (name == "no-driver") {
      faults.no_driver = true;
    } else if (name == "no-device") {
      faults.no_device = true;
    } else if (name == "cublas") {
      faults.no_cublas = true;
    } else if (name == "memory") {
      ok = ParseNumber(value, faults.memory);
    } else if (name == "allocation") {
      ok = ParseNumber(value, faults.allocation);
    } else if (name == "launch") {
      ok = ParseNumber(value, faults.launch);
    } else if (name == "lost") {
      ok = ParseNumber(value, faults.lost);
    } else {
      ok = false;
    }
    if (!ok) return false;
  }
  out = faults;
  return true;
}

bool ParseOrder(std::string_view text, Order& out) {
  if (text == "ascending") {
    out = Order::kAscending;
  } else if (text == "descending") {
    out = Order::kDescending;
  } else if (text == "random") {
    out = Order::kRandom;
  } else {
    return false;
  }
  return true;
}

bool ParseStreams(std::string_view text, StreamOrder& out) {
  if (text == "late") {
    out = StreamOrder::kLate;
  } else if (text == "eager") {
    out = StreamOrder::kEager;
  } else if (text == "random") {
    out = StreamOrder::kRandom;
  } else {
    return false;
  }
  return true;
}

bool Set(Settings& s, std::string_view name, std::string_view value) {
  if (name == "shadow") return ParseFlag(value, s.shadow);
  if (name == "count") return ParseFlag(value, s.count);
  if (name == "order") return ParseOrder(value, s.order);
  if (name == "seed") return ParseNumber(value, s.seed);
  if (name == "preempt") return ParseNumber(value, s.preempt);
  if (name == "perturb") return ParseNumber(value, s.perturb);
  if (name == "streams") return ParseStreams(value, s.streams);
  if (name == "verbose") return ParseNumber(value, s.verbose);
  if (name == "fail") return ParseFlag(value, s.fail);
  if (name == "arch") return ParseNumber(value, s.arch);
  if (name == "processors") return ParseNumber(value, s.processors);
  if (name == "memory") return ParseNumber(value, s.memory);
  if (name == "fault") return ParseFaults(value, s.faults);
  if (name == "ptx") {
    s.ptx = value;
    return true;
  }
  if (name == "kernels") {
    s.kernels = value;
    return true;
  }
  return false;
}

Settings FromEnvironment() {
  static const char* const kNames[] = {"shadow",  "count",      "order",   "seed", "preempt",
                                       "perturb", "streams",    "verbose", "fail", "arch",
                                       "memory",  "processors", "fault",   "ptx",  "kernels"};
  Settings result;
  for (const char* name : kNames) {
    std::string variable = "PALUKU_EMU_";
    for (const char* c = name; *c != '\0'; ++c) {
      variable += static_cast<char>(std::toupper(static_cast<unsigned char>(*c)));
    }
    const char* value = std::getenv(variable.c_str());
    if (value != nullptr && !Set(result, name, value)) {
      std::fprintf(stderr, "[cuda emulator] %s=%s makes no sense\n", variable.c_str(), value);
      std::exit(2);
    }
  }
  return result;
}

}  // namespace

Settings& settings() {
  static Settings the_settings = FromEnvironment();
  return the_settings;
}

bool SetSetting(std::string_view name, std::string_view value) {
  return Set(settings(), name, value);
}

}  // namespace paluku::emulator
