// Building blocks of handlers: apply a function to the active lanes of register arrays.
//
// With all lanes active the loops are plain counted loops over arrays, which the compiler turns
// into vector code.
#pragma once

#include <bit>
#include <cstdint>

#include "tests/support/cuda_emulator/warp.h"

namespace paluku::emulator {

template <class F>
inline void ForLanes(LaneMask active, F&& f) {
  if (active == kAllLanes) {
#pragma GCC ivdep
    for (int lane = 0; lane < kWarpSize; ++lane) f(lane);
  } else {
    for (; active != 0; active &= active - 1) f(std::countr_zero(active));
  }
}

// Handlers for D = F(A), F(A, B), F(A, B, C); operands in reg[0] (destination), reg[1], reg[2],
// reg[3].
template <class F, class D, class A>
void Unary(Warp& warp, const Instruction& in, LaneMask active) {
  D* d = warp.Lanes<D>(in.reg[0]);
  const A* a = warp.Lanes<A>(in.reg[1]);
  ForLanes(active, [=](int lane) { d[lane] = F::Apply(a[lane]); });
}

template <class F, class D, class A, class B>
void Binary(Warp& warp, const Instruction& in, LaneMask active) {
  D* d = warp.Lanes<D>(in.reg[0]);
  const A* a = warp.Lanes<A>(in.reg[1]);
  const B* b = warp.Lanes<B>(in.reg[2]);
  ForLanes(active, [=](int lane) { d[lane] = F::Apply(a[lane], b[lane]); });
}

template <class F, class D, class A, class B, class C>
void Ternary(Warp& warp, const Instruction& in, LaneMask active) {
  D* d = warp.Lanes<D>(in.reg[0]);
  const A* a = warp.Lanes<A>(in.reg[1]);
  const B* b = warp.Lanes<B>(in.reg[2]);
  const C* c = warp.Lanes<C>(in.reg[3]);
  ForLanes(active, [=](int lane) { d[lane] = F::Apply(a[lane], b[lane], c[lane]); });
}

}  // namespace paluku::emulator
