// How long loading a model takes, and how soon it ends when a stop is requested at any time during
// it. Usage: load_bench MODEL [stops]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "engine/session/engine.h"

namespace {

using Clock = std::chrono::steady_clock;

double Milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: load_bench MODEL [stops]\n"), 2;
  const int stops = argc > 2 ? std::atoi(argv[2]) : 50;
  const auto engine = paluku::Engine::Create({.backend = "cpu"}).value();
  double whole = 0;
  for (int i = 0; i < 3; ++i) {
    const auto start = Clock::now();
    if (const auto loaded = engine->Load(argv[1], {}, {}, {}); !loaded) {
      return std::fprintf(stderr, "%s\n", loaded.error().Message().c_str()), 1;
    }
    whole = Milliseconds(Clock::now() - start);
    std::printf("load %d: %.1f ms\n", i, whole);
  }
  double slowest = 0, slowest_at = 0;
  int cancelled = 0;
  for (int i = 0; i < stops; ++i) {
    const double at = whole * i / stops;
    std::stop_source stop;
    Clock::time_point requested;
    std::jthread other([&] {
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(at));
      requested = Clock::now();
      stop.request_stop();
    });
    const auto loaded = engine->Load(argv[1], {}, {}, stop.get_token());
    const auto end = Clock::now();
    other.join();
    if (loaded) continue;
    ++cancelled;
    const double waited = Milliseconds(end - requested);
    if (waited > slowest) slowest = waited, slowest_at = at;
  }
  std::printf("%d of %d stops came in time; the slowest, after %.1f ms, took %.1f ms\n", cancelled,
              stops, slowest_at, slowest);
  return 0;
}
