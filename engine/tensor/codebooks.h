// The tables of numbers behind quantised types: values of 4-bit codes and the grids of the IQ
// types. Facts of ggml's formats, made by make_codebooks.py; data only, so that kernels of every
// instruction set may read them. Byte j of a grid's entry is its j-th number.
#pragma once

#include <cstdint>

namespace paluku {

// Values of the nibbles of IQ4_NL and IQ4_XS.
static constexpr std::int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
// Twice the values of E2M1, the 4-bit float of MXFP4 and NVFP4.
static constexpr std::int8_t kE2M1Values[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                                0, -1, -2, -3, -4, -6, -8, -12};

template <class Entry, int kCount>
struct Codebook {
  Entry entry[kCount];
};
extern const Codebook<std::uint64_t, 256> kIq2XxsGrid;  // eight magnitudes: 8, 25 or 43
extern const Codebook<std::uint64_t, 512> kIq2XsGrid;
extern const Codebook<std::uint64_t, 1024> kIq2SGrid;
extern const Codebook<std::uint32_t, 256> kIq3XxsGrid;  // four magnitudes: 4, 12 .. 52, 62
extern const Codebook<std::uint32_t, 512> kIq3SGrid;    // four magnitudes: 1, 3 .. 15
// Half the value of a scale byte, because kE2M1Values are doubled. E8M0 is a power of two; of E4M3
// the sign bit is ignored and the pattern of NaN means 0, as in ggml.
extern const Codebook<float, 256> kE8M0Halves;
extern const Codebook<float, 256> kE4M3Halves;
// Byte j is 255 where bit j of the index is set; byte 7 makes the number of such bytes even.
extern const Codebook<std::uint64_t, 128> kSignMasks;
extern const Codebook<std::uint64_t, 2048> kIq1Grid;  // eight of -1, 0 and 1, plus 1

}  // namespace paluku
