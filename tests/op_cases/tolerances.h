// Largest allowed NMSE against the double-precision reference, each with its reason.
#pragma once

namespace paluku::op_cases {

// One rounding to f32 per value has a relative error of at most 6e-8, NMSE about 1e-15; functions
// that are exact up to a few such roundings.
inline constexpr double kElementwise = 1e-13;
// Sums of up to some thousand f32 products: errors grow at most with the square root of the length.
inline constexpr double kFloatSums = 1e-11;
// Activations that int8 holds exactly: what is left is f32 addition of groups, with cancellation
// between scale * q and minimum.
inline constexpr double kExactActivations = 1e-10;
// Normal activations rounded to int8, 127 steps to the largest of 32: step 1/60 of the standard
// deviation, its square / 12 = 2.3e-5 of the power; twice that for outlying groups.
inline constexpr double kRoundedActivations = 6e-5;
// Two such roundings in a row. SiLU(gate) * up has longer tails: the largest of 32 is about six
// standard deviations, a step 1/21 of one, which makes 1.9e-4; the error of the input counts in
// both factors.
inline constexpr double kRoundedNetwork = 6e-4;
// Activations as the sum of two bf16: at most 2^-17 of a value is left, and 1e-11 of the power;
// several times that for the worst row of a few values.
inline constexpr double kSplitBfloat = 1e-10;
// Attention on tensor cores, where a weight of the softmax is one f16: 2^-12 of its size, evenly
// spread, 2e-8 of the power; and keys that are int8 times a scale, rounded to f16, which moves
// scores likewise and by more where they are large.
inline constexpr double kTensorCoreF16 = 1e-7;
inline constexpr double kTensorCoreQ8 = 1e-6;
// The expanded way on tensor cores: queries, keys, values and weights are f16 each. A rounding
// moves a factor by up to 2^-12 of its size, a score of a few units by some 2^-12, and a weight by
// as much of itself.
inline constexpr double kTensorCoreExpanded = 5e-7;
// Added where an emulated card's approximate instructions are off by up to 16 ulp on
// purpose: 5.5e-7 rms each, and a dozen in a row make 4e-12 of the power; twice that and more for
// outliers.
inline constexpr double kPerturbed = 1e-11;
// Rows stored as f16: one rounding of 2^-11; a value next to a tie may fall to the other side.
inline constexpr double kStoredHalf = 1e-7;
// Rows stored as int8: a value next to a tie may fall to the other side of a step of 1/127.
inline constexpr double kStoredInt8 = 1e-5;

}  // namespace paluku::op_cases
