// Rotation of one row by precomputed angles (RoPE, arXiv 2104.09864). A pure function.
#pragma once

namespace paluku {

// Rotates the `rope` values at `x`; `angles` [rope / 2][2] are cos and sin.
inline void RotateRow(float* x, int rope, bool interleaved, const float* angles) {
  for (int i = 0; i < rope / 2; ++i) {
    float& first = x[interleaved ? 2 * i : i];
    float& second = x[interleaved ? 2 * i + 1 : i + rope / 2];
    const float cosine = angles[2 * i], sine = angles[2 * i + 1];
    const float a = first, b = second;
    first = a * cosine - b * sine;
    second = a * sine + b * cosine;
  }
}

}  // namespace paluku
